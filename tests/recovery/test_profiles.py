"""What a profile file may say, and which sentence names the file, the key and the reason when it may not."""

import hashlib
from pathlib import Path

import pytest

from recovery.language import profiles
from recovery.language.columns import Column, Table
from recovery.language.profile import SHIPPED, Expect, blocker
from recovery.refusals import ProfileRefused

SAAS = (SHIPPED / "saas.toml").read_text()
ADMINUSER = Table("public", "adminuser")
ENABLE = """WHERE id = %(key)s AND deleted_at IS NULL
\"\"\"
expect = 1

# Disable now"""


def load(tmp_path: Path, text: str) -> profiles.Profile:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return profiles.load(str(path))


def changed(old: str, new: str, *, count: int = 1) -> str:
    assert old in SAAS
    return SAAS.replace(old, new, count)


def test_shipped_profile_says_who_it_is() -> None:
    profile = profiles.load("saas")

    assert profile.name == "saas"
    assert profile.digest == hashlib.sha256(profile.text.encode()).hexdigest()
    assert set(profile.outcomes) == {"create", "reset", "enable", "disable", "restore"}


def test_statement_that_runs_is_the_files_own_text() -> None:
    profile = profiles.load("saas")

    for outcome in profile.outcomes.values():
        for statement in outcome.statements:
            assert statement.sql in SAAS


def test_write_set_follows_from_the_statements() -> None:
    profile = profiles.load("saas")

    written = {column.name for column in profile.outcomes["enable"].writes}

    assert written == {"is_active", "disabled_at", "disabled_by", "failed_logins", "last_failed_at", "updated_at"}


def test_image_holds_what_is_written_read_and_shown() -> None:
    columns = profiles.load("saas").image_columns("enable", ADMINUSER)

    assert {"id", "email", "is_active", "disabled_by", "deleted_at"} <= set(columns)
    assert "password_hash" not in columns


def test_counters_that_anybody_can_move_are_volatile() -> None:
    outcome = profiles.load("saas").outcomes["reset"]

    assert Column(ADMINUSER, "failed_logins") in outcome.volatile
    assert Column(ADMINUSER, "password_hash") not in outcome.volatile


def test_restore_only_undoes_the_outcome_that_ran() -> None:
    restore = profiles.load("saas").outcomes["restore"]

    assert [statement.undoes for statement in restore.undoing("reset")] == ["reset"]


def test_expected_rows_may_be_a_range() -> None:
    sessions = profiles.load("saas").outcomes["reset"].statements[1]

    assert sessions.expect == Expect(0, 1000)
    assert not sessions.expect.holds(1001)


@pytest.mark.parametrize(
    ("text", "kind", "is_stop"),
    [
        ("disabled: on Monday by lee@acme.example", "disabled", True),
        ("second_factor: a code is asked for", "second_factor", False),
        ("must_change: at the next sign-in", "must_change", False),
        ("melted: entirely", "other", True),
        ("no colon at all", "other", True),
    ],
)
def test_blocker_is_a_stop_unless_its_owner_can_still_get_in(text: str, kind: str, is_stop: bool) -> None:
    found = blocker(text)

    assert (found.kind, found.is_stop) == (kind, is_stop)
    assert found.sentence


