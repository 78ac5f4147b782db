"""Reads every platform owner on the live platform and says what stops each sign-in. It only reads, through the reader."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from audit import clock

from . import database
from .language.profile import CLEARED, Blocker, Profile, blocker
from .models import RunKind
from .platforms import Platform

SKEW_SECONDS = 2.0  # more than this is told
SMALLEST_FIRST = (RunKind.ENABLE.value, RunKind.RESET.value)


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
    """The owners of one physical database at one moment. clock_skew: platform minus console, in seconds.

    clears: which kinds of blockers each of enable and reset takes away on this platform, as its profile says.
    """

    system_identifier: str
    database_name: str
    server_version: int
    clock_skew: float
    owners: tuple[Owner, ...]
    clears: Mapping[str, frozenset[str]] = field(default_factory=lambda: CLEARED)

    @property
    def is_clock_off(self) -> bool:
        return abs(self.clock_skew) > SKEW_SECONDS

    @cached_property
    def healthy(self) -> tuple[Owner, ...]:
        return tuple(owner for owner in self.owners if owner.is_healthy)

    def fits(self, owner: Owner) -> list[str]:
        """Those of C and B that would bring this owner back with nothing else in the way, the smallest first."""
        if not owner.is_owner or not owner.stops:
            return []
        fitting = [kind for kind in SMALLEST_FIRST if owner.stops <= self.clears[kind]]
        return [kind for kind in fitting if kind != RunKind.ENABLE or not owner.is_enabled]

    @cached_property
    def would_do(self) -> frozenset[str]:
        """Those of C and B that would bring some owner back."""
        return frozenset(kind for owner in self.owners for kind in self.fits(owner))

    @property
    def recommended(self) -> str:
        """The smallest change that helps: C before B before A; "" while somebody can sign in."""
        if self.healthy:
            return ""
        return next((kind for kind in SMALLEST_FIRST if kind in self.would_do), RunKind.CREATE.value)

    def owner(self, key: str) -> Owner | None:
        return next((owner for owner in self.owners if owner.key == key), None)

    def to_json(self) -> str:
        clears = {kind: sorted(kinds) for kind, kinds in self.clears.items()}
        return json.dumps({**asdict(self), "clears": clears}, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Report":
        fields = json.loads(text)
        clears = {kind: frozenset(kinds) for kind, kinds in fields.get("clears", CLEARED).items()}
        return cls(**{**fields, "owners": tuple(map(_owner_from, fields["owners"])), "clears": clears})


def _owner_from(fields: dict[str, Any]) -> Owner:
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
        clears=_clears(profile),
    )


def _clears(profile: Profile) -> dict[str, frozenset[str]]:
    return {kind: profile.outcomes[kind].clears for kind in SMALLEST_FIRST}


def forecast(platform: Platform, *, outcome: str, target_key: str = "") -> tuple[Blocker, ...]:
    """What would still stop the account's sign-in after this outcome; for create there is no account yet.

    Without a forecast query it is what the diagnosis shows now, less what the outcome clears; nothing for create.
    `knows` tells whether anything could be said at all. Raises kinds of PlatformRefused.
    """
    profile = platform.profile
    if profile.forecast is None:
        return _left_over(platform, outcome, target_key) if target_key else ()
    with database.reading(platform, profile) as session:
        rows = session.execute(profile.forecast.sql, {"key": target_key or None, "outcome": outcome}).fetchall()
    return tuple(dict.fromkeys(blocker(text) for (texts,) in rows for text in texts or ()))


def knows(profile: Profile, *, outcome: str) -> bool:
    """Whether an empty forecast means that nothing is in the way, and not that nobody has looked."""
    return profile.forecast is not None or outcome in SMALLEST_FIRST


def _left_over(platform: Platform, outcome: str, target_key: str) -> tuple[Blocker, ...]:
    report = read(platform)
    owner = report.owner(target_key)
    cleared = report.clears.get(outcome, frozenset())
    return tuple(found for found in owner.blockers if found.kind not in cleared) if owner else ()


def _owner(row: tuple) -> Owner:
    key, login, name, tenant, tenant_key, enabled, is_owner, last_sign_in, blockers = row
    found = tuple(map(blocker, blockers or ()))
    if not enabled and not any(one.is_stop for one in found):
        found = (Blocker("disabled", _("the platform does not say why")), *found)
    return Owner(
        key=str(key),
        login=login or "",
        name=name or "",
        tenant=tenant or "",
        tenant_key=tenant_key or "",
        is_enabled=bool(enabled),
        is_owner=bool(is_owner),
        last_sign_in=last_sign_in or "",
        blockers=found,
    )
