"""`make run`: one command from a fresh clone to a console and a locked-out platform, and one Ctrl-C to end all of it."""

import shutil
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from types import FrameType

from breakglass.practice.cast import Member
from breakglass.practice.children import Child, GaveUp, end_all
from breakglass.practice.home import CannotRun, Home
from breakglass.practice.preparation import ROOT, Practice

NEEDED_MB = 200
FIRST_PAGE = 60.0  # seconds
Errand = Callable[[Practice], int]
PORT_FILE = "port"  # for commands that speak to what runs
FIRST_BEHIND = "keeper"  # the first process that nobody looks at
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK = 0.5  # seconds between two looks at the children

WELCOME = """
Breakglass runs:        {base_url}/
Acme, locked out:       {acme_url}/

Practice people (password, then a one-time code):
{people}

A code for one of them: make code WHO=olivia{same}
It also shows a QR code for an authenticator app on your phone.
Start as olivia: nobody can sign in as Acme's platform owner. Ticket: OPS-3311. Dana Diaz is waiting.
Stop with Ctrl-C. Everything is kept below {folder}; start again and it goes on.
"""


def run(home: Home, port: int, *, errand: Errand | None = None) -> int:
    """Start everything and stay until Ctrl-C or SIGTERM, or until an errand is done. Everything is stopped again at the end.

    Returns: 0, or the errand's result. Raises CannotRun, GaveUp.
    """
    result = 0
    _check_disk(home)
    home.make()
    for number in ENDS:  # SIGINT too: whoever starts us in the background may have had it ignored
        signal.signal(number, _interrupt)
    with home.running():
        _check_ports(port)
        practice = Practice(home, port)
        (home / PORT_FILE).write_text(f"{port}\n")
        children: list[Child] = []
        try:
            _say("Starting ...")
            practice.start_servers()
            members = practice.prepare()
            _start_all(children, practice)
            if errand:
                result = errand(practice)
            else:
                _say(_welcome(practice, members))
                _watch(children)
        except KeyboardInterrupt:
            _say("Stopping ...")
        finally:
            for number in ENDS:
                signal.signal(number, signal.SIG_IGN)  # a second one would leave half of it running
            end_all(children)
            practice.stop_servers()
    _say("Stopped.")
    return result


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _start_all(started: list[Child], practice: Practice) -> None:
    """The two sites first, the rest once they answer: on a small machine all at once would be slower for who waits."""
    for child in _children(practice):
        if child.name == FIRST_BEHIND:
            _wait_for_first_page(started, practice)
        child.start()
        started.append(child)


def _children(practice: Practice) -> list[Child]:
    python, logs, port = sys.executable, practice.home / "logs", practice.port
    gunicorn = (python, "-m", "gunicorn", "--no-control-socket", "--worker-class", "gthread", "--threads", "4")
    web = practice.environment()
    planned = {
        "web": ((*gunicorn, "--preload", "--workers", "2", "--bind", f"127.0.0.1:{port}", "breakglass.wsgi"), web),
        "acme": (
            (*gunicorn, "--bind", f"127.0.0.1:{port + 1}", "breakglass.practice.site"),
            practice.acme_environment(),
        ),
        FIRST_BEHIND: ((python, "manage.py", "keeper"), practice.keeper_environment()),
        "worker": ((python, "manage.py", "worker"), web),
    }
    return [Child(name, command, env, logs / f"{name}.log", ROOT) for name, (command, env) in planned.items()]


def _watch(children: list[Child]) -> None:
    while True:
        time.sleep(LOOK)
        for child in children:
            child.keep_alive()


def _wait_for_first_page(children: list[Child], practice: Practice) -> None:
    """Until both sites answer. Raises GaveUp when they do not."""
    deadline = time.monotonic() + FIRST_PAGE
    waiting = [f"{practice.base_url}/healthz", f"{practice.acme_url}/sign-in"]
    while waiting:
        if _answers(waiting[0]):
            waiting.pop(0)
            continue
        if time.monotonic() > deadline:
            raise GaveUp(f"{waiting[0]} does not answer. What was said is in {practice.home / 'logs'}")
        for child in children:
            child.keep_alive()
        time.sleep(0.1)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _check_ports(port: int) -> None:
    for number in (port, port + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError as error:
                reason = f"Port {number} of 127.0.0.1 cannot be used ({error.strerror})."
                raise CannotRun(f"{reason} Choose another one, two in a row are needed: make run PORT=8100") from error


def _check_disk(home: Home) -> None:
    there = next(folder for folder in (home.folder, *home.folder.parents) if folder.exists())
    free = shutil.disk_usage(there).free // 2**20
    if free < NEEDED_MB:
        raise CannotRun(f"{NEEDED_MB} MB of disk are needed in {there}, {free} MB are free. Make room and start again.")


def _welcome(practice: Practice, members: list[Member]) -> str:
    rows = [f"  {member.username:<8} {member.duty:<12} {member.password}" for member in members]
    is_default = practice.home.folder.name == ".breakglass" and practice.home.folder.parent == ROOT
    return WELCOME.format(
        base_url=practice.base_url,
        acme_url=practice.acme_url,
        people="\n".join(rows),
        same="" if is_default else f" BREAKGLASS_HOME={practice.home.folder}",
        folder=practice.home.folder,
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
