"""Whether the recovered person has signed in to the platform since the change. It only reads."""

from dataclasses import dataclass
from datetime import datetime

from audit import clock

from .. import database
from ..database import Session
from ..models import Run
from ..planning.rollback import target_of
from ..platforms import Platform


@dataclass(frozen=True, slots=True)
class Noted:
    """What the platform showed when the console had signed in itself: its clock (aware), and its latest sign-in, "" for none."""

    at: datetime
    seen: str


def seen(platform: Platform, run: Run, *, after: Noted | None = None) -> str:
    """What shows a sign-in of the run's account after the change, in the platform's own words; "" while nothing does.

    after: what was noted after the console's own login check. That sign-in is not the person's, so only a later one counts.
    A profile without a proof query shows nothing: then a person confirms. Raises kinds of PlatformRefused.
    """
    profile = platform.profile
    if profile.proof is None:
        return ""
    with database.reading(platform, profile) as session:
        found = _latest(session, platform, run, since=after.at if after else _changed_at(session, run))
    return "" if after and found == after.seen else found


def note(platform: Platform, run: Run) -> Noted:
    """What the platform shows now, so that a later look can tell the person's sign-in from the console's. Raises as `seen`."""
    with database.reading(platform, platform.profile) as session:
        noted = _latest(session, platform, run, since=_changed_at(session, run))
        return Noted(database.identity(session).clock, noted)


def _changed_at(session: Session, run: Run) -> datetime:
    """The moment just before the change as the platform's clock had it: the console's may differ."""
    moment = run.prepared_at or run.claimed_at  # a run on paper is never prepared
    return moment + (database.identity(session).clock - clock.now())


def _latest(session: Session, platform: Platform, run: Run, *, since: datetime) -> str:
    proof = platform.profile.proof
    if proof is None:
        return ""
    key, _label = target_of(run, platform.profile)
    row = session.execute(proof.sql, {"key": key, "since": since.isoformat()}).fetchone()
    return f"{row[0]}: {row[1]}" if row else ""
