"""The keeper in tests: the real one, with its own login, in this thread for one question or in a thread of its own."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dj_database_url
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

from breakglass.procedure.keeper import Keeper

ALIAS = "default"


@contextmanager
def keeper_login() -> Iterator[None]:
    """In this thread `default` is the keeper's login, as it is in the keeper's process."""
    own = connections[ALIAS]
    found = dj_database_url.parse(os.environ["KEEPER_DATABASE_URL"])
    login = {name: found[name] for name in ("USER", "PASSWORD", "HOST", "PORT")}
    connections[ALIAS] = DatabaseWrapper({**connections.databases[ALIAS], **login}, ALIAS)
    try:
        yield
    finally:
        connections[ALIAS].close()
        connections[ALIAS] = own


@contextmanager
def running() -> Iterator[Keeper]:
    """A keeper that serves until the block ends."""
    keeper = Keeper()
    thread = threading.Thread(target=_serve, args=[keeper], name="keeper")
    thread.start()
    try:
        yield keeper
    finally:
        keeper.stop()
        thread.join()


def _serve(keeper: Keeper) -> None:
    with keeper_login():
        keeper.run()
