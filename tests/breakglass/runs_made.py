"""A claimed run for tests that look at what may happen between the claim and the change."""

from breakglass.procedure import execution, handover
from breakglass.procedure.models import Handover
from recovery.models import Run, RunKind
from tests import builders, cast
from tests.acme import Acme


def link(platform: Acme, **given: object) -> tuple[Handover, str]:
    """A fresh link of an open window, shown by the requester; the token alone."""
    window = builders.window_open(platform, **given)
    return shown(window.incident)


def shown(incident) -> tuple[Handover, str]:
    by = incident.requester_account
    row, url = handover.show(incident, by=by, code=cast.code_for(by))
    return row, url.rstrip("/").rpartition("/")[2]


def claimed(platform: Acme, **given: object) -> Run:
    """A run whose intent is on record and that nobody carries out."""
    row, _token = link(platform, outcome=RunKind.RESET, **given)
    return execution.claim(row)
