"""What must hold after every fault: I1 to I6.

I1 the platform was changed once if the run is COMMITTED, never if it is ABORTED. I2 settling again says the same. I3 a run
after ABORTED applies once. I4 the log's chain verifies and tells of the decision. I5 no temporary login and no session of one
outlives the worker. I6 no secret stands in a table, a log or an error output.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from django.db import connections

from audit import log
from audit.models import Entry
from recovery.doors import openings
from recovery.models import Access, Run, RunState
from recovery.planning.documents import PlanDocument
from recovery.running import settle
from tests import acme
from tests.recovery.stage import NEW, PASSWORD, Stage

# Rows of information_schema are no user table's: what the console compares for "nothing else changed" does not see them.
COUNTER = """
CREATE TABLE information_schema.kept (xid xid8, row_id bigint, action text);
CREATE FUNCTION information_schema.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN INSERT INTO information_schema.kept VALUES (pg_current_xact_id(), NEW.id, TG_OP); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON adminuser FOR EACH ROW EXECUTE FUNCTION information_schema.note();
"""
LIVING = "SELECT usename FROM pg_stat_activity WHERE datname = current_database() AND usename ~ '^bg_'"
TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname IN ('public', 'audit') AND tablename NOT IN ('recovery_sealkey')
"""
DECISIONS = {
    RunState.COMMITTED: "run.committed",
    RunState.ABORTED: "run.aborted",
    RunState.NEEDS_HUMAN: "run.needs_human",
}


def counting(dba: psycopg.Connection) -> None:
    """Have the platform note every change of an account that is kept, in the transaction that makes it."""
    dba.execute(COUNTER)


@dataclass
class Witness:
    """Looks at both databases as their superusers do. notes: where executors write passwords; words: their error output."""

    stage: Stage
    folder: Path
    old_hash: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        self.old_hash = self.stage.place.acme.owner()["password_hash"]
        self.logged = self.stage.place.acme.cluster.log_file.stat().st_size

    @property
    def traces(self) -> dict[str, str]:
        """For an executor: where it leaves what is looked for here."""
        return {"notes": str(self.folder / "passwords"), "words": str(self.folder / "words")}

    def changes(self) -> int:
        """How many transactions have changed an account and were kept."""
        rows = self.stage.place.acme.rows("SELECT count(DISTINCT xid) AS n FROM information_schema.kept")
        return rows[0]["n"]

    def require_all(self, run: Run) -> Run:
        """Settle, let the worker close what is left, and look at everything."""
        settle.settle(run)
        self.require_counted(run)
        self.require_same_again(run)
        close_left_over(run)
        self.require_told(run)
        self.require_nobody_left()
        self.require_no_secret()
        return run

    def require_counted(self, run: Run, *, earlier: int = 0) -> None:
        """I1"""
        assert run.state in {RunState.COMMITTED, RunState.ABORTED}, f"{run.state}: {run.reason}"
        kept = run.state == RunState.COMMITTED
        assert self.changes() - earlier == kept, f"{run.state} ({run.reason}), and {self.changes()} changes were kept"
        assert is_changed(self.stage, run.kind) == (kept or bool(earlier))

    def require_same_again(self, run: Run) -> None:
        """I2"""
        before = Run.objects.filter(pk=run.pk).values().get()
        settle.settle(Run.objects.get(pk=run.pk))
        assert Run.objects.filter(pk=run.pk).values().get() == before

    def require_retry(self, document: PlanDocument) -> Run:
        """I3"""
        earlier = self.changes()
        again = self.stage.carry_out(document)
        assert (again.state, again.reason) == (RunState.COMMITTED, "")
        self.require_counted(again, earlier=earlier)
        return again

    def require_told(self, run: Run) -> None:
        """I4"""
        assert log.verify_chain().is_unbroken
        told = Entry.objects.filter(incident=run.incident, entry__contains=str(run.pk))
        decisions = [event for event in told.values_list("event", flat=True) if event in DECISIONS.values()]
        assert decisions == [DECISIONS[RunState(run.state)]], decisions

    def require_nobody_left(self) -> None:
        """I5"""
        assert self.stage.place.roles() == []
        assert self.stage.place.acme.rows(LIVING) == []

    def require_no_secret(self) -> None:
        """I6"""
        secrets = self.secrets()
        shown = [place for place, text in self._texts() if any(secret in text for secret in secrets)]
        held = self._tables_with(secrets)
        assert held + shown == [], f"a secret stands in {held + shown}"

    def secrets(self) -> list[str]:
        """What must stand nowhere: passwords, hashes, and the passwords of the temporary and the standing logins."""
        rows = self.stage.place.acme.rows("SELECT password_hash FROM adminuser WHERE password_hash IS NOT NULL")
        hashes = {row["password_hash"] for row in rows} | {self.old_hash}
        notes = self.folder / "passwords"
        temporary = notes.read_text().split() if notes.exists() else []
        tails = {text.rpartition("$")[2] for text in hashes}
        return [PASSWORD, acme.LOGINS.broker, acme.LOGINS.reader, *temporary, *hashes, *tails]

    def _tables_with(self, secrets: list[str]) -> list[str]:
        """Tables of the console in which one of them stands, as text or as PostgreSQL shows bytes; read as the owner."""
        pattern = "|".join([*map(re.escape, secrets), *(secret.encode().hex() for secret in secrets)])
        with connections["owner"].cursor() as owner:
            owner.execute(TABLES)
            each = [f"(SELECT '{name}' FROM {name} AS t WHERE t::text ~ %(p)s LIMIT 1)" for (name,) in owner.fetchall()]
            owner.execute(" UNION ALL ".join(each), {"p": pattern})
            return [name for (name,) in owner.fetchall()]

    def _texts(self) -> Iterator[tuple[str, str]]:
        """What executors wrote to their error output, and what the platform's server logged since the test began."""
        words = self.folder / "words"
        yield "error output", words.read_text() if words.exists() else ""
        log_file = self.stage.place.acme.cluster.log_file
        yield "server log", log_file.read_bytes()[self.logged :].decode(errors="replace")


def is_changed(stage: Stage, kind: str) -> bool:
    """Whether the account is as the run wants it."""
    platform = stage.place.acme
    if kind == "create":
        return bool(platform.rows("SELECT FROM adminuser WHERE email = %s", NEW))
    if kind == "enable":
        return platform.owner("root@acme.example")["is_active"]
    return platform.owner().get("failed_logins") == 0  # one test drops the column


def close_left_over(run: Run) -> None:
    """What the worker does for ever."""
    for access in Access.objects.filter(run=run, proven_at=None):
        openings.close(access)
