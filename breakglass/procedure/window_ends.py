"""Which window is open by the database's clock, and how one ends: shortened by a step, or recorded by the worker afterwards."""

from datetime import datetime

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit import clock, events, log
from breakglass.people.models import Account
from breakglass.procedure import messages
from breakglass.procedure.models import Incident, Window
from breakglass.procedure.standing import lock
from breakglass.procedure.steps import step, username


def current(incident: Incident, *, at: datetime | None = None) -> Window | None:
    """The incident's window that is open at this moment (the guarded clock), or None.

    Raises:
        ClockMovedBack: every window counts as closed.
    """
    return open_at(at or clock.now()).filter(incident=incident).order_by("-id").first()


def open_at(moment: datetime) -> QuerySet[Window]:
    """The windows that are open at a moment of the database's clock, of all incidents."""
    return Window.objects.filter(during__contains=moment)


def end_now(incident: Incident, *, by: Account | str, at: datetime, why: str) -> Window | None:
    """Inside a step: shorten the open window so that it has ended. None if none is open."""
    window = current(incident, at=at)
    if window is None:
        return None
    Window.objects.filter(pk=window.pk).update(during=DateTimeTZRange(window.during.lower, at, "[)"))
    log.append(
        events.WINDOW_SHORTENED,
        by=username(by),
        incident=incident.reference,
        window=window.pk,
        was_until=window.during.upper.isoformat(),
        until=at.isoformat(),
        why=why,
    )
    window.during = DateTimeTZRange(window.during.lower, at, "[)")
    return window


def record_ended() -> int:
    """For the worker: log `window.ended` once for each window that is over, and tell people. Returns how many."""
    due = Window.objects.filter(end_recorded_at=None, during__fully_lt=_from(clock.now()))
    return sum(_record_end(window, by="worker") for window in due.select_related("incident").order_by("id"))


def _from(moment: datetime) -> DateTimeTZRange:
    return DateTimeTZRange(moment, None, "[)")


@step
def _record_end(window: Window, *, by: str) -> bool:
    incident = lock(window.incident)
    at = clock.now()
    if not Window.objects.filter(pk=window.pk, end_recorded_at=None).update(end_recorded_at=at):
        return False  # another worker was faster
    subject = _("{reference}: the window has ended").format(reference=incident.reference)
    messages.tell(messages.Kind.WINDOW_ENDED, incident=incident, subject=subject, body=_("Access is taken away."))
    window.refresh_from_db()
    log.append(
        events.WINDOW_ENDED,
        by=by,
        incident=incident.reference,
        window=window.pk,
        opened=window.during.lower.isoformat(),
        ended=window.during.upper.isoformat(),
    )
    return True
