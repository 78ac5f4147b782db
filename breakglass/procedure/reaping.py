"""The worker closes, at every platform's doors, what outlived its end: a login that a frozen executor made after it was
proven gone, or that came back with a standby. It asks the platform, never the console's own records.
"""

import logging

from django.db import transaction
from procrastinate.contrib.django import app

from audit import events, log
from audit.refusals import Refused
from recovery import platforms
from recovery.doors import access
from recovery.models import AccessMode

EVERY_MINUTE = "30 * * * * *"

logger = logging.getLogger(__name__)


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="reap", queueing_lock="reap", lock="reap")
def reap(timestamp: int) -> None:
    """Close what is past its end; a platform that does not answer is asked again in a minute."""
    for platform in platforms.all():
        if platform.mode == AccessMode.DOORS:
            _reap(platform)


def _reap(platform: platforms.Platform) -> None:
    try:
        closed = access.reap(platform)
    except Refused as refused:
        logger.warning("The doors of %s could not be looked at: %s", platform.name, refused)
        return
    if closed:
        with transaction.atomic():
            log.append(events.ACCESS_CLOSED, by="worker", platform=platform.name, temporary_logins=closed)
