"""The parts of the set-up script for a platform without doors: the role that the DBA opens by hand, or the reader alone. Pure SQL."""

from collections.abc import Iterator

from ..language.columns import quoted
from ..language.rights import BROKER, DOOR_OWNER, READER, premade

HEADER = """\
-- Set-up of the break-glass console for the database {database}, profile {profile} (SHA-256 {digest}), access = {mode}.
-- Run it with psql as the database administrator:  psql -d {database} -f THIS_FILE
-- It may be run again at any time, but not while a break-glass window is open: it closes the temporary login.
-- psql asks for one password, that of the login that reads; none stands here. {what}
\\set ON_ERROR_STOP on
"""
WHAT = {
    "premade": "It makes no doors: the login {role} stays closed until you open it by a statement that the console prints.",
    "paper": "It gives no right to change anything: every change is a script that you run yourself.",
}
FOOTER = """
-- The one standing login. psql sends a SCRAM verifier, never the password itself.
SET password_encryption = 'scram-sha-256';
\\echo 'Password for the login that reads:'
\\password {reader}
\\echo 'Done. Look at it from the console: manage.py platform check {platform}'
"""
# Closed, whatever it was before; what it may do, it may do only while it is a member of a capability role.
CLOSED = """\
ALTER ROLE {role} NOLOGIN INHERIT PASSWORD NULL CONNECTION LIMIT 0;
ALTER ROLE {role} SET statement_timeout = '10s';
ALTER ROLE {role} SET lock_timeout = '3s';
ALTER ROLE {role} SET idle_in_transaction_session_timeout = '20s';
ALTER ROLE {role} SET synchronous_commit = on;
DO $$
DECLARE
    held record;
BEGIN
    FOR held IN SELECT c.rolname FROM pg_auth_members m JOIN pg_roles c ON c.oid = m.roleid
                  JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = {name} LOOP
        EXECUTE format('REVOKE %I FROM %I', held.rolname, {name});
    END LOOP;
END $$;
"""
# Where doors were set up before: nobody may call them any more, and their owner can give nothing away.
SHUT_DOORS = """\
DO $$
DECLARE
    held record;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{broker}') THEN
        REVOKE ALL ON ALL FUNCTIONS IN SCHEMA breakglass FROM {broker};
    END IF;
    FOR held IN SELECT c.rolname FROM pg_auth_members m JOIN pg_roles c ON c.oid = m.roleid
                  JOIN pg_roles r ON r.oid = m.member
                 WHERE r.rolname = '{owner}' AND c.rolname LIKE 'breakglass\\_cap\\_%\\_' || {database_hash} LOOP
        EXECUTE format('REVOKE %I FROM {owner}', held.rolname);
    END LOOP;
END $$;
"""


def header(mode: str, **facts: str) -> str:
    what = WHAT[mode].format(role=premade(facts["database"]))
    return HEADER.format(mode=mode, what=what, **facts)


def footer(**facts: str) -> str:
    return FOOTER.format(reader=READER, **facts)


def closed_role(database: str) -> str:
    """The pre-made login made harmless: no login, no password, no membership."""
    role = premade(database)
    return CLOSED.format(role=quoted(role), name=f"'{role}'")


def shut_doors(database: str) -> Iterator[str]:
    name = premade(database)
    yield SHUT_DOORS.format(broker=BROKER, owner=DOOR_OWNER, database_hash=f"'{name.rpartition('_')[2]}'")
