"""Reads every platform owner on the live platform and says what stops each sign-in. It only reads, through the reader."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property

from audit import clock

from . import database
from .models import RunKind
from .platforms import Platform
from .profile import Blocker, blocker

CLEARED_BY_ENABLE = frozenset({"disabled"})
CLEARED_BY_RESET = frozenset({"no_password", "locked", "password_expired"})


@dataclass(frozen=True)
class Owner:
    """One account that can own the platform. key: its id as text; last_sign_in: text of the platform, "" if never."""

    key: str
    login: str
    name: str
    tenant: str
    tenant_key: str
    is_enabled: bool
    is_owner: bool
    last_sign_in: str
    blockers: tuple[Blocker, ...]

    @property
    def stops(self) -> frozenset[str]:
        return frozenset(found.kind for found in self.blockers if found.is_stop)

    @property
    def is_healthy(self) -> bool:
        return self.is_owner and self.is_enabled and not self.stops


@dataclass(frozen=True)
class Report:
    """The owners of one physical database at one moment. clock_skew: platform minus console, in seconds."""

    system_identifier: str
    database_name: str
    server_version: int
    clock_skew: float
    owners: tuple[Owner, ...]

    @cached_property
    def healthy(self) -> tuple[Owner, ...]:
        return tuple(owner for owner in self.owners if owner.is_healthy)

    @cached_property
    def would_do(self) -> frozenset[str]:
        """Those of C and B that would bring some owner back with nothing else in the way."""
        stops = [owner.stops for owner in self.owners if owner.is_owner and owner.stops]
        found = {RunKind.ENABLE: CLEARED_BY_ENABLE, RunKind.RESET: CLEARED_BY_RESET}
        return frozenset(kind.value for kind, cleared in found.items() if any(stop <= cleared for stop in stops))

    @property
    def recommended(self) -> str:
        """The smallest change that helps: C before B before A; "" while somebody can sign in."""
        if self.healthy:
            return ""
        order = (RunKind.ENABLE.value, RunKind.RESET.value)
        return next((kind for kind in order if kind in self.would_do), RunKind.CREATE.value)

    def owner(self, key: str) -> Owner | None:
        return next((owner for owner in self.owners if owner.key == key), None)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Report":
        fields = json.loads(text)
        return cls(**{**fields, "owners": tuple(map(_owner_from, fields["owners"]))})


def _owner_from(fields: dict) -> Owner:
    return Owner(**{**fields, "blockers": tuple(Blocker(**found) for found in fields["blockers"])})


def read(platform: Platform, *, now: Callable = clock.now) -> Report:
    """Every owner, from one snapshot of the live platform. Raises kinds of PlatformRefused. See DESIGN section 2, step 1."""
    profile = platform.profile
    with database.reading(platform, profile) as session:
        found = database.identity(session)
        skew = (found.clock - now()).total_seconds()
        rows = session.execute(profile.owners.sql, {}).fetchall()
    return Report(
        system_identifier=found.system_identifier,
        database_name=found.database_name,
        server_version=found.server_version,
        clock_skew=round(skew, 3),
        owners=tuple(map(_owner, rows)),
    )


def forecast(platform: Platform, *, outcome: str, target_key: str = "") -> tuple[Blocker, ...]:
    """What would still stop the account's sign-in after this outcome; for create there is no account yet.

    A profile without a forecast query knows of nothing. Raises kinds of PlatformRefused.
    """
    profile = platform.profile
    if profile.forecast is None:
        return ()
    with database.reading(platform, profile) as session:
        rows = session.execute(profile.forecast.sql, {"key": target_key or None, "outcome": outcome}).fetchall()
    return tuple(dict.fromkeys(blocker(text) for (texts,) in rows for text in texts or ()))


def _owner(row: tuple) -> Owner:
    key, login, name, tenant, tenant_key, enabled, is_owner, last_sign_in, blockers = row
    return Owner(
        key=str(key),
        login=login or "",
        name=name or "",
        tenant=tenant or "",
        tenant_key=tenant_key or "",
        is_enabled=bool(enabled),
        is_owner=bool(is_owner),
        last_sign_in=last_sign_in or "",
        blockers=tuple(map(blocker, blockers or ())),
    )
