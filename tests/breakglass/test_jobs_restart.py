"""Worker and keeper as processes: they survive a restart of their database, end at SIGTERM, and take over from the killed."""

import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest

from breakglass.practice.cluster import Cluster
from breakglass.practice.console import ConsoleLogins, ensure

ROOT = Path(__file__).resolve().parents[2]
DBNAME = "console"
TRIES = 240  # of a quarter of a second; how long a machine needs is not what is tested
TELL = """
from django.db import transaction
from breakglass.procedure import messages
with transaction.atomic():
    messages.tell("window_opened", incident=None, subject={subject!r}, body="It is open.")
"""


class Post(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.received.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.may_answer.wait(60)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Silence: the tests look at what was received."""

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.server.broken += 1  # the sender was killed


@pytest.fixture(scope="module")
def hook() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Post)
    server.received, server.broken, server.may_answer = [], 0, threading.Event()
    server.may_answer.set()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A server of its own, since it is stopped and started."""
    root = Path(f"/tmp/bg-jobs-{os.getpid()}")
    root.mkdir(mode=0o711)
    cluster = Cluster(root / "own", durable=False).start()
    yield cluster
    cluster.remove()
    root.rmdir()


@pytest.fixture(scope="module")
def environment(cluster: Cluster, hook: ThreadingHTTPServer) -> dict[str, str]:
    logins = ConsoleLogins(*(secrets.token_urlsafe(16) for _login in range(3)))
    with cluster.connect() as connection:
        ensure(connection, logins, DBNAME)
    found = os.environ | logins.urls(cluster, DBNAME)
    found["MESSAGE_CHANNELS"] = f"hook=json://127.0.0.1:{hook.server_port}/"
    manage(found, "migrate", "--database", "owner", "--verbosity", "0")
    return found


def manage(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], check=True, cwd=ROOT, env=environment)


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen]]:
    """Start a command of manage.py; what still runs afterwards is killed."""
    started = []

    def command(name: str, **other: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "manage.py", name],
            cwd=ROOT,
            env=environment | other,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield command
    for process in started:
        process.kill()
        process.wait()


def tell(environment: dict[str, str], subject: str) -> None:
    manage(environment, "shell", "--verbosity", "0", "-c", TELL.format(subject=subject))


def until(is_so: Callable[[], bool]) -> bool:
    pause = threading.Event()
    return any(is_so() or pause.wait(0.25) for _try in range(TRIES)) and is_so()


def test_worker_delivers_after_a_restart_of_its_database(cluster, environment, hook, start):
    worker = start("worker")
    tell(environment, "before the restart")
    assert until(lambda: any("before the restart" in one for one in hook.received))

    cluster.stop()
    cluster.start()
    tell(environment, "after the restart")

    assert until(lambda: any("after the restart" in one for one in hook.received))
    assert worker.poll() is None


def test_worker_ends_at_sigterm(environment, hook, start):
    worker = start("worker")
    tell(environment, "one more")
    assert until(lambda: any("one more" in one for one in hook.received))

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(60) == 0


def test_job_of_a_killed_worker_is_taken_up_by_the_next(cluster, environment, hook, start):
    hook.may_answer.clear()
    first = start("worker")
    tell(environment, "interrupted")
    assert until(lambda: any("interrupted" in one for one in hook.received))
    first.kill()
    first.wait()
    hook.may_answer.set()
    with cluster.connect(DBNAME) as connection:  # its silence, without waiting for it
        connection.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")

    start("worker")

    assert until(lambda: _deliveries(cluster, "interrupted") == 1)


def _deliveries(cluster: Cluster, subject: str) -> int:
    query = (
        "SELECT count(*) FROM procedure_delivery d JOIN procedure_message m ON m.id = d.message_id"
        " WHERE d.delivered AND m.subject = %s"
    )
    with cluster.connect(DBNAME) as connection:
        return connection.execute(query, [subject]).fetchone()[0]


def test_keeper_comes_back_after_a_restart_of_its_database(cluster, environment, start):
    keeper = start("keeper", DATABASE_URL=environment["KEEPER_DATABASE_URL"])
    assert until(lambda: _is_listening(cluster))

    cluster.stop()
    cluster.start()

    assert until(lambda: _is_listening(cluster))
    keeper.send_signal(signal.SIGTERM)
    assert keeper.wait(60) == 0


def _is_listening(cluster: Cluster) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'breakglass_keeper'"
    try:
        with cluster.connect() as connection:
            return connection.execute(query).fetchone()[0] > 0
    except psycopg.OperationalError:
        return False
