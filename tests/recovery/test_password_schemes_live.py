"""Password schemes that other software has, each written to a real row and computed again by hand."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bcrypt
import psycopg
import pytest
from pytest_django.fixtures import Settings

from breakglass.practice.cluster import Cluster
from recovery import platforms, readiness
from recovery.doors import access, grants
from recovery.models import RunState
from recovery.planning import plans, rollback
from recovery.planning.documents import PlanDocument
from recovery.refusals import PasswordRefused, PepperMissing, ProfileRefused, SchemeUnknown
from recovery.run_refusals import SetupMissing
from recovery.running import runs
from tests.breakglass.story import tables_with
from tests.recovery import madeup
from tests.recovery.stage import PASSWORD, WHO, Stage

P, PEPPER = PASSWORD.encode(), "a pepper that nobody may see"
SQL = f"""
CREATE TABLE firm (id int PRIMARY KEY, title text NOT NULL, is_house boolean NOT NULL);
INSERT INTO firm VALUES (1, 'House', true), (2, 'Customer', false);
CREATE TABLE staff (id serial PRIMARY KEY, firm_id int NOT NULL REFERENCES firm, login varchar(60) UNIQUE NOT NULL,
                    full_name text NOT NULL, pass varchar(100), salt varchar(32), active smallint NOT NULL DEFAULT 1);
INSERT INTO staff (firm_id, login, full_name, pass, salt) VALUES
    (1, 'Olive', 'Olive', 'old', 'old'), (1, 'typed', 'Typed', '{{CRYPT}}$2y$04$' || repeat('a', 53), NULL),
    (1, 'blank', 'Blank', NULL, NULL), (1, 'unusable', 'Unusable', '!x', NULL),
    (1, 'odd', 'Odd', '900150983cd24fb0d6963f7d28e17f72', NULL);
CREATE TABLE setting (name text PRIMARY KEY, value text NOT NULL);
INSERT INTO setting VALUES ('pepper', '{PEPPER}'), ('mail_password', 'another secret');
"""
PROFILE = """
title = "A shop"
accounts = "staff"

[table.staff]
key = ["id"]
label = "login"
secret = ["pass", "salt"]

[table.firm]
key = ["id"]

[tenant]
table = "firm"
key = "id"
system = "is_house"

[password]
column = "staff.pass"
PASSWORD_PART

[owners]
sql = '''
SELECT s.id::text AS id, s.login AS login, s.full_name AS name, f.title AS tenant, f.id::text AS tenant_key,
       s.active = 1 AS enabled, f.is_house AS is_owner, NULL::text AS last_sign_in, ARRAY[]::text[] AS blockers
FROM staff AS s JOIN firm AS f ON f.id = s.firm_id
'''

[outcome.create]
inputs = ["login", "name", "password_hash"MORE_INPUTS]

[[outcome.create.statement]]
name = "add"
sql = '''
INSERT INTO staff (firm_id, login, full_name, pass NEW_COLUMN)
SELECT f.id, %(login)s, %(name)s, %(password_hash)s NEW_VALUE FROM firm AS f WHERE f.is_house RETURNING id
'''
expect = 1

[outcome.reset]
inputs = ["key", "password_hash"MORE_INPUTS]

[[outcome.reset.statement]]
name = "set"
sql = "UPDATE staff SET pass = %(password_hash)s SET_SALT WHERE id = %(key)s"
expect = 1

[outcome.enable]
inputs = ["key"]

[[outcome.enable.statement]]
name = "enable"
sql = "UPDATE staff SET active = 1 WHERE id = %(key)s"
expect = 1

[outcome.disable]
inputs = ["key"]

[[outcome.disable.statement]]
name = "disable"
sql = "UPDATE staff SET active = 0 WHERE id = %(key)s"
expect = 1

[outcome.restore]
inputs = ["key"]

