"""What the tests of the procedure share: time that passes when a test says so."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from breakglass.practice.cluster import Cluster
from recovery.bastion import paper_evidence


@pytest.fixture
def pass_time(console: str) -> Callable[..., None]:
    """Let the server's clock run ahead, or back for a negative number: the guard of audit.now() is the real one, on another clock."""
    passed = [0.0]

    def shift(*, minutes: float = 0, seconds: float = 0) -> None:
        passed[0] += minutes * 60 + seconds
        with Cluster(Path(os.environ["BREAKGLASS_TEST_RUN"]) / "console", durable=False).connect(console) as server:
            (source,) = server.execute("SELECT prosrc FROM pg_proc WHERE oid = 'audit.now()'::regprocedure").fetchone()
            server.execute(_shifted(source, passed[0]))

    return shift


@pytest.fixture
def script_over(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the time of a script on paper be over: the platform's clock is the real one, so its last moment moves instead."""

    def end() -> None:
        monkeypatch.setattr(paper_evidence, "MARGIN", -timedelta(days=1))

    return end


def _shifted(source: str, seconds: float) -> str:
    """audit.now() as it is, but for the clock that it looks at."""
    start, end = source.index("moment :="), source.index(";", source.index("moment :="))
    body = f"{source[:start]}moment := clock_timestamp() + make_interval(secs => {seconds}){source[end:]}"
    return (
        "CREATE OR REPLACE FUNCTION audit.now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE SECURITY DEFINER "
        f"SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $body${body}$body$"
    )