REFUSED = [
    ('title = "SaaS', 'color = "SaaS', "color", "not known"),
    ('accounts = "adminuser"', 'accounts = "users"', "accounts", "no section for public.users"),
    ('accounts = "adminuser"', 'accounts = "a.b.c"', "accounts", "not written as table"),
    ('key = ["id"]', "key = []", "table.adminuser.key", "at least one"),
    ('key = ["id"]', 'key = "id"', "table.adminuser.key", "a list of texts"),
    ('key = ["id"]', 'key = ["id", "id"]', "table.adminuser.key", "stands twice"),
    ('label = "email"', 'label = "password_hash"', "table.adminuser", "secret and cannot be shown"),
    ('secret = ["password_hash", "totp_secret"]', 'secret = ["totp_secret"]', "password.column", "listed as secret"),
    ('tables = ["session"]', 'tables = ["session", "tenant"]', "delete.tables", "never deleted"),
    ('tables = ["session"]', "tables = []", "outcome.reset.statement 2.sql", "not listed under"),
    ('scheme = "row"', 'scheme = "md5"', "password.scheme", "one of row, default"),
    ("AS prefix", "AS beginning", "password.current", "its columns must be prefix"),
    ("u.display_name AS name,", "", "owners.sql", "its columns must be id"),
    (
        "NOT s.password_hash_is_set THEN",
        "u.password_hash IS NULL THEN",
        "sql",
        "secret column public.adminuser.password_hash",
    ),
    ("breakglass.adminuser_secrets AS s ON", "breakglass.access AS s ON", "sql", "no view"),
    ("%(outcome)s = 'reset'", "%(result)s = 'reset'", "forecast.sql", "the parameter result is not known"),
    ("expect = 1", "", "outcome.create.statement 1.expect", "missing"),
    ("expect = 1", "expect = 0", "outcome.create.statement 1.expect", "between 0 and"),
    ("expect = 1", "expect = 2", "outcome.create.statement 1.expect", "an INSERT expects exactly 1"),
    ("expect = 1", "expect = true", "outcome.create.statement 1.expect", "a whole number"),
    ("RETURNING id", "", "outcome.create.statement 1.sql", "must say RETURNING id"),
    ('returns = { new_id = "id" }', 'returns = { new_id = "uid" }', "returns.new_id", "not in RETURNING"),
    (
        'inputs = ["email", "name", "password_hash"]',
        'inputs = ["email", "name"]',
        "outcome.create",
        "the parameter password_hash",
    ),
    (
        'inputs = ["email", "name", "password_hash"]',
        'inputs = ["color"]',
        "outcome.create.inputs",
        "color is not known",
    ),
    ('inputs = ["key", "password_hash"]', 'inputs = ["password_hash"]', "outcome.reset.inputs", "key is missing"),
    ("[outcome.enable]", "[outcome.promote]", "outcome.promote", "not known"),
    ('undoes = "enable"', 'undoes = "reset"', "outcome.restore.statement 2.sql", "no image of the undone outcome"),
    ('undoes = "enable"', "", "outcome.restore.statement 2.sql", "no image of the undone outcome"),
    ('name = "disable the account as it was"', 'name = "put the old password back"', "statement 2.name", "same name"),
    (
        ENABLE,
        ENABLE.replace("AND deleted_at", "AND password_hash"),
        "outcome.enable.statement 1.sql",
        "reads the secret column",
    ),
    (
        ENABLE,
        ENABLE.replace("WHERE id = %(key)s AND deleted_at IS NULL", ""),
        "outcome.enable.statement 1.sql",
        "WHERE is missing",
    ),
]


@pytest.mark.parametrize(("old", "new", "key", "reason"), REFUSED)
def test_malformed_profile_is_refused_by_key_and_reason(
    tmp_path: Path, old: str, new: str, key: str, reason: str
) -> None:
    with pytest.raises(ProfileRefused) as caught:
        load(tmp_path, changed(old, new))

    assert key in caught.value.facts["key"]
    assert reason in caught.value.facts["reason"]
    assert caught.value.facts["file"].endswith("mine.toml")


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        (
            'system = "is_system"',
            'system = "true); DELETE FROM tenant; SELECT (1"',
            "tenant.system",
            "exactly one statement",
        ),
        ('system = "is_system"', "system = \"setval('s', 1) > 0\"", "tenant.system", "does more than compute"),
        ('system = "is_system"', 'system = "id = %(key)s OR \\u0000"', "tenant.system", "NUL"),
        ('table = "tenant"', f'table = "{"t" * 64}"', "tenant.table", "no name that PostgreSQL keeps"),
        ('shows = ["expires_at"]', f'shows = ["{"é" * 32}"]', "table.session", "no name that PostgreSQL keeps"),
        (
            'volatile = ["failed_logins"',
            'volatile = ["failed\\u0000logins"',
            "table.adminuser",
            "no name that PostgreSQL",
        ),
        ('system = "is_system"', 'system = "id = %(key)s"', "tenant.system", "without parameters"),
    ],
)
def test_hostile_text_outside_of_the_statements_is_refused(
    tmp_path: Path, old: str, new: str, key: str, reason: str
) -> None:
    with pytest.raises(ProfileRefused) as caught:
        load(tmp_path, changed(old, new))

    assert caught.value.facts["key"] == key
    assert reason in caught.value.facts["reason"]


