"""What the platform file, the set-up script and the readiness say of a platform without doors."""

import psycopg
import pytest

from recovery import platforms, readiness
from recovery.bastion import paper_values, receipts
from recovery.bastion.paper_refusals import NotForPaper
from recovery.doors import access, grants
from recovery.models import Run
from recovery.platform_refusals import RightMissing
from recovery.refusals import ConnectionMissing, PlatformFileBroken
from tests import by_hand
from tests.acme import LOGINS, Acme

pytestmark = pytest.mark.django_db
MODES = ("premade", "paper")


@pytest.fixture
def without_doors(request: pytest.FixtureRequest, console: str, platform: Acme) -> Acme:
    """Acme in one of the modes, after its DBA has run the set-up script."""
    return by_hand.without_doors(platform, request.param)


def role_of(acme: Acme) -> str:
    return grants.premade(acme.dbname)


@pytest.mark.parametrize("mode", MODES)
def test_broker_in_the_platform_file_is_refused_where_it_is_of_no_use(platform, mode):
    text = platform.file.read_text()
    platform.file.write_text(text.replace('profile = "saas"', f'profile = "saas"\naccess = "{mode}"'))

    with pytest.raises(PlatformFileBroken, match="uses no broker"):
        platforms.get("acme")


def test_login_by_hand_needs_a_reader(platform):
    text = platform.file.read_text().replace('broker_file = "acme-broker"\n', 'access = "premade"\n')
    platform.file.write_text(text.replace('reader_file = "acme-reader"\n', ""))

    with pytest.raises(PlatformFileBroken, match="reader"):
        platforms.get("acme")


def test_paper_may_go_without_any_connection_and_says_what_is_missing_then(platform):
    text = platform.file.read_text().replace('broker_file = "acme-broker"\n', 'access = "paper"\n')
    platform.file.write_text(text.replace('reader_file = "acme-reader"\n', ""))

    with pytest.raises(ConnectionMissing, match="access = paper"):
        platforms.get("acme").conninfo("reader")


@pytest.mark.parametrize("without_doors", MODES, indirect=True)
def test_platform_without_doors_is_ready_after_its_set_up(without_doors):
    found = readiness.look(platforms.get("acme"))

    assert found.missing == ()


@pytest.mark.parametrize("without_doors", MODES, indirect=True)
def test_set_up_may_be_run_again(without_doors):
    with without_doors.connect() as dba:
        grants.install(dba, platforms.get("acme").profile, mode=platforms.get("acme").mode)

    assert readiness.look(platforms.get("acme")).is_ready


@pytest.mark.parametrize("without_doors", MODES, indirect=True)
def test_doors_from_before_are_shut(without_doors):
    broker = without_doors.cluster.url("breakglass_broker", LOGINS.broker, without_doors.dbname)

    with psycopg.connect(broker) as stolen, pytest.raises(psycopg.errors.InsufficientPrivilege):
        stolen.execute("SELECT breakglass.reap()")


@pytest.mark.parametrize("without_doors", ["paper"], indirect=True)
def test_reader_on_paper_sees_secrets_as_stamps_only(without_doors):
    with (
        pytest.raises(RightMissing),
        access.database.reading(platforms.get("acme"), platforms.get("acme").profile) as session,
    ):
        session.execute("SELECT password_hash FROM adminuser")


@pytest.mark.parametrize("without_doors", ["premade"], indirect=True)
@pytest.mark.parametrize(
    ("deed", "told"),
    [
        ("ALTER ROLE {role} LOGIN", "may log in"),
        ("GRANT breakglass_reader TO {role}", "rights of breakglass_reader"),
        ("ALTER ROLE {role} CREATEDB", "may do more"),
        ("GRANT SELECT ON tenant TO {role}", "rights of its own"),
    ],
)
def test_login_that_is_not_harmless_while_closed_is_named(without_doors, deed, told):
    by_hand.run_as_dba(without_doors, deed.format(role=role_of(without_doors)))

    found = readiness.look(platforms.get("acme"))

    assert any(told in sentence for sentence in found.missing)
    by_hand.run_as_dba(without_doors, f"DROP OWNED BY {role_of(without_doors)}")


@pytest.mark.parametrize("without_doors", ["premade"], indirect=True)
def test_set_up_closes_a_login_that_was_left_open(without_doors):
    role = role_of(without_doors)
    by_hand.run_as_dba(without_doors, f"ALTER ROLE {role} LOGIN PASSWORD 'x'; GRANT breakglass_reader TO {role}")

    with without_doors.connect() as dba:
        grants.install(dba, platforms.get("acme").profile, mode="premade")

    assert readiness.look(platforms.get("acme")).is_ready


@pytest.mark.parametrize("mode", MODES)
def test_script_runs_in_psql_and_holds_no_broker_and_no_key(platform, mode):
    text = grants.script(platforms.get("acme").profile, database=platform.dbname, mode=mode)

    assert "door_key" not in text
    assert "breakglass_broker:" not in text
    done = by_hand.run_script(platform, text.partition("-- The one standing login")[0])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE t SET a = '\\' WHERE id = %(key)s",
        "UPDATE t SET a = ':name' WHERE id = %(key)s::uuid",
        "UPDATE t SET a = E'it\\'s' WHERE id = %(key)s -- :name \\x",
        "UPDATE t SET a = b[1:2] WHERE id = %(key)s",
        'UPDATE t SET ":name" = $tag$ \\ :name $tag$ WHERE id = %(key)s',
    ],
)
def test_what_stands_in_quotes_is_psqls_to_leave_alone(statement):
    paper_values.check(statement)


@pytest.mark.parametrize("statement", ["UPDATE t SET a = :name", "UPDATE t SET a = b[:n]", "UPDATE t SET a = 1 \\! ls"])
def test_what_psql_would_read_as_its_own_is_not_put_on_paper(statement):
    with pytest.raises(NotForPaper):
        paper_values.check(statement)


@pytest.mark.parametrize("value", ["it's", "a\\b", "%(x)s", ":name", "line\nbreak", "ünï", None, 7, True, "$$"])
def test_values_reach_the_platform_as_they_are(platform, value):
    text = f"SELECT to_jsonb(({paper_values.literal(value)})::text) = to_jsonb(%s::text)"

    with platform.connect() as dba:
        same = dba.execute(text.replace("%(x)s", "%%(x)s"), [str(value).lower() if value is True else value]).fetchone()

    assert same == (None,) if value is None else same == (True,)


def test_receipt_is_bound_to_its_run_by_a_value_that_stands_nowhere():
    one, other = Run(), Run()

    assert receipts.proof_of(one) != receipts.proof_of(other)
    assert receipts.proof_of(one) == receipts.proof_of(one)
