"""A login role that the DBA made beforehand: the console prints how to open and close it, and only ever verifies.

Its password follows from the console's secret and the access id: it is stored nowhere, and stands in no statement.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext as _

from .. import database
from ..language import rights
from ..language.columns import quoted
from ..models import Access, Run
from ..planning.documents import PlanDocument
from ..platform_refusals import PlatformLoginRefused
from ..platforms import Platform
from ..refusals import AccessNotClosed, AccessNotOpenAsAsked, PremadeNotClosed
from . import access, premade_role
from .access import Login

SESSIONS = 3  # the run's, one that is just ending, and before PostgreSQL 17 one that flushes the log beside the run


@dataclass(frozen=True, slots=True)
class Statements:
    """What the DBA runs, each on one line. words: the plan's words, to compare by voice; until: the end that stands in it."""

    open: str
    close: str
    role: str
    capability: str
    words: str
    until: datetime


def login_of(access_id: UUID, *, database_name: str) -> Login:
    """The login of one access; the same answer in every process that has the console's SECRET_KEY."""
    password = base64.urlsafe_b64encode(_derived("password", access_id)).decode()
    verifier = access.scram_verifier(password, salt=_derived("salt", access_id)[:16])
    return Login(access_id, password, verifier, name=rights.premade(database_name))


def statements(row: Access) -> Statements:
    """The two statements for one access, from its record alone."""
    run = row.run
    role, may = quoted(row.role_name), rights.capability(run.kind, run.database_name)
    login = login_of(row.pk, database_name=run.database_name)
    until = row.until.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S+00")
    opening = (
        f"ALTER ROLE {role} LOGIN CONNECTION LIMIT {SESSIONS} VALID UNTIL '{until}' PASSWORD '{login.verifier}'; "
        f"GRANT {quoted(may)} TO {role};"
    )
    closing = (
        f"ALTER ROLE {role} NOLOGIN PASSWORD NULL CONNECTION LIMIT 0; "
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{row.role_name}'; "
        f"REVOKE {quoted(may)} FROM {role};"
    )
    return Statements(opening, closing, row.role_name, may, PlanDocument(run.content).words, row.until)


def require_closed(platform: Platform, *, database_name: str) -> None:
    """Before an access is prepared: the role is there, harmless and closed. Raises PremadeNotClosed, kinds of PlatformRefused."""
    role = rights.premade(database_name)
    with database.reading(platform, platform.profile) as session:
        found = premade_role.look(session, role)
    faults = premade_role.faults_when_closed(found)
    if faults:
        raise PremadeNotClosed(role=role, why="; ".join(faults))


def verify(platform: Platform, row: Access) -> Login:
    """The login of this access, if the DBA has opened the role exactly as asked: by the catalog, and by signing in.

    Raises:
        AccessNotOpenAsAsked: it is closed, or it is open with other rights or for longer; it names what.
        PlatformRefused: the platform cannot be asked.
    """
    run = row.run
    login = login_of(row.pk, database_name=run.database_name)
    with database.reading(platform, platform.profile) as session:
        found = premade_role.look(session, login.role)
    asked = premade_role.Asked(rights.capability(run.kind, run.database_name), row.until, SESSIONS)
    faults = premade_role.faults_when_open(found, asked)
    if faults:
        raise AccessNotOpenAsAsked(role=login.role, why="; ".join(faults))
    _sign_in(platform, login, run)
    return login


def _sign_in(platform: Platform, login: Login, run: Run) -> None:
    try:
        with access.connect(platform, login) as session:
            database.require_primary(session, system_identifier=run.system_identifier, database_name=run.database_name)
    except PlatformLoginRefused as refused:
        why = _("the console's login is refused ({message}): the password that stands in the statement is another one")
        raise AccessNotOpenAsAsked(role=login.role, why=why.format(message=refused.facts["message"])) from refused


def prove(platform: Platform, row: Access) -> dict[str, Any]:
    """The platform's own words that the role is closed: no login, no right, no session, and a sign-in that was refused.

    The answer holds only JSON values. Raises AccessNotClosed with what the DBA has to run, or kinds of PlatformRefused.
    """
    login = login_of(row.pk, database_name=row.run.database_name)
    with database.reading(platform, platform.profile) as session:
        found = premade_role.look(session, login.role)
        at = database.identity(session).clock
    faults = premade_role.faults_when_closed(found)
    if faults:
        raise AccessNotClosed(role=login.role, why="; ".join(faults), statement=_closing(row, found))
    return {
        "role": login.role,
        "role_exists": found.exists,
        "may_log_in": found.may_log_in,
        "memberships": sorted(found.memberships),
        "sessions": found.sessions,
        "prepared_transactions": found.prepared,
        "login_tried_with_its_password": True,
        "login_refused": _refused_login(platform, row, login),
        "platform_clock": at.isoformat(),
    }


def _closing(row: Access, found: premade_role.Found) -> str:
    """The closing statement, with whatever else the role holds by now."""
    asked = statements(row)
    more = sorted(found.memberships - {asked.capability})
    return " ".join([asked.close, *(f"REVOKE {quoted(name)} FROM {quoted(asked.role)};" for name in more)])


def _refused_login(platform: Platform, row: Access, login: Login) -> str:
    try:
        with access.connect(platform, login):
            raise AccessNotClosed(role=login.role, why=_("a login was let in"), statement=statements(row).close)
    except PlatformLoginRefused as refusal:
        return str(refusal.facts["message"])


def _derived(purpose: str, access_id: UUID) -> bytes:
    derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"breakglass pre-made login")
    return hmac.digest(
        derivation.derive(settings.SECRET_KEY.encode()), f"{purpose}:{access_id}".encode(), hashlib.sha256
    )
