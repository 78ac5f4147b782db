"""The sentence that matters on a page: what one change does, in plain words. No rule, no reading."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from recovery.models import RunKind

ACTS = {
    RunKind.CREATE: _("Create the first Platform Owner on %(platform)s"),
    RunKind.RESET: _("Reset one password on %(platform)s"),
    RunKind.ENABLE: _("Re-enable one admin on %(platform)s"),
    RunKind.DISABLE: _("Disable one account on %(platform)s"),
    RunKind.RESTORE: _("Put the rows on %(platform)s back as they were before"),
}
CONSEQUENCES = {
    RunKind.CREATE: _("%(login)s becomes a Platform Owner. No existing account is touched."),
    RunKind.RESET: _("%(login)s gets back in with a new password. Nobody else is touched."),
    RunKind.ENABLE: _("%(login)s is switched on again and keeps the old password. Nobody else is touched."),
    RunKind.DISABLE: _("%(login)s can no longer sign in. Nobody else is touched."),
    RunKind.RESTORE: _("%(login)s is put back to the state before the change. Nobody else is touched."),
}
WITH_PASSWORD = frozenset({RunKind.CREATE, RunKind.RESET})


def act(plan: Any, platform: str) -> str:
    """What the plan does, as a heading."""
    return ACTS[RunKind(plan.outcome)] % {"platform": platform}


def consequence(plan: Any) -> str:
    """What it means for people, as the line below the heading."""
    return CONSEQUENCES[RunKind(plan.outcome)] % {"login": plan.choice.login}
