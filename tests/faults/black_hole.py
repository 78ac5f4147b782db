"""A route to the platform that swallows packets from the moment of a COMMIT on, as a broken firewall does."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from breakglass.practice.cluster import PORT, Cluster

CHANGED = b"SET CONSTRAINTS ALL IMMEDIATE"  # what a change says at its end; others commit as well
COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"  # as a message of its own
CHUNK = 65536


class Route:
    """Passes everything between a socket of its own and the server's. forwards: whether the COMMIT still gets through.

    on_commit: what happens in the moment in which it is under way.
    """

    def __init__(self, cluster: Cluster, folder: Path, *, forwards: bool, on_commit: Callable[[], object]) -> None:
        self.server = str(cluster._socket / f".s.PGSQL.{PORT}")
        self.folder, self.forwards, self.on_commit = folder, forwards, on_commit
        self.listening = socket.socket(socket.AF_UNIX)
        self.open: list[socket.socket] = []
        self.swallowing = threading.Event()

    def serve(self) -> None:
        self.listening.bind(str(self.folder / f".s.PGSQL.{PORT}"))
        self.listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for line in [self.listening, *self.open]:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self.listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.server)
                self.open += [client, server]
                dead = threading.Event()  # this connection alone: the closing finds another way
                threading.Thread(target=self._to_server, args=[client, server, dead], daemon=True).start()
                threading.Thread(target=self._to_client, args=[server, client, dead], daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket, dead: threading.Event) -> None:
        has_changed = False
        with contextlib.suppress(OSError):
            while data := client.recv(CHUNK):
                has_changed |= CHANGED in data
                if has_changed and data == COMMIT:
                    dead.set()
                    self.swallowing.set()
                    if self.forwards:
                        server.sendall(data)
                    self.on_commit()
                elif not dead.is_set():
                    server.sendall(data)
        if not dead.is_set():
            self._end(server)

    def _to_client(self, server: socket.socket, client: socket.socket, dead: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(CHUNK):
                if not dead.is_set():
                    client.sendall(data)
        if not dead.is_set():
            self._end(client)

    def _end(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)


@contextmanager
def swallowing(
    cluster: Cluster, broker_file: Path, *, forwards: bool, on_commit: Callable[[], object] = lambda: None
) -> Iterator[Route]:
    """The broker's connection, and with it those of temporary logins, go over such a route."""
    folder = Path(f"/tmp/bg-hole-{os.getpid()}")
    folder.mkdir(mode=0o700)
    before = broker_file.read_text()
    route = Route(cluster, folder, forwards=forwards, on_commit=on_commit)
    route.serve()
    direct = cluster.url("", "", "").partition("@")[2].partition(":")[0]
    broker_file.write_text(before.replace(direct, str(folder).replace("/", "%2F")))
    try:
        yield route
    finally:
        broker_file.write_text(before)
        route.close()
        (folder / f".s.PGSQL.{PORT}").unlink()
        folder.rmdir()
