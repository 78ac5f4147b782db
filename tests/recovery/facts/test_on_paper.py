"""The invented platforms on paper: returned values, repeated statements, keys with a NULL and names in quotes, through the real psql."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from breakglass.practice.cluster import Cluster
from recovery import platforms
from recovery.bastion import paper, receipts, reconcile
from recovery.doors import grants
from recovery.models import Run, RunState
from recovery.running import runs
from tests import by_hand
from tests.recovery.facts.place import Fact, play
from tests.recovery.stage import PASSWORD

WANTED = [
    ("beacon", "create", "", {"login": "Dora@Beacon.example", "name": "Dora O'Hara"}),
    ("beacon", "reset", "op:abe@beacon.example", {}),
    ("beacon", "enable", "op:bea@beacon.example", {}),
    ("foundry", "create", "", {"login": "Hal", "name": "Hal"}),
    ("foundry", "enable", "00000000-0000-0000-0000-00000000000b", {}),
    ("parish", "create", "", {"login": "Dot", "name": "Dot"}),
    ("parish", "reset", "a" * 32, {}),
    ("quill", "create", "", {"login": "nadia", "name": "Nadia \\ N"}),
    ("quill", "reset", "9007199254740993", {}),
]


@pytest.fixture
def fact(
    request: pytest.FixtureRequest, console: str, platform_server: Cluster, settings: Settings, tmp_path: Path
) -> Iterator[Fact]:
    """One invented platform, whose DBA runs scripts."""
    with play(request.param, console, platform_server, settings, tmp_path) as found:
        file = found.stage.place.acme.file
        file.write_text(file.read_text().replace('broker_file = "acme-broker"\n', 'access = "paper"\n'))
        with found.stage.place.acme.connect() as dba:
            grants.install(dba, platforms.get("acme").profile, mode="paper")
        place = replace(found.stage.place, platform=platforms.get("acme"))
        yield Fact(replace(found.stage, place=place))


def out(fact: Fact, outcome: str, key: str, who: dict[str, str]) -> tuple[Run, str]:
    """A run whose script is out, and the script."""
    document = fact.plan(outcome, key, **who)
    password = PASSWORD if document.needs_password else None
    run = paper.make(fact.stage.run(document), values=runs.prepare_values(document.content, password=password))
    assert run.state == RunState.PREPARED, run.reason
    return run, paper.text_of(run.paper, at=run.prepared_at)


@pytest.mark.parametrize(("fact", "outcome", "key", "who"), WANTED, indirect=["fact"])
def test_script_does_what_was_planned_once_and_its_receipt_is_recognised(fact, outcome, key, who):
    run, text = out(fact, outcome, key, who)
    done = by_hand.run_script(fact.stage.place.acme, text)
    assert done.returncode == 0, done.stderr
    receipt = receipts.read(done.stdout, run, platforms.get("acme").profile)

    found = reconcile.look(run, receipt=receipt)

    assert found.state == RunState.COMMITTED, found.reason
    assert by_hand.run_script(fact.stage.place.acme, text).returncode != 0


@pytest.mark.parametrize(("fact", "outcome", "key", "who"), WANTED[:1], indirect=["fact"])
def test_rows_of_the_script_are_those_of_its_images(fact, outcome, key, who):
    before = fact.everything()
    run, text = out(fact, outcome, key, who)

    receipt = receipts.read(by_hand.run_script(fact.stage.place.acme, text).stdout, run, platforms.get("acme").profile)

    written = {table for table, _row in fact.everything() ^ before}
    assert {image.table for image in receipt.after} == {table.replace('"', "") for table in written}


@pytest.mark.parametrize("fact", ["beacon"], indirect=True)
def test_script_ends_sessions_that_are_alike_but_for_their_secret(fact: Fact) -> None:
    abe = "op:abe@beacon.example"
    fact.do("INSERT INTO ops.session VALUES ('one', %s, 1800000000), ('two', %s, 1800000000)", abe, abe)
    run, text = out(fact, "reset", abe, {})

    receipt = receipts.read(by_hand.run_script(fact.stage.place.acme, text).stdout, run, platforms.get("acme").profile)

    assert reconcile.look(run, receipt=receipt).state == RunState.COMMITTED
    assert fact.rows("SELECT cookie FROM ops.session") == []
