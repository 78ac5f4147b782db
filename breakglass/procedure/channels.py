"""The ways out of the console: one apprise address per channel, from the settings. Never shows an address, it holds secrets."""

import logging
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import apprise
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

SCHEMES = frozenset(
    {"json", "jsons", "mailto", "mailtos", "matrix", "matrixs", "ntfy", "ntfys", "pagerduty", "slack", "workflows"}
)
LONGEST_NAME = 64
LONGEST_ERROR = 500
TIMEOUT = 15  # seconds for one attempt


class ChannelFailed(Exception):
    """One attempt failed; the text says why, without the address."""


@dataclass(frozen=True)
class Channel:
    """A name that people see, and the address that nobody sees."""

    name: str
    url: str = field(repr=False)


def configured() -> tuple[Channel, ...]:
    """The channels of MESSAGE_CHANNELS, each `NAME=ADDRESS`.

    Raises:
        ImproperlyConfigured: an entry without a name, a name used twice, or a scheme that is not on the list.
    """
    channels = tuple(_channel(entry.strip()) for entry in settings.MESSAGE_CHANNELS if entry.strip())
    names = [channel.name for channel in channels]
    if len(set(names)) != len(names):
        raise ImproperlyConfigured(_("MESSAGE_CHANNELS names a channel twice."))
    return channels


def _channel(entry: str) -> Channel:
    name, equals, url = entry.partition("=")
    if not equals or not name or "/" in name or len(name) > LONGEST_NAME:
        raise ImproperlyConfigured(_("Each entry of MESSAGE_CHANNELS is NAME=ADDRESS."))
    if urlsplit(url).scheme.lower() not in SCHEMES:
        allowed = ", ".join(sorted(SCHEMES))
        raise ImproperlyConfigured(
            _("Channel {name} has a scheme that is not allowed. Use one of: {allowed}.").format(
                name=name, allowed=allowed
            )
        )
    return Channel(name, url)


def named(name: str) -> Channel:
    """The channel of that name. Raises ChannelFailed when the settings no longer have it."""
    for channel in configured():
        if channel.name == name:
            return channel
    raise ChannelFailed(_("This channel is no longer configured."))


def send(channel: Channel, *, subject: str, body: str) -> None:
    """One attempt, without retries of its own. Raises ChannelFailed with the reason."""
    asset = apprise.AppriseAsset(async_mode=False, storage_mode=apprise.common.PersistentStoreMode.MEMORY)
    messenger = apprise.Apprise(asset=asset)
    if not messenger.add(channel.url):
        raise ChannelFailed(_("The channel's address is not understood."))
    with messenger.notify(
        body, title=subject, body_format=apprise.NotifyFormat.TEXT, timeout=TIMEOUT, log_level=logging.WARNING
    ) as result:
        told = " ".join(entry.message for entry in result.logs())
    if not result:
        raise ChannelFailed(_without_address(told, channel) or _("The channel did not take the message."))


def _without_address(text: str, channel: Channel) -> str:
    """What the library said, with every part of the address that could be a secret blanked."""
    parts = urlsplit(channel.url)
    secrets = [channel.url, parts.password, parts.query, *parts.path.split("/"), parts.username]
    for secret in sorted((part for part in secrets if part and len(part) > 2), key=len, reverse=True):
        text = text.replace(secret, "***")
    return " ".join(text.split())[:LONGEST_ERROR]
