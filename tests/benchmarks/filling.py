"""Fills a console database with a long log and many incidents, faster than the console itself would, but with true chains."""

from collections.abc import Iterator
from hashlib import sha256

import psycopg

from audit import canonical, events

PER_INCIDENT = 20
LIKE_THIS_ONE = """
INSERT INTO procedure_incident ({columns})
SELECT {values} FROM procedure_incident AS one, generate_series(1, %s) AS number WHERE one.id = %s
"""


def chain(incident: str, length: int) -> Iterator[str]:
    """The lines of one incident, each with its number and the hash of the one before."""
    prev = ""
    for n in range(1, length + 1):
        fields = {"v": 1, "event": events.PLAN_MADE, "by": "olivia", "at": "2026-11-22T09:00:00.000000Z"}
        said = {"plan": n, "digest": sha256(str(n).encode()).hexdigest(), "words": "amber cedar lake orbit"}
        line = canonical.line({**fields, **said, "incident": incident, "n": n, "prev": prev})
        prev = sha256(line.encode()).hexdigest()
        yield line


def fill_log(root: psycopg.Connection, chains: dict[str, int]) -> None:
    """Append whole chains: incident -> number of entries."""
    (size,) = root.execute("SELECT size FROM audit.head").fetchone()
    with root.cursor().copy("COPY audit.entry (seq, entry) FROM STDIN") as copy:
        for incident, length in chains.items():
            for line in chain(incident, length):
                copy.write_row((size, line))
                size += 1
    root.execute("UPDATE audit.head SET size = %s", [size])
    root.execute("ANALYZE audit.entry")


def many_chains(entries: int) -> dict[str, int]:
    return {f"BG-2025-{number:06d}": PER_INCIDENT for number in range(entries // PER_INCIDENT)}


def fill_incidents(root: psycopg.Connection, like: int, *, number: int) -> None:
    """Closed incidents that are copies of one."""
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'procedure_incident'"
    columns = [name for (name,) in root.execute(query) if name != "id"]
    changed = {"reference": "'BG-2024-' || number", "state": "'closed'", "closed_at": "one.opened_at"}
    values = [changed.get(name, f'one."{name}"') for name in columns]
    quoted = ", ".join(f'"{name}"' for name in columns)
    root.execute("ALTER TABLE procedure_incident DISABLE TRIGGER USER")  # each of them would have to be opened first
    root.execute(LIKE_THIS_ONE.format(columns=quoted, values=", ".join(values)), [number, like])
    root.execute("ALTER TABLE procedure_incident ENABLE TRIGGER USER")
    root.execute("ANALYZE procedure_incident")
