"""Acme without doors: its DBA opens and closes a login by printed statements, or runs scripts on paper with the real psql."""

import subprocess

from audit import clock
from breakglass.practice import place
from breakglass.procedure import accesses, waiting
from breakglass.procedure.models import Incident
from recovery import platforms
from recovery.doors import grants, openings, premade
from recovery.doors.access import Login
from recovery.doors.premade import Statements
from recovery.models import Access, Run, SealKey
from tests import cast, keepers
from tests.acme import Acme


def without_doors(acme: Acme, mode: str) -> Acme:
    """The platform file says `mode` and names no broker, and the DBA has run the set-up script for it."""
    text = acme.file.read_text().replace('broker_file = "acme-broker"\n', f'access = "{mode}"\n')
    acme.file.write_text(text)
    with acme.connect() as dba:
        grants.install(dba, platforms.get(acme.name).profile, mode=mode)
    return acme


def prepare(incident: Incident) -> Run:
    """The requester presses "Prepare the access", with a keeper that serves."""
    by = incident.requester_account
    with keepers.running():
        return accesses.prepare(incident, by=by, code=cast.code_for(by))


def access_of(incident: Incident) -> Access:
    return openings.agreed(waiting.executions(incident).get().run)


def statements(access: Access) -> Statements:
    return premade.statements(Access.objects.select_related("run").get(pk=access.pk))


def run_as_dba(acme: Acme, text: str) -> None:
    """One line, as the DBA types it into psql."""
    done = psql(acme, "-c", text)
    assert done.returncode == 0, done.stderr


def opened(acme: Acme, incident: Incident) -> Access:
    """The access is prepared, the DBA has opened it, and the console has seen it open."""
    prepare(incident)
    run_as_dba(acme, statements(access_of(incident)).open)
    return accesses.verify(incident, by=incident.requester_account)


def psql(acme: Acme, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The DBA's psql on the bastion."""
    command = [str(place.binaries() / "psql"), "-X", "-v", "ON_ERROR_STOP=1", acme.cluster.superuser_url(acme.dbname)]
    return subprocess.run([*command, *arguments], check=False, capture_output=True, text=True, **place.run_as())


def run_script(acme: Acme, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script as the DBA runs it. Nothing but the script itself says where psql stops."""
    command = [str(place.binaries() / "psql"), "-X", *arguments, "-f", "-", acme.cluster.superuser_url(acme.dbname)]
    return subprocess.run(command, input=text, check=False, capture_output=True, text=True, **place.run_as())


def login(access: Access) -> Login:
    """The login with its password, as every process of the console derives it."""
    return premade.login_of(access.pk, database_name=access.run.database_name)


def lose_seal_key(incident: Incident) -> None:
    """What a crash of the console's server does to an unlogged table."""
    SealKey.objects.filter(incident=incident.reference).update(key=b"", wiped_at=clock.now())
