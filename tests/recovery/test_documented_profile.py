"""docs/profiles.md tells the truth: its example runs on a real database, its tables name every key, its refusals are real."""

import copy
import os
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from pytest_django.fixtures import Settings

from audit import clock
from breakglass.practice import databases, platform_file
from breakglass.practice.cluster import Cluster
from breakglass.practice.platform import BROKER, READER
from recovery import audit_rows, diagnosis, readiness
from recovery.doors import grants
from recovery.hashing import passwords
from recovery.hashing.formulas import INGREDIENTS
from recovery.hashing.password_schemes import FAMILIES
from recovery.language import profiles
from recovery.language.profile import GENERATORS, INPUTS, NOTES, STOPS
from recovery.language.sections import Section
from recovery.models import RunState
from recovery.planning import plans, rollback
from recovery.refusals import ProfileRefused
from recovery.sign_in import proof
from tests import acme
from tests.recovery.doors import furnish
from tests.recovery.stage import PASSWORD, WHO, Stage

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = (DOCS / "profiles.md").read_text()
EXAMPLE = DOCS / "example-profile.toml"
TEXT = EXAMPLE.read_text()
SCHEMA = re.search(r"```sql\n(.*?)```", GUIDE, re.DOTALL)[1]
RUN = Path(os.environ["BREAKGLASS_TEST_RUN"])
OLIVE, BRUNO = "101", "102"
PEOPLE = """
INSERT INTO harbour.company (code, title, kind) VALUES ('HH', 'Harbour House', 'house'), ('C1', 'Customer', 'customer');
INSERT INTO harbour.member (company_no, mail, full_name, pass, status, public_code, wrong_tries, blocked_note, changed_at)
VALUES (1, 'olive@harbour.example', 'Olive', '$2y$04$' || repeat('a', 53), 'active', 'a', 9, NULL, '2026-01-01'),
       (1, 'bruno@harbour.example', 'Bruno', '$2y$04$' || repeat('b', 53), 'blocked', 'b', 0, 'by hand', '2026-01-01'),
       (2, 'carla@harbour.example', 'Carla', '$2y$04$' || repeat('c', 53), 'active', 'c', 0, NULL, '2026-01-01');
INSERT INTO harbour.member_role VALUES (101, 'steward'), (102, 'steward'), (103, 'steward');
INSERT INTO harbour.token VALUES ('t-1', 101, '2026-01-01'), ('t-2', 103, '2026-01-01');
"""

# Each section of a profile, by the way to it in the example, as the guide's table calls it.
SECTIONS: dict[str, tuple[str | int, ...]] = {
    "": (),
    "table.NAME.": ("table", "member"),
    "tenant.": ("tenant",),
    "delete.": ("delete",),
    "password.": ("password",),
    "owners.": ("owners",),
    "outcome.KIND.": ("outcome", "reset"),
    "outcome.KIND.statement.": ("outcome", "reset", "statement", 0),
    "outcome.KIND.statement.expect.": ("outcome", "reset", "statement", 1, "expect"),
    "forecast.": ("forecast",),
    "proof.": ("proof",),
    "audit.": ("audit",),
    "login_check.": ("login_check",),
    "login_check.step.": ("login_check", "step", 0),
}
# Their names are the writer's own.
FREE = {"outcome.KIND.generate.NAME"}
FREE |= {f"outcome.KIND.statement.{key}.NAME" for key in ("returns", "each", "generate")}
HOLDERS = {"table", "outcome"} | {prefix.rstrip(".") for prefix in SECTIONS if prefix}
HOLDERS |= {
    "password.example",
    "outcome.KIND.generate",
    "outcome.KIND.statement.returns",
    "outcome.KIND.statement.generate",
}
HOLDERS -= {"outcome.KIND.statement.expect"}  # may be a number as well

# What is changed in the example, and the sentence of the guide that answers it.
REFUSED = [
    ('title = "Harbour', 'colour = "Harbour', "colour"),
    ('accounts = "member"', 'accounts = "members"', "accounts"),
    ('label = "mail"', 'label = "pass"', "table.member"),
    ('secret = ["pass", "otp_seed"]', 'secret = ["otp_seed"]', "password.column"),
    ('tables = ["token"]', "tables = []", "outcome.reset.statement 2.sql"),
    ("NOT s.pass_is_set", "m.pass IS NULL", "owners.sql"),
    ("m.full_name AS name,", "", "owners.sql"),
    ("WHERE member_no = %(key)s AND status <> 'left'", "", "outcome.reset.statement 1.sql"),
    ("SET pass = %(password_hash)s", "SET pass = '%(password_hash)s'", "outcome.reset.statement 1.sql"),
    ("%(code)s", "%(token)s", "outcome.create.statement 1.sql"),
    ('"text16"', '"dice"', "outcome.create.generate.code"),
    ("RETURNING member_no\n", "", "outcome.create.statement 1.sql"),
    ('repair = "nobody', '# repair = "nobody', "outcome.enable.statement 2.sql"),
    ("UPDATE company SET frozen_since = NULL", "TRUNCATE company --", "outcome.enable.statement 2.sql"),
    ("%(before_pass)s", "%(before_seen_at)s", "outcome.restore.statement 1.sql"),
    ("m.mail AS login", "mail AS login", "owners.sql"),
    ("'active' AS enabled", "'active' AND EXISTS (SELECT 1 FROM lobby) AS enabled", "owners.sql"),
    ("[outcome.disable]", "[outcome.unused]", "outcome.unused"),
    ("m.status = 'active' AS enabled", "pg_sleep(9) IS NULL AS enabled", "owners.sql"),
    ('when = "SELECT c.frozen_since IS NOT', 'when = "SELECT %(incident)s IS NOT', "outcome.enable.statement 2.when"),
    ('name = "make the', 'each = { role = ["steward"] }\nname = "make the', "outcome.create.statement 2.each"),
]


