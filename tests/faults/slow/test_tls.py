"""A platform over the network: Debian's PostgreSQL with TLS. Every login of the console checks whom it talks to."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from breakglass.practice import place
from breakglass.practice.cluster import Cluster
from breakglass.practice.platform import BROKER, READER, build, ensure_logins
from recovery import database, readiness
from recovery.doors import access
from recovery.models import RunState
from recovery.platform_refusals import PlatformLoginRefused, PlatformUnreachable
from tests import acme, postgres
from tests.acme import LOGINS, Acme
from tests.faults.slow.certificates import Authority
from tests.recovery.doors import Place, furnish
from tests.recovery.stage import Stage

HOST = "db.acme.test"
ADDRESS = f"127.83.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"  # of this process alone, so that the port is free
RULES = """\
local   all all              scram-sha-256
hostssl all all 127.0.0.0/8  scram-sha-256
"""
ENCRYPTED = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@dataclass(frozen=True)
class Wire:
    """How to reach the server over the network."""

    cluster: Cluster
    trusted: Authority
    stranger: Authority

    def conninfo(self, user: str, password: str, dbname: str, **other: str) -> str:
        standard = {
            "host": HOST,
            "hostaddr": ADDRESS,
            "sslmode": "verify-full",
            "sslrootcert": str(self.trusted.file),
            "channel_binding": "require",
        }
        return make_conninfo(user=user, password=password, dbname=dbname, **(standard | other))

    def present(self, certificate: Path, key: Path) -> None:
        """Let the server show this certificate from now on."""
        with self.cluster.connect() as dba:
            data = Path(dba.execute("SHOW data_directory").fetchall()[0][0])
            for file, name in ((certificate, "server.crt"), (key, "server.key")):
                hand_over(file, data / name)
            dba.execute("ALTER SYSTEM SET ssl = 'on'")
            dba.execute("SELECT pg_reload_conf(), pg_sleep(0.2)")


def hand_over(file: Path, target: Path) -> None:
    shutil.copy(file, target)
    target.chmod(0o600)
    if user := place.os_user():
        os.chown(target, user.pw_uid, user.pw_gid)


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    folder = tmp_path_factory.mktemp("tls")
    cluster = Cluster(folder / "platform", durable=False, binaries=postgres.debian()).start()
    try:
        with cluster.connect() as dba:
            rules = Path(dba.execute("SHOW hba_file").fetchall()[0][0])
            rules.write_text(RULES)
            dba.execute(f"ALTER SYSTEM SET listen_addresses = '{ADDRESS}'")
            ensure_logins(dba, LOGINS)
        cluster.stop()
        made = Wire(cluster.start(), Authority(folder, "trusted"), Authority(folder, "stranger"))
        made.present(*made.trusted.vouch(HOST))
        build(cluster, acme.TEMPLATE, acme.PASSWORDS)
        yield made
    finally:
        cluster.remove()


@pytest.fixture(scope="module")
def platform_server(wire: Wire) -> Cluster:
    return wire.cluster


def point_at(platform: Acme, wire: Wire, **other: str) -> None:
    """Write both connections of the platform file anew."""
    for name, role, password in (("acme-reader", READER, LOGINS.reader), ("acme-broker", BROKER, LOGINS.broker)):
        (platform.file.parent / name).write_text(wire.conninfo(role, password, platform.dbname, **other))


@pytest.fixture
def over_tls(platform: Acme, wire: Wire) -> Place:
    """The platform with its doors, whose file leads over the network."""
    point_at(platform, wire)
    return furnish(platform)


def refusal(platform: Acme, wire: Wire, kind: type[Exception], **other: str) -> str:
    with (
        pytest.raises(kind) as caught,
        database.connect(wire.conninfo(READER, LOGINS.reader, platform.dbname, **other), purpose="read"),
    ):
        pass
    return caught.value.sentence


@pytest.mark.parametrize("login", ["reader", "broker"])
def test_standing_login_is_encrypted(over_tls: Place, login: str) -> None:
    with database.connect(over_tls.platform.conninfo(login), purpose="read") as session:
        assert session.one(ENCRYPTED) == (True, "TLSv1.3")


def test_temporary_login_keeps_encryption_and_checks_of_the_brokers_connection(over_tls: Place) -> None:
    login = over_tls.open()

    with access.connect(over_tls.platform, login) as session:
        assert session.one(ENCRYPTED) == (True, "TLSv1.3")
        asked = session.info.get_parameters()

    assert (asked["sslmode"], asked["channel_binding"]) == ("verify-full", "require")


@pytest.mark.parametrize("outcome", ["create", "reset", "enable"])
def test_whole_run_goes_over_tls(over_tls: Place, console: str, outcome: str) -> None:
    stage = Stage(over_tls, console)

    run = stage.carry_out(stage.plan(outcome))

    assert (run.state, run.reason) == (RunState.COMMITTED, "")
    assert over_tls.roles() == []


def test_proof_is_tried_over_the_same_route(over_tls: Place) -> None:
    login = over_tls.open()
    access.close(over_tls.platform, login.access_id)

    proof = access.prove(over_tls.platform, login.access_id, login=login)

    assert "password authentication failed" in proof["login_refused"]


def test_platform_over_tls_is_ready_without_a_note_on_its_route(over_tls: Place) -> None:
    found = readiness.look(over_tls.platform)

    assert found.missing == ()
    assert not any("sslmode" in note for note in found.notes)


def test_connection_that_checks_nobody_is_noted(over_tls: Place, wire: Wire) -> None:
    point_at(over_tls.acme, wire, sslmode="require", sslrootcert="", channel_binding="prefer")

    found = readiness.look(over_tls.platform)

    assert any("sslmode=verify-full" in note for note in found.notes)


def test_server_of_another_authority_is_refused(platform: Acme, wire: Wire) -> None:
    sentence = refusal(platform, wire, PlatformUnreachable, sslrootcert=str(wire.stranger.file))

    assert "certificate verify failed" in sentence


def test_server_of_another_name_is_refused(platform: Acme, wire: Wire) -> None:
    sentence = refusal(platform, wire, PlatformUnreachable, host="db.other.test")

    assert 'does not match host name "db.other.test"' in sentence


def test_server_whose_certificate_has_ended_is_refused(platform: Acme, wire: Wire) -> None:
    wire.present(*wire.trusted.vouch(HOST, ends_in=-timedelta(days=1)))
    try:
        sentence = refusal(platform, wire, PlatformUnreachable)
    finally:
        wire.present(*wire.trusted.vouch(HOST))

    assert "certificate verify failed" in sentence


def test_plain_connection_is_refused_by_the_server(platform: Acme, wire: Wire) -> None:
    sentence = refusal(platform, wire, PlatformLoginRefused, sslmode="disable", channel_binding="prefer")

    assert "no encryption" in sentence


def test_missing_authority_file_is_said_in_a_sentence(platform: Acme, wire: Wire) -> None:
    sentence = refusal(platform, wire, PlatformUnreachable, sslrootcert="/nowhere/ca.pem")

    assert 'root certificate file "/nowhere/ca.pem" does not exist' in sentence
