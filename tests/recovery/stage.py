"""A platform with doors and a keeper that signs whatever it is asked: the stage for runs, without the procedure around them.

So nothing claims these runs, and the trigger that asks for a claim is off; it is tried with the procedure (test_guards_windows).
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from django.db import connections, transaction

from audit import clock
from recovery.doors.mandates import Mandate, sign
from recovery.models import Run
from recovery.planning import plans
from recovery.planning.documents import PlanDocument
from recovery.running import runs
from tests.recovery.doors import Place

PASSWORD = "a long new passphrase"
DANA, ROOT, LEE = "1", "2", "3"
NEW = "new-owner@acme.example"
WHO = "Dana Diaz, +1 555 0100"
ASKED = """
SELECT r.id, r.access_id, r.kind, r.incident, r.digest, r.verifier_sha256, r.until, r.nonce
FROM recovery_mandaterequest r LEFT JOIN recovery_mandate m ON m.request_id = r.id WHERE m.id IS NULL
"""
ANSWER = "INSERT INTO recovery_mandate (request_id, signature, refusal, at) VALUES (%s, %s, '', clock_timestamp())"


@dataclass(frozen=True)
class Stage:
    place: Place
    console: str

    def __post_init__(self) -> None:
        with connections["owner"].cursor() as owner:
            owner.execute("ALTER TABLE recovery_run DISABLE TRIGGER run_is_claimed")

    def plan(self, outcome: str = "reset", **given: Any) -> PlanDocument:
        """A plan for the owner whom this outcome fits."""
        target = {
            "create": {"login": NEW, "display_name": "New Owner"},
            "reset": {"target_key": DANA, "login": "dana@acme.example"},
            "enable": {"target_key": ROOT, "login": "root@acme.example"},
        }[outcome]
        order = {"beneficiary": WHO, "incident": "BG-2026-0001", "window_minutes": 30} | target | given
        return plans.build(self.place.platform, outcome=outcome, **order)

    def run(self, document: PlanDocument, *, minutes: float = 30) -> Run:
        """The intent, as the claim step records it."""
        with transaction.atomic():
            now = clock.now()
            return Run.objects.create(
                incident=document.incident,
                kind=document.outcome,
                plan_digest=document.digest,
                platform=document.platform,
                system_identifier=document.system_identifier,
                database_name=document.database_name,
                **runs.facts_of(document.content),
                window_end=now + timedelta(minutes=minutes),
                operator="olivia",
                content=document.content,
                claimed_at=now,
            )

    def carry_out(self, document: PlanDocument) -> Run:
        """One run with a keeper at hand."""
        password = PASSWORD if document.needs_password else None
        with self.keeper():
            return runs.carry_out(self.run(document), values=runs.prepare_values(document.content, password=password))

    @contextmanager
    def keeper(self) -> Iterator[None]:
        """Signs every request until the block ends, with the keeper's own login."""
        stop = threading.Event()
        thread = threading.Thread(target=self._sign_all, args=[stop], name="keeper")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _sign_all(self, stop: threading.Event) -> None:
        while not stop.wait(0.01):
            with contextlib.suppress(psycopg.OperationalError):  # the console's server is away: it comes back
                self._sign_until(stop)

    def _sign_until(self, stop: threading.Event) -> None:
        conninfo = os.environ["KEEPER_DATABASE_URL"]
        with psycopg.connect(conninfo, dbname=self.console, autocommit=True) as connection:
            connection.execute("LISTEN mandate_asked")
            while not stop.is_set():
                for number, *parts in connection.execute(ASKED).fetchall():
                    signature = sign(self._mandate(*parts), self.place.key).hex()
                    connection.execute(ANSWER, [number, signature])
                list(connection.notifies(timeout=0.1, stop_after=1))

    def _mandate(self, *parts: Any) -> Mandate:
        return Mandate(*parts, system_identifier=self.place.system_identifier, database_name=self.place.acme.dbname)