def under(heading: str) -> str:
    return GUIDE.split(f"\n### {heading}\n", 1)[1].split("\n#", 1)[0]


def names_under(heading: str) -> set[str]:
    """What stands as code in the first column of the table below this heading of the guide."""
    cells = re.findall(r"^\|([^|]*)\|", under(heading), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def accepted_in(path: tuple[str | int, ...]) -> set[str]:
    """The keys that the loader itself names when a key of this section is unknown."""
    content: Any = tomllib.loads(TEXT)
    section: Any = content
    for step in path:
        section = section[step]
    section["unheard_of"] = 1
    with pytest.raises(ProfileRefused) as caught:
        profiles.parse(Section(copy.deepcopy(content), "mine.toml", "", ProfileRefused), name="mine", raw=b"")
    assert caught.value.facts["key"].endswith("unheard_of")
    return set(caught.value.facts["reason"].partition("known are ")[2].split(", "))


def refusal_of(folder: Path, old: str, new: str) -> ProfileRefused:
    path = folder / "mine.toml"
    assert old in TEXT
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(ProfileRefused) as caught:
        profiles.load(str(path))
    return caught.value


def test_example_is_a_profile() -> None:
    profile = profiles.load(str(EXAMPLE))

    assert profile.name == "example-profile"
    assert set(profile.outcomes) == {"create", "reset", "enable", "disable", "restore"}


def test_guide_leads_to_the_example() -> None:
    assert "](example-profile.toml)" in GUIDE


def test_script_for_the_dba_gives_the_reset_what_it_needs_and_no_more() -> None:
    script = grants.script(profiles.load(str(EXAMPLE)), database="harbour")

    role = grants.capability("reset", "harbour")
    assert f'GRANT UPDATE ("changed_at", "pass", "wrong_tries") ON "harbour"."member" TO "{role}";' in script
    assert f'GRANT DELETE ON "harbour"."token" TO "{role}";' in script
    assert f'ON "harbour"."company" TO "{role}"' not in script


def test_reference_table_names_every_key_that_the_loader_accepts_and_no_other() -> None:
    accepted = {f"{prefix}{key}" for prefix, path in SECTIONS.items() for key in accepted_in(path)}
    accepted |= {f"password.example.{name}" for name in (*INGREDIENTS, "hash")}

    documented = names_under("Keys")

    assert documented - FREE == accepted - HOLDERS
    assert documented >= FREE


@pytest.mark.parametrize(
    ("heading", "known"),
    [
        ("Inputs", set(INPUTS)),
        ("Generators", set(GENERATORS)),
        ("Blockers", {*STOPS, *NOTES}),
        ("Password forms", {family.name for family in FAMILIES}),
    ],
)
def test_closed_lists_of_the_guide_are_complete(heading: str, known: set[str]) -> None:
    assert names_under(heading) == known


def test_password_forms_of_the_guide_begin_as_it_says() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)`", under("Password forms"), re.MULTILINE)

    assert [passwords.describe(beginning).name for _form, beginning in rows] == [form for form, _beginning in rows]
    assert len(rows) == len(FAMILIES)


@pytest.mark.parametrize(("old", "new", "key"), REFUSED)
def test_refusal_is_the_sentence_of_the_guide(tmp_path: Path, old: str, new: str, key: str) -> None:
    refusal = refusal_of(tmp_path, old, new)

    assert refusal.facts["key"] == key
    assert f"| `{key}`: {refusal.facts['reason']}. |" in GUIDE


def test_guide_shows_no_sentence_that_nobody_has_seen(tmp_path: Path) -> None:
    refusals = [refusal_of(tmp_path, old, new) for old, new, _key in REFUSED]

    shown = re.findall(r"^\| `([^`]+)`: (.+?)\. \|", under("Sentences"), re.MULTILINE)

    assert set(shown) == {(refusal.facts["key"], refusal.facts["reason"]) for refusal in refusals}


@pytest.fixture
def harbour(console: str, platform_server: Cluster, settings: Settings, tmp_path: Path) -> Iterator[Stage]:
    """The example's database, made from the guide's own SQL, with the doors for the example's profile."""
    dbname = f"harbour_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with acme.alone(RUN):
        with platform_server.connect() as connection:
            databases.create(connection, dbname)
            databases.admit(connection, dbname, READER, BROKER)
        with platform_server.connect(dbname) as connection, connection.transaction():
            connection.execute(SCHEMA)
            connection.execute(PEOPLE)
    file = platform_file.write(
        tmp_path, platform_server, dbname, acme.LOGINS, sign_in_url="http://127.0.0.1:1/", log=tmp_path / "log"
    )
    file.write_text(file.read_text().replace('profile = "saas"', f'profile = "{EXAMPLE}"'))
    settings.PLATFORMS_FILE = file
    with acme.alone(RUN):
        place = furnish(acme.Acme(platform_server, dbname, file))
    yield Stage(place, console)
    acme.forget(RUN, platform_server, dbname)


def planned(stage: Stage, outcome: str, key: str = "", login: str = "") -> plans.PlanDocument:
    order = {"beneficiary": WHO, "incident": "BG-2026-0001", "window_minutes": 30}
    person = {"login": login, "display_name": "New Owner"} if outcome == "create" else {"target_key": key, "login": key}
    return plans.build(stage.place.platform, outcome=outcome, **order, **person)


def member(stage: Stage, mail: str) -> dict[str, Any]:
    return stage.place.acme.rows("SELECT * FROM harbour.member WHERE mail = %s", mail)[0]


def test_example_is_ready_after_the_script(harbour: Stage) -> None:
    found = readiness.look(harbour.place.platform)

    assert found.missing == ()
    assert any("restart the service harbour-web" in note for note in found.notes)


def test_example_finds_its_owners_and_their_blockers(harbour: Stage) -> None:
    report = diagnosis.read(harbour.place.platform)

    assert {owner.key: owner.stops for owner in report.owners} == {OLIVE: {"locked"}, BRUNO: {"disabled"}}
    assert report.recommended == "enable"


def test_example_forecasts_what_a_reset_does_not_cure(harbour: Stage) -> None:
    found = diagnosis.forecast(harbour.place.platform, outcome="reset", target_key=BRUNO)

    assert [blocker.kind for blocker in found] == ["disabled"]


def test_example_resets_as_the_row_was_hashed_and_restores(harbour: Stage) -> None:
    old = member(harbour, "olive@harbour.example")["pass"]

    run = harbour.carry_out(planned(harbour, "reset", OLIVE))

    assert (run.state, run.reason) == (RunState.COMMITTED, "")
    new = member(harbour, "olive@harbour.example")["pass"]
    assert new.startswith("$2y$04$")
    assert bcrypt.checkpw(PASSWORD.encode(), new.encode())
    assert [row["token"] for row in harbour.place.acme.rows("SELECT token FROM harbour.token")] == ["t-2"]
    undo = harbour.carry_out(rollback.restore_document(run))
    assert (undo.state, undo.reason) == (RunState.COMMITTED, "")
    assert member(harbour, "olive@harbour.example")["pass"] == old


def test_example_creates_a_steward_and_disables_it_again(harbour: Stage) -> None:
    run = harbour.carry_out(planned(harbour, "create", login="new@harbour.example"))

    assert (run.state, run.reason) == (RunState.COMMITTED, "")
    row = member(harbour, "new@harbour.example")
    assert (row["status"], len(row["public_code"])) == ("active", 16)
    assert diagnosis.read(harbour.place.platform).owner(str(row["member_no"])).is_healthy
    undo = harbour.carry_out(rollback.disable_document(run))
    assert (undo.state, undo.reason) == (RunState.COMMITTED, "")
    assert member(harbour, "new@harbour.example")["status"] == "blocked"


@pytest.mark.parametrize("is_frozen", [False, True])
def test_example_enables_and_thaws_the_house_only_when_it_is_frozen(harbour: Stage, is_frozen: bool) -> None:
    if is_frozen:
        harbour.place.acme.rows("UPDATE harbour.company SET frozen_since = now() RETURNING company_no")

    document = planned(harbour, "enable", BRUNO)
    run = harbour.carry_out(document)

    assert len(document.statements) == 1 + is_frozen
    assert (run.state, run.reason) == (RunState.COMMITTED, "")
    assert member(harbour, "bruno@harbour.example")["status"] == "active"
    frozen = harbour.place.acme.rows("SELECT code FROM harbour.company WHERE frozen_since IS NOT NULL")
    assert [row["code"] for row in frozen] == (["C1"] if is_frozen else [])
    undo = harbour.carry_out(rollback.restore_document(run))
    assert (undo.state, undo.reason) == (RunState.COMMITTED, "")


def test_example_sees_the_sign_in_and_the_audit_log(harbour: Stage) -> None:
    start = clock.now()
    run = harbour.carry_out(planned(harbour, "reset", OLIVE))
    harbour.place.acme.rows(
        "UPDATE harbour.member SET seen_at = clock_timestamp() WHERE member_no = 101 RETURNING mail"
    )
    harbour.place.acme.rows("INSERT INTO harbour.event (who, what) VALUES ('olive', 'sign-in') RETURNING event_no")

    run.refresh_from_db()
    lines = audit_rows.lines(harbour.place.platform, since=start, until=start + timedelta(minutes=5))

    assert "the last sign-in of olive" in proof.seen(harbour.place.platform, run)
    assert b"sign-in" in lines
