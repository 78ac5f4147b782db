"""Our own PostgreSQL manager: what it survives, and that nobody else gets in."""

import os
import signal
import time
from pathlib import Path

import psycopg
import pytest

from breakglass.practice import place
from breakglass.practice.cluster import Cluster


@pytest.fixture
def cluster(tmp_path):
    cluster = Cluster(tmp_path / "cluster", durable=False).start()
    yield cluster
    cluster.remove()


def postmaster(cluster: Cluster) -> int:
    return int((cluster.log_file.parent / "data" / "postmaster.pid").read_text().split()[0])


def answer(cluster: Cluster, statement: str) -> str:
    with cluster.connect() as connection:
        return str(connection.execute(statement).fetchall()[0][0])


def test_server_listens_on_a_private_socket_only(cluster):
    folder = Path(answer(cluster, "SHOW unix_socket_directories"))

    assert answer(cluster, "SHOW listen_addresses") == ""
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(os.fsencode(folder)) <= place.LONGEST_SOCKET_FOLDER


def test_server_asks_everybody_for_a_password(cluster):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(cluster.url("postgres", "wrong", "postgres"))

    assert answer(cluster, "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules") == "scram-sha-256"


def test_superuser_password_is_readable_by_its_owner_alone(cluster):
    assert (cluster.root / "password").stat().st_mode & 0o777 == 0o600


def test_server_orders_text_the_same_everywhere(cluster):
    assert answer(cluster, "SELECT datlocale FROM pg_database WHERE datname = 'template1'") == "C.UTF-8"


def test_server_starts_again_after_kill_9(cluster):
    os.kill(postmaster(cluster), signal.SIGKILL)
    while cluster.running():
        time.sleep(0.05)

    cluster.start()

    assert answer(cluster, "SELECT 1") == "1"


def test_server_starts_although_its_old_number_belongs_to_somebody_else(cluster):
    cluster.stop()
    (cluster.log_file.parent / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")

    cluster.start()

    assert postmaster(cluster) != os.getpid()


def test_second_start_finds_the_running_server(cluster):
    before = postmaster(cluster)

    Cluster(cluster.root, durable=False).start()

    assert postmaster(cluster) == before


def test_initdb_that_was_killed_half_way_begins_again(tmp_path):
    cluster = Cluster(tmp_path / "cluster", durable=False)
    place.own_folder(cluster.log_file.parent / "data")

    cluster.start()

    assert answer(cluster, "SELECT 1") == "1"
    cluster.remove()


def test_long_path_gets_a_short_socket(tmp_path):
    cluster = Cluster(tmp_path / ("x" * 100), durable=False).start()

    assert answer(cluster, "SELECT 1") == "1"
    cluster.remove()


def test_folder_that_somebody_else_made_is_refused(tmp_path):
    folder = tmp_path / "taken"
    folder.symlink_to("/")

    with pytest.raises(PermissionError, match="belongs to somebody else"):
        place.own_folder(folder)


def test_removed_cluster_leaves_nothing(tmp_path):
    cluster = Cluster(tmp_path / "cluster", durable=False).start()
    folder = cluster.log_file.parent

    cluster.remove()

    assert not cluster.root.exists()
    assert not folder.exists()
