"""Known devices: a signed cookie that gives its holder a lane of the throttle, and nothing else. It opens nothing."""

import secrets

from django.core import signing

from breakglass.people.models import Account

COOKIE = "known_device"
SALT = "breakglass known device"
LIFE = 90 * 24 * 3600  # seconds, by the host's clock: no rule hangs on it


def remember(account: Account, cookie: str = "") -> str:
    """The cookie's value for a device on which the account has just signed in; the same device keeps its number."""
    return signing.dumps({"account": account.pk, "device": known(cookie, account) or secrets.token_hex(16)}, salt=SALT)


def known(cookie: str, account: Account | None) -> str:
    """The number of the device if the cookie was given to this account; "" for any other, forged or old cookie."""
    try:
        said = signing.loads(cookie, salt=SALT, max_age=LIFE)
    except signing.BadSignature:
        return ""
    return said["device"] if account is not None and said["account"] == account.pk else ""
