"""`make bench`: the numbers that the console should hold, each beside its floor, measured in one process. It judges nothing."""

import io
import statistics
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from django.db import transaction
from django.test import Client

from audit import bundle, events, log, verify
from recovery.doors import access
from recovery.models import Run
from recovery.planning.documents import PlanDocument
from recovery.running import runs
from tests import builders, cast
from tests.acme import Acme
from tests.benchmarks import filling
from tests.benchmarks.figures import Figure, medians, seconds
from tests.recovery.stage import PASSWORD, Stage

pytestmark = pytest.mark.django_db
APPENDED, VERIFIED, BUNDLED, INCIDENTS = 500, 200_000, 2_000, 20_000
VISITS = 40


def test_recovery_run(stage: Stage, figures: list[Figure]) -> None:
    made: list[Run] = []

    def given() -> tuple[Run, PlanDocument]:
        document = stage.plan()
        return stage.run(document), document

    with stage.keeper():
        own, floor = medians(
            lambda *args: made.append(_run(*args)), lambda *args: _run_by_hand(stage, *args), rounds=7, given=given
        )

    gone = max((one.accesses.get().proven_at - one.decided_at).total_seconds() for one in made)
    figures += [
        Figure("recovery run", "s", own, "<= 1.5 x", own <= 1.5 * floor, floor),
        Figure("access proven gone after a run", "s", gone, "<= 5 s", gone <= 5),
    ]


def _run(run: Run, document: PlanDocument) -> Run:
    """The console's run: hash, mandate, access, rehearsal, change with its records, closing, proof."""
    made = runs.carry_out(run, values=runs.prepare_values(document.content, password=PASSWORD))
    assert made.state == "committed", made.reason
    return made


def _run_by_hand(stage: Stage, _run: Run, document: PlanDocument) -> None:
    """The floor: the hash, a login opened and closed through the doors, the same SQL with one flush."""
    values = document.known_values | dict(runs.prepare_values(document.content, password=PASSWORD).secret)
    login = stage.place.open()
    with stage.place.connect(login) as connection:
        for statement in document.statements:
            connection.execute(statement["sql"], values)
    access.close(stage.place.platform, login.access_id)


def test_append(console: str, root: psycopg.Connection, figures: list[Figure]) -> None:
    root.execute("CREATE TABLE by_hand (LIKE audit.entry INCLUDING ALL)")
    lines = iter(list(filling.chain("BG-2026-0002", APPENDED * 10)))
    numbers = iter(range(APPENDED * 10))

    def own() -> None:
        for _ in range(APPENDED):
            with transaction.atomic():
                log.append(events.PLAN_MADE, by="olivia", incident="BG-2026-0001", words="amber cedar lake orbit")

    def by_hand() -> None:
        for _ in range(APPENDED):
            root.execute("INSERT INTO by_hand (seq, entry) VALUES (%s, %s)", [next(numbers), next(lines)])

    own_seconds, floor_seconds = medians(own, by_hand, rounds=5)
    rate, floor = APPENDED / own_seconds, APPENDED / floor_seconds
    figures.append(Figure("append to the log", "entries/s", rate, ">= 1,000 entries/s", rate >= 1000, floor))


def test_full_verification(console: str, root: psycopg.Connection, figures: list[Figure]) -> None:
    filling.fill_log(root, filling.many_chains(VERIFIED))

    def by_hand() -> None:
        with root.cursor().copy("COPY (SELECT entry FROM audit.entry ORDER BY seq) TO STDOUT") as copy:
            for line in copy:
                sha256(line).digest()

    assert log.verify_chain().is_unbroken
    own_seconds, floor_seconds = medians(log.verify_chain, by_hand, rounds=3)
    rate, floor = VERIFIED / own_seconds, VERIFIED / floor_seconds
    what = f"full verification of {VERIFIED:,} entries"
    figures.append(Figure(what, "entries/s", rate, ">= 300,000 entries/s", rate >= 300_000, floor))


def test_bundle(console: str, root: psycopg.Connection, tmp_path: Path, figures: list[Figure]) -> None:
    incident, path = "BG-2026-0001", tmp_path / "bundle.zip"
    filling.fill_log(root, {incident: BUNDLED})

    def by_hand() -> None:
        content = path.read_bytes()
        sha256(content).digest()
        (tmp_path / "copy.zip").write_bytes(content)

    def written() -> None:
        target = io.BytesIO()
        bundle.write(incident, target)
        path.write_bytes(target.getvalue())

    assert (written(), verify.check(path).faults) == (None, [])
    writing, floor = medians(written, by_hand, rounds=5)
    checking, floor_again = medians(lambda: verify.check(path), by_hand, rounds=5)
    figures += [
        Figure(f"bundle of {BUNDLED:,} entries, written", "s", writing, "<= 1 s", writing <= 1, floor),
        Figure(f"bundle of {BUNDLED:,} entries, verified", "s", checking, "<= 1 s", checking <= 1, floor_again),
    ]


def test_pages(platform: Acme, root: psycopg.Connection, figures: list[Figure]) -> None:
    incident = builders.window_open(platform).incident
    filling.fill_log(root, filling.many_chains(VERIFIED))
    filling.fill_incidents(root, incident.pk, number=INCIDENTS)
    client = cast.signed_in(Client(), builders.people().simone)
    own = [f"/incidents/{incident.reference}/{key}/" for key in ("diagnosis", "plan", "approval", "window", "execute")]

    for address in ["/", "/log/", *own, f"/admin/procedure/incident/{incident.pk}/change/"]:
        p50, p95 = _page(client, address)
        what = f"page {address.replace(incident.reference, '…')} p50 {p50:.0f} ms, p95"
        figures.append(Figure(what, "ms", p95, "<= 150 ms", p95 <= 150))


def _page(client: Client, address: str) -> tuple[float, float]:
    assert client.get(address).status_code == 200
    times = [seconds(lambda: client.get(address)) * 1000 for _ in range(VISITS)]
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]