def with_enable(sql: str, extra: str = "") -> str:
    steps = f'\n[[outcome.enable.statement]]\nname = "another"\nsql = "{sql}"\nexpect = 1\n{extra}\n# Disable now'
    return changed("# Disable now", steps)


@pytest.mark.parametrize(
    ("sql", "extra", "reason"),
    [
        ("DROP TABLE adminuser", "", "only INSERT, UPDATE and DELETE"),
        ("UPDATE tenant SET suspended_at = NULL WHERE is_system", "", "only by an UPDATE whose `repair` says why"),
        ("DELETE FROM tenant WHERE id = 1 RETURNING id", "repair = 'tidy'", "only by an UPDATE"),
        ("INSERT INTO tenant (slug) VALUES ('x') RETURNING id", "repair = 'tidy'", "only by an UPDATE"),
        ("DELETE FROM adminuser WHERE id = %(key)s RETURNING id", "", "not listed under"),
        ("DELETE FROM session WHERE adminuser_id = %(key)s", "", "must say RETURNING adminuser_id, created_at"),
        ("UPDATE audit_log SET actor = 'x' WHERE id = 1", "", "no section for public.audit_log"),
        ("UPDATE breakglass.door SET key = NULL WHERE only_one", "", "no section for breakglass.door"),
        ("UPDATE adminuser SET id = 7 WHERE id = %(key)s", "", "the key public.adminuser.id is changed"),
        ("UPDATE adminuser SET email = %(before_email)s WHERE id = %(key)s", "", "the parameter before_email"),
        ("UPDATE adminuser SET email = 'x' WHERE id = %(key)s", "undoes = 'reset'", "only in a restore"),
        (
            "UPDATE adminuser SET email = 'x' WHERE id = %(key)s RETURNING id, totp_secret",
            "",
            "reads the secret column",
        ),
    ],
)
def test_statement_against_the_rules_is_refused(tmp_path: Path, sql: str, extra: str, reason: str) -> None:
    with pytest.raises(ProfileRefused) as caught:
        load(tmp_path, with_enable(sql, extra))

    assert caught.value.facts["key"].startswith("outcome.enable.statement 2")
    assert reason in caught.value.facts["reason"]


def test_declared_repair_may_write_the_tenant(tmp_path: Path) -> None:
    sql = "UPDATE tenant SET suspended_at = NULL WHERE is_system AND suspended_at IS NOT NULL"

    profile = load(tmp_path, with_enable(sql, "repair = 'a suspended system tenant keeps every owner out'"))

    assert Table("public", "tenant") in profile.outcomes["enable"].tables


def test_value_returned_by_one_statement_is_known_to_the_next(tmp_path: Path) -> None:
    follow = """returns = { new_id = "id" }

[[outcome.create.statement]]
name = "note it"
sql = "UPDATE adminuser SET must_change_password = true WHERE id = %(new_id)s"
expect = 1
"""

    profile = load(tmp_path, changed('returns = { new_id = "id" }', follow))

    assert profile.outcomes["create"].statements[1].parsed.parameters == {"new_id"}


def test_generated_values_are_from_the_closed_list(tmp_path: Path) -> None:
    text = changed('inputs = ["key"]', 'inputs = ["key"]\ngenerate = { token = "dice" }')

    with pytest.raises(ProfileRefused, match=r"outcome\.enable\.generate\.token: it must be one of"):
        load(tmp_path, text)


@pytest.mark.parametrize("text", ["= broken", "title = 'a'\ntitle = 'b'"])
def test_file_that_is_no_toml_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProfileRefused, match="no TOML"):
        load(tmp_path, text)


def test_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"title = '\xff'")

    with pytest.raises(ProfileRefused, match="no TOML"):
        profiles.load(str(path))


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileRefused, match="cannot be read"):
        profiles.load(str(tmp_path / "none.toml"))


@pytest.mark.parametrize("name", ["nothing", "../saas", "", "saas\0"])
def test_name_that_is_not_shipped_is_refused(name: str) -> None:
    with pytest.raises(ProfileRefused, match="shipped are .*saas"):
        profiles.load(name)
