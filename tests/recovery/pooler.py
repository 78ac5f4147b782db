"""A pooler in miniature: it stands between a client and a server and greets with a process id of its own, as PgBouncer does."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OWN_PID = 4711
KEY_DATA = b"K"  # the message of the greeting that names the session's process


@contextmanager
def between(server: Path, folder: Path) -> Iterator[None]:
    """A socket in `folder` that leads to the server's socket while the block runs."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / server.name))
        door.listen()
        thread = threading.Thread(target=_serve, args=[door, server], daemon=True)
        thread.start()
        yield
        door.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(door: socket.socket, server: Path) -> None:
    with suppress(OSError):  # the door was shut
        while True:
            client, _address = door.accept()
            behind = socket.socket(socket.AF_UNIX)
            behind.connect(str(server))
            for work in (_ask, _answer):
                threading.Thread(target=work, args=[client, behind], daemon=True).start()


def _ask(client: socket.socket, server: socket.socket) -> None:
    with suppress(OSError), server:
        while data := client.recv(65536):
            server.sendall(data)


def _answer(client: socket.socket, server: socket.socket) -> None:
    with suppress(OSError), client, server.makefile("rb") as answers:
        while head := answers.read(5):
            kind, length = struct.unpack("!cI", head)
            body = answers.read(length - 4)
            client.sendall(head + (struct.pack("!I", OWN_PID) + body[4:] if kind == KEY_DATA else body))
