"""Tells people what happened. A message carries no secret and no link that acts by itself: it leads to the sign-in."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import close_old_connections, connection, models, transaction
from django.utils.translation import gettext_lazy as _
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from audit import clock, events, log
from breakglass.procedure import channels
from breakglass.procedure.models import Delivery, Incident, Message

QUEUE = "messages"
TRIES = RetryStrategy(max_attempts=6, exponential_wait=4)
LONGEST_SUBJECT = 255


class Kind(models.TextChoices):
    OWNERS_TOLD = "owners_told", _("told to the platform's owners")
    APPROVAL_ASKED = "approval_asked", _("approval asked")
    PLAN_REFUSED = "plan_refused", _("plan refused")
    WINDOW_OPENED = "window_opened", _("window opened")
    WINDOW_ENDED = "window_ended", _("window ended")
    RUN_DECIDED = "run_decided", _("result of a run")
    RUN_UNKNOWN = "run_unknown", _("result of a run is unknown yet")
    ACCESS_NOT_PROVEN = "access_not_proven", _("access not proven gone")
    REVIEW_DUE = "review_due", _("review due")
    POST_MORTEM_DUE = "post_mortem_due", _("post-mortem due")
    ACCOUNT_CHANGED = "account_changed", _("an account or a duty changed")


class DeliveryBusy(Exception):
    """Another worker is sending this very message; the job comes back later and looks again."""


def tell(kind: str, *, incident: Incident | None, subject: str, body: str) -> Message:
    """Record a message and one delivery per channel, in the caller's transaction: rolled back, nobody is told.

    Args:
        kind: one of Kind.
        body: plain sentences. The incident's address is added; it needs a sign-in.
    """
    address = f"\n\n{settings.BASE_URL}/incidents/{incident.reference}/" if incident else ""
    message = Message.objects.create(
        incident=incident,
        kind=Kind(kind),
        subject=str(subject)[:LONGEST_SUBJECT],
        body=f"{body}{address}",
        at=clock.now(),
    )
    for channel in channels.configured():
        deliver.defer(message_id=message.pk, channel=channel.name)
    return message


def last_told(kind: str, incident: Incident) -> datetime | None:
    """When a message of this kind was last recorded for the incident."""
    return Message.objects.filter(kind=kind, incident=incident).aggregate(last=models.Max("at"))["last"]


def is_due_again(kind: str, incident: Incident, *, every: timedelta, now: datetime) -> bool:
    last = last_told(kind, incident)
    return last is None or last + every <= now


@app.task(name="deliver", queue=QUEUE, retry=TRIES)
def deliver(message_id: int, channel: str) -> None:
    """Send one message on one channel, once, however many workers hold the job.

    Raises:
        ChannelFailed: the attempt is recorded; the job tries again, later each time.
        DeliveryBusy: another worker is at it.
    """
    close_old_connections()
    message = Message.objects.select_related("incident").get(pk=message_id)
    with _alone(message, channel):
        earlier = Delivery.objects.filter(message=message, channel=channel)
        if not earlier.filter(delivered=True).exists():
            _attempt(message, channel, number=earlier.count() + 1)


@contextmanager
def _alone(message: Message, channel: str) -> Iterator[None]:
    """Hold a session lock, not a transaction, while talking to the channel; it goes with the connection of a killed worker."""
    name = hashlib.sha256(f"deliver {message.pk} {channel}".encode()).digest()[:8]
    key = int.from_bytes(name, signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", [key])
        if not cursor.fetchone()[0]:
            raise DeliveryBusy
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_catalog.pg_advisory_unlock(%s)", [key])


def _attempt(message: Message, channel: str, *, number: int) -> None:
    try:
        channels.send(channels.named(channel), subject=message.subject, body=message.body)
    except channels.ChannelFailed as failure:
        _record(message, channel, number=number, error=str(failure))
        raise
    _record(message, channel, number=number, error="")


@transaction.atomic
def _record(message: Message, channel: str, *, number: int, error: str) -> None:
    Delivery.objects.create(
        message=message, channel=channel, attempt=number, delivered=not error, error=error, at=clock.now()
    )
    log.append(
        events.MESSAGE_FAILED if error else events.MESSAGE_SENT,
        by="worker",
        incident=message.incident.reference if message.incident else "",
        message=message.pk,
        kind=message.kind,
        channel=channel,
        attempt=number,
    )
