"""What the steps about people share: a refused attempt is recorded after its rollback. The procedure's steps have their own."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, transaction

from audit import events, log
from audit.refusals import Refused
from breakglass.people.models import Account
from breakglass.people.refusals import PracticeWall, SomebodyWasFaster, TwoPeopleNeeded

LONGEST_TOLD = 2_000
BY_RULE: dict[str, type[Refused]] = {
    "people_account_username_key": SomebodyWasFaster,
    "one_duty_of_a_kind_at_a_time": SomebodyWasFaster,
    "two_people_of_security": TwoPeopleNeeded,
    "practice_never_meets_real": PracticeWall,
}


def step(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function with `by=` an account a step: a Refused is recorded in a transaction of its own and goes on."""

    @functools.wraps(function)
    def call(*subjects: Any, by: Account, **given: Any) -> Any:
        try:
            return function(*subjects, by=by, **given)
        except Refused as refused:
            record(refused, f"{function.__module__.rpartition('.')[2]}.{function.__name__}", by=by.username)
            raise

    return call


def record(refused: Refused, name: str, *, by: str) -> None:
    """Write the refused attempt into the log."""
    told = refused.sentence[:LONGEST_TOLD]
    with transaction.atomic():
        log.append(events.STEP_REFUSED, by=by, step=name, refusal=refused.code, told=told)


@contextmanager
def changing() -> Iterator[None]:
    """One transaction; what a rule of the database refuses in it comes out as the Refused of that rule."""
    try:
        with transaction.atomic():
            yield
    except DatabaseError as error:
        rule = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
        if rule in BY_RULE:
            raise BY_RULE[rule] from error
        raise
