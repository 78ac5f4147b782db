"""Whether the recovered person has signed in to the platform since the change. It only reads."""

from . import database
from .models import Run
from .platforms import Platform
from .rollback import target_of


def seen(platform: Platform, run: Run) -> str:
    """What shows a sign-in of the run's account after the change, in the platform's own words; "" while nothing does.

    A profile without a proof query shows nothing: then a person confirms. Raises kinds of PlatformRefused.
    """
    profile = platform.profile
    if profile.proof is None or run.prepared_at is None:
        return ""
    key, _label = target_of(run, profile)
    with database.reading(platform, profile) as session:
        row = session.execute(profile.proof.sql, {"key": key, "since": run.prepared_at.isoformat()}).fetchone()
    return f"{row[0]}: {row[1]}" if row else ""
