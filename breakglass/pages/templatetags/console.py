"""How moments, lengths of time and form fields read on a page. Wording and shape only, no rule."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.forms import BoundField
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.refusals import Refused
from breakglass.procedure.models import Incident
from recovery import platforms

register = template.Library()

LOCAL = ZoneInfo(settings.LOCAL_TIME_ZONE)
UNITS = (
    (86400, lambda number: ngettext("%(number)d day", "%(number)d days", number)),
    (3600, lambda number: ngettext("%(number)d hour", "%(number)d hours", number)),
    (60, lambda number: ngettext("%(number)d minute", "%(number)d minutes", number)),
    (1, lambda number: ngettext("%(number)d second", "%(number)d seconds", number)),
)


@register.inclusion_tag("breakglass/_when.html")
def when(moment: datetime | str | None, shape: str = "day") -> dict[str, Any]:
    """A moment as UTC with the local time behind it; shape: day and minute, time (minute), exact (with seconds), clock (no day)."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if moment is None:
        return {"moment": None}
    moment, local = moment.astimezone(UTC), moment.astimezone(LOCAL)
    clock = "H:i:s" if shape in ("exact", "clock") else "H:i"
    day = "" if shape in ("time", "clock") else date_format(moment, "j M Y, ")
    other_day = "j M, " if local.date() != moment.date() else ""
    return {
        "moment": moment,
        "utc": day + date_format(moment, clock),
        "local": "" if settings.LOCAL_TIME_ZONE == "UTC" else date_format(local, other_day + clock),
        "place": settings.LOCAL_TIME_ZONE.rsplit("/", 1)[-1].replace("_", " "),
    }


@register.filter
def lasting(span: timedelta | float | None) -> str:
    """A length of time in its largest whole unit and the next one: "4 seconds", "2 hours 5 minutes"."""
    seconds = int(span.total_seconds() if isinstance(span, timedelta) else span or 0)
    parts = []
    for size, words in UNITS:
        number, seconds = divmod(max(seconds, 0), size)
        if number or (size == 1 and not parts):
            parts.append(words(number) % {"number": number})
        elif parts:
            break
    return " ".join(parts[:2])


@register.filter
def ago(moment: datetime | None, now: datetime) -> str:
    """How long before the page's moment something was: "4 seconds ago"."""
    if not moment or not now:
        return ""
    span = now - moment
    return _("%(length)s ago") % {"length": lasting(span)} if span.total_seconds() >= 1 else _("just now")


@register.inclusion_tag("breakglass/_when.html")
def platform_when(text: str) -> dict[str, Any]:
    """A moment that a platform wrote as text; what is no moment with its offset is shown as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return {"text": text}
    return when(moment) if moment.tzinfo else {"text": text}


@register.filter
def breakable(login: str) -> SafeString:
    """A login that may break after its @ and dots, and only then anywhere."""
    parts = re.split(r"(?<=[@.])", login)
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in parts))


@register.filter
def either(names: Iterable[str]) -> str:
    """Names as a sentence has them: "sam, simone or erin"."""
    *front, last = list(names) or [""]
    return _("%(front)s or %(last)s") % {"front": ", ".join(front), "last": last} if front else last


@register.filter
def clock(span: timedelta) -> str:
    """Minutes and seconds as on a countdown: "24:51"."""
    minutes, seconds = divmod(max(int(span.total_seconds()), 0), 60)
    return f"{minutes}:{seconds:02d}"


@register.filter
def millis(moment: datetime) -> int:
    """Milliseconds since 1970, as scripts count."""
    return int(moment.timestamp() * 1000)


@register.filter
def minus(later: datetime, earlier: datetime) -> timedelta:
    """The time between two moments."""
    return later - earlier


@register.inclusion_tag("breakglass/_field.html")
def field(bound: BoundField, unique: int = 0) -> dict[str, Any]:
    """One field of a form with its label, help and faults; `unique` tells the ids of a repeated form apart."""
    if unique:
        bound.form.auto_id = f"id_{bound.form.name}_{unique}_%s"
    is_group = bound.use_fieldset
    is_check = getattr(bound.field.widget, "input_type", "") == "checkbox" and not is_group
    return {"field": bound, "is_group": is_group, "is_check": is_check}


@register.inclusion_tag("breakglass/_ticket.html")
def ticket(incident: Incident) -> dict[str, str]:
    """The ticket's reference, as a link when the platform file says where tickets are."""
    try:
        address = platforms.get(incident.platform).ticket_url(incident.ticket)
    except Refused:
        address = ""  # a platform that left the file keeps its incidents readable
    return {"ticket": incident.ticket, "address": address}
