"""What the pages answer to "will it work?" before a change, and what they remind of after it. Nothing is promised here."""

import json
from typing import Any

from audit.refusals import Refused
from breakglass.procedure.models import Choice, Incident
from recovery import diagnosis, platforms
from recovery.language.profile import Blocker, Profile, blocker


def facts(incident: Incident, choice: Choice | None) -> dict[str, Any]:
    """What would still stop a sign-in after the chosen outcome, whether anybody could look, and whether a restart is due."""
    profile = profile_of(incident)
    found = forecast_of(choice)
    return {
        "forecast_of": choice,
        "forecast_stops": [one for one in found if one.is_stop],
        "forecast_notes": [one for one in found if not one.is_stop],
        "forecast_is_known": bool(profile and choice and diagnosis.knows(profile, outcome=choice.outcome)),
        "restart": profile.restart if profile else "",
    }


def forecast_of(choice: Choice | None) -> list[Blocker]:
    """What would still stop a sign-in after the chosen outcome, or must be at hand for it."""
    found = json.loads(choice.forecast) if choice and choice.forecast else []
    return [blocker(f"{one['kind']}: {one['detail']}") if isinstance(one, dict) else blocker(one) for one in found]


def profile_of(incident: Incident) -> Profile | None:
    """The platform's profile as it is now; None when it cannot be read, which another page says."""
    try:
        return platforms.get(incident.platform).profile
    except Refused:
        return None