[[outcome.restore.statement]]
name = "put the old password back"
undoes = "reset"
sql = "UPDATE staff SET pass = %(before_pass)s OLD_SALT WHERE id = %(key)s"
expect = 1
"""
SALTED = {
    "MORE_INPUTS": ', "salt"',
    "NEW_COLUMN": ", salt",
    "NEW_VALUE": ", %(salt)s",
    "SET_SALT": ", salt = %(salt)s",
    "OLD_SALT": ", salt = %(before_salt)s",
}
CURRENT = 'current = "SELECT v.pass_prefix AS prefix FROM breakglass.staff_secrets AS v WHERE v.id = %(key)s"'
OLIVE, TYPED, BLANK, UNUSABLE, ODD = "12345"


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def declared(formula: str, example: dict[str, str], *more: str) -> str:
    values = "\n".join(f'{name} = "{value}"' for name, value in example.items())
    first = (f'scheme = "declared"\nformula = "{formula}"', *more)
    return "\n".join([*first, "[password.example]", values])


DOUBLE = declared(
    "hex(sha1(salt + hex(sha1(password))))",
    {"password": "tea", "salt": "0badc0de", "hash": sha1(b"0badc0de" + sha1(b"tea").encode())},
    'salt = "hex32"',
)
OLD_BOARD = declared(
    "hex(md5(hex(md5(salt)) + hex(md5(password))))",
    {"password": "tea", "salt": "ab3", "hash": md5(md5(b"ab3").encode() + md5(b"tea").encode())},
    'salt = "text16"',
)
PEPPERED = (
    "bcrypt(base64(hmac(sha256, pepper, password)), 4)",
    {
        "password": "tea",
        "pepper": "p",
        "hash": bcrypt.hashpw(base64.b64encode(hmac.digest(b"p", b"tea", "sha256")), b"$2b$04$" + b"." * 22).decode(),
    },
)
BY_QUERY = declared(*PEPPERED, "pepper = \"SELECT s.value AS pepper FROM setting AS s WHERE s.name = 'pepper'\"")
BY_LOGIN = declared(
    "hex(sha1(lower(login) + password))",
    {"password": "tea", "login": "Omar", "hash": sha1(b"omartea")},
)
Make = Callable[..., Stage]


@pytest.fixture
def make(console: str, platform_server: Cluster, settings: Settings, tmp_path: Path) -> Iterator[Make]:
    """Builds the shop with this [password] section."""
    with madeup.database(platform_server, "shop", sql=SQL) as dbname:

        def built(
            password: str, *, salted: bool = False, words: dict[str, str] | None = None, extra: str = ""
        ) -> Stage:
            profile = PROFILE.replace("PASSWORD_PART", password)
            for word, text in (words or SALTED).items():
                profile = profile.replace(word, text if salted or words else "")
            place = madeup.write_platform(tmp_path, platform_server, dbname, settings, profile=profile, extra=extra)
            return madeup.furnished(place, console)

        yield built


def planned(stage: Stage, outcome: str, key: str = "", login: str = "Olive") -> PlanDocument:
    order = {"beneficiary": WHO, "incident": "BG-2026-0001", "window_minutes": 30}
    person = {"login": "new", "display_name": "New"} if outcome == "create" else {"target_key": key, "login": login}
    return plans.build(stage.place.platform, outcome=outcome, **order, **person)


def row(stage: Stage, login: str) -> dict[str, Any]:
    return stage.place.acme.rows("SELECT * FROM staff WHERE login = %s", login)[0]


def done(stage: Stage, document: PlanDocument) -> None:
    run = stage.carry_out(document)
    assert (run.state, run.reason) == (RunState.COMMITTED, "")


@pytest.mark.parametrize("outcome", ["reset", "create"])
def test_salt_in_a_second_column_goes_into_the_hash(make: Make, outcome: str) -> None:
    stage = make(DOUBLE, salted=True)

    done(stage, planned(stage, outcome, OLIVE))

    found = row(stage, "Olive" if outcome == "reset" else "new")
    assert len(found["salt"]) == 32
    assert found["pass"] == sha1(found["salt"].encode() + sha1(P).encode())


def test_old_hash_goes_back_together_with_its_salt(make: Make) -> None:
    stage = make(DOUBLE, salted=True)
    before = row(stage, "Olive")
    run = stage.carry_out(planned(stage, "reset", OLIVE))

    done(stage, rollback.restore_document(run))

    assert row(stage, "Olive") == before


def test_restore_that_forgets_the_salt_is_no_profile(make: Make) -> None:
    forgetful = {**SALTED, "OLD_SALT": ""}

    with pytest.raises(ProfileRefused, match="public.staff.salt must go back together with the password"):
        make(DOUBLE, words=forgetful)


def test_old_double_hash_is_written_as_the_old_software_does(make: Make) -> None:
    stage = make(OLD_BOARD, salted=True)

    done(stage, planned(stage, "reset", OLIVE))

    found = row(stage, "Olive")
    assert found["pass"] == md5(md5(found["salt"].encode()).encode() + md5(P).encode())


def test_login_is_an_ingredient_as_the_platform_has_it(make: Make) -> None:
    stage = make(BY_LOGIN)

    done(stage, planned(stage, "reset", OLIVE))

    assert row(stage, "Olive")["pass"] == sha1(b"olive" + P)


def test_pepper_comes_from_the_platforms_own_table(make: Make) -> None:
    stage = make(BY_QUERY)

    document = planned(stage, "reset", OLIVE)
    done(stage, document)

    pre = base64.b64encode(hmac.digest(PEPPER.encode(), P, "sha256"))
    assert bcrypt.checkpw(pre, row(stage, "Olive")["pass"].encode())
    assert PEPPER not in document.content
    assert [tables_with(secret) for secret in (PEPPER, PASSWORD)] == [[], []]
    assert readiness.look(stage.place.platform).missing == ()


def test_reader_gets_the_pepper_and_no_other_setting(make: Make) -> None:
    stage = make(BY_QUERY)

    with psycopg.connect(stage.place.platform.conninfo("reader")) as reader:
        pepper = reader.execute("SELECT pepper FROM breakglass.password_pepper").fetchall()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT value FROM setting")

    assert pepper == [(PEPPER,)]


def test_temporary_login_cannot_read_the_pepper(make: Make) -> None:
    stage = make(BY_QUERY)
    login = stage.place.open()

    with stage.place.connect(login) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT pepper FROM breakglass.password_pepper")

    access.close(stage.place.platform, login.access_id)


def test_pepper_that_is_gone_makes_no_plan(make: Make) -> None:
    stage = make(BY_QUERY)
    stage.place.acme.rows("DELETE FROM setting RETURNING name")

    with pytest.raises(PepperMissing, match="exactly one text"):
        planned(stage, "reset", OLIVE)


def test_pepper_comes_from_a_file_of_the_platform_file(make: Make, tmp_path: Path) -> None:
    secret = tmp_path / "pepper"
    secret.touch(mode=0o600)
    secret.write_text(f"{PEPPER}\n")
    stage = make(declared(*PEPPERED), extra='pepper_file = "pepper"')

    done(stage, planned(stage, "create"))

    pre = base64.b64encode(hmac.digest(PEPPER.encode(), P, "sha256"))
    assert bcrypt.checkpw(pre, row(stage, "new")["pass"].encode())


def test_pepper_that_no_place_names_makes_no_plan(make: Make) -> None:
    stage = make(declared(*PEPPERED))

    with pytest.raises(PepperMissing, match="it names none"):
        planned(stage, "reset", OLIVE)
    assert "gives no pepper" in " ".join(readiness.look(platforms.get("acme")).missing)


def test_pepper_comes_from_an_environment_variable(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PEPPER", PEPPER)
    stage = make(declared(*PEPPERED), extra='pepper_env = "SHOP_PEPPER"')

    made = runs.prepare_values(planned(stage, "reset", OLIVE).content, password=PASSWORD)

    assert made.secret["password_hash"].startswith("$2b$04$")


def test_typed_string_keeps_its_type_and_cost(make: Make) -> None:
    stage = make(f'default = "$2b$04$"\n{CURRENT}')

    done(stage, planned(stage, "reset", TYPED))

    written = row(stage, "typed")["pass"]
    assert written.startswith("{CRYPT}$2y$04$")
    assert bcrypt.checkpw(P, written.removeprefix("{CRYPT}").encode())


def test_hash_of_unknown_form_makes_no_plan(make: Make) -> None:
    stage = make(f'default = "$2b$04$"\n{CURRENT}')

    with pytest.raises(SchemeUnknown, match="declare its own"):
        planned(stage, "reset", ODD)


@pytest.mark.parametrize("key", [BLANK, UNUSABLE])
def test_row_without_a_password_gets_the_default(make: Make, key: str) -> None:
    stage = make(f'default = "$2b$04$"\n{CURRENT}')

    document = planned(stage, "reset", key)

    assert document.password is not None
    assert document.password["prefix"] == "$2b$04$"


def test_formula_is_part_of_what_is_approved(make: Make) -> None:
    document = planned(make(DOUBLE, salted=True), "reset", OLIVE)

    assert document.password is not None
    assert document.password["formula"] == "hex(sha1(salt + hex(sha1(password))))"
    assert document.password["salt"] == "hex32"
    assert document.password["longest"] == 100
    [shown] = [change.after for change in document.diff() if change.column == "pass"]
    assert shown == "the hash of the password that the beneficiary types: hex(sha1(salt + hex(sha1(password))))"


def test_hash_that_its_column_would_cut_is_refused_before_anything_is_claimed(make: Make) -> None:
    stage = make('scheme = "default"\ndefault = "$6$"')

    document = planned(stage, "reset", OLIVE)

    with pytest.raises(PasswordRefused, match="the platform's column takes 100"):
        runs.prepare_values(document.content, password=PASSWORD)


def test_salt_that_its_column_would_cut_makes_no_plan(make: Make) -> None:
    stage = make(DOUBLE.replace("hex32", "hex40"), salted=True)

    with pytest.raises(SetupMissing, match="40 characters, its column takes 32"):
        planned(stage, "reset", OLIVE)


def test_pepper_view_belongs_to_a_role_that_nobody_signs_in_as(make: Make) -> None:
    script = grants.script(make(BY_QUERY).place.platform.profile, database="shop")

    assert 'GRANT SELECT ("name", "value") ON "public"."setting" TO breakglass_door_owner;' in script
    assert 'GRANT SELECT ON "breakglass"."password_pepper" TO breakglass_reader;' in script
    assert script.count('"value"') == 1
