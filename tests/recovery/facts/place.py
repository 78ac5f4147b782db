"""A small invented platform on a real database, with the doors for its profile, and what a run changed on it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_django.fixtures import Settings

from breakglass.practice import databases, platform_file
from breakglass.practice.cluster import Cluster
from breakglass.practice.platform import BROKER, READER
from recovery.models import Run, RunState
from recovery.planning import plans
from recovery.planning.documents import PlanDocument
from tests import acme
from tests.recovery.doors import furnish
from tests.recovery.stage import WHO, Stage

HERE = Path(__file__).parent
RUN = Path(os.environ["BREAKGLASS_TEST_RUN"])
TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'breakglass') ORDER BY 1
"""

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Fact:
    """One invented platform."""

    stage: Stage

    def plan(self, outcome: str, key: str = "", *, login: str = "", name: str = "") -> PlanDocument:
        order = {"beneficiary": WHO, "incident": "BG-2026-0001", "window_minutes": 30}
        person = {"target_key": key, "login": login or key, "display_name": name}
        return plans.build(self.stage.place.platform, outcome=outcome, **order, **person)

    def run(self, outcome: str, key: str = "", **who: str) -> Run:
        """One committed run."""
        run = self.stage.carry_out(self.plan(outcome, key, **who))
        assert run.state == RunState.COMMITTED, run.reason
        return run

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        return self.stage.place.acme.rows(query, *values)

    def do(self, statement: str, *values: object) -> None:
        """Something that happens on the platform, by the hand of its administrator."""
        with self.stage.place.acme.connect() as connection:
            connection.execute(statement, values)

    def everything(self) -> set[tuple[str, str]]:
        """Each row of each table as (table, JSON)."""
        with self.stage.place.acme.connect() as connection:
            tables = [name for (name,) in connection.execute(TABLES)]
            return {
                (table.replace('"', ""), row)
                for table in tables
                for (row,) in connection.execute(f"SELECT to_jsonb(t)::text FROM {table} AS t")
            }

    @contextmanager
    def watched(self) -> Iterator[tuple[Rows, Rows]]:
        """What the block takes away and what it adds, row by row; a changed row is in both."""
        gone: Rows = {}
        new: Rows = {}
        before = self.everything()
        yield gone, new
        after = self.everything()
        for told, rows in ((gone, before - after), (new, after - before)):
            for table, row in sorted(rows):
                told.setdefault(table, []).append(json.loads(row))


@contextmanager
def play(name: str, console: str, server: Cluster, settings: Settings, folder: Path) -> Iterator[Fact]:
    """The platform of the files NAME.sql and NAME.toml beside this one."""
    dbname = f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with acme.alone(RUN):
        with server.connect() as connection:
            databases.create(connection, dbname)
            databases.admit(connection, dbname, READER, BROKER)
        with server.connect(dbname) as connection, connection.transaction():
            connection.execute((HERE / f"{name}.sql").read_bytes())
    file = platform_file.write(
        folder, server, dbname, acme.LOGINS, sign_in_url="http://127.0.0.1:1/", log=folder / "log"
    )
    file.write_text(file.read_text().replace('profile = "saas"', f'profile = "{HERE / name}.toml"'))
    settings.PLATFORMS_FILE = file
    try:
        with acme.alone(RUN):
            place = furnish(acme.Acme(server, dbname, file))
        yield Fact(Stage(place, console))
    finally:
        acme.forget(RUN, server, dbname)
