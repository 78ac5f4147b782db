"""The secret that a platform mixes into every password hash: found when a hash is made, held in memory, kept nowhere."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from audit.refusals import Refused

from .. import database
from ..database import Session
from ..language.password_rule import PasswordRule
from ..language.pepper_view import VIEW
from ..platforms import Platform
from ..refusals import PepperMissing

MOST = 1024


def source(platform: Platform, rule: PasswordRule) -> str:
    """Where the pepper comes from, for people: never the pepper itself; "" where the scheme has none."""
    if not rule.needs_pepper:
        return ""
    return _("the profile's query") if rule.pepper is not None else str(platform.pepper or "")


def read(platform: Platform, rule: PasswordRule, session: Session | None = None) -> str:
    """The pepper, "" where the scheme has none. session: of the reader, where one is open.

    Raises PepperMissing, SecretFileOpen, and what the platform answers.
    """
    if not rule.needs_pepper:
        return ""
    if rule.pepper is None:
        if platform.pepper is None:
            raise PepperMissing(platform=platform.name, source=_("the platform file"), why=_("it names none"))
        return _checked(platform, platform.pepper.secret(), str(platform.pepper))
    if session is not None:
        return _queried(platform, session)
    with database.reading(platform, platform.profile) as own:
        return _queried(platform, own)


def missing(platform: Platform, rule: PasswordRule, session: Session) -> Iterator[str]:
    """What stands in the way of making a hash here, as sentences."""
    try:
        read(platform, rule, session)
    except Refused as refusal:
        yield refusal.sentence


def _queried(platform: Platform, session: Session) -> str:
    exists = "SELECT to_regclass(%s) IS NOT NULL AND has_table_privilege(to_regclass(%s), 'SELECT')"
    if not session.one(exists, [VIEW.quoted, VIEW.quoted])[0]:
        why = _("it may not be read; run the script of: platform grants")
        raise PepperMissing(platform=platform.name, source=f"the view {VIEW}", why=why)
    rows = session.execute(f"SELECT pepper::text FROM {VIEW.quoted} LIMIT 2").fetchall()
    if len(rows) != 1 or not rows[0][0]:
        raise PepperMissing(platform=platform.name, source=f"the view {VIEW}", why=_("it must give exactly one text"))
    session.hide(rows[0][0])
    return _checked(platform, rows[0][0], f"the view {VIEW}")


def _checked(platform: Platform, pepper: str, found: str) -> str:
    if len(pepper.encode()) > MOST:
        raise PepperMissing(
            platform=platform.name, source=found, why=_("it is longer than {most} bytes").format(most=MOST)
        )
    return pepper
