"""What every step shares: one transaction, the database's refusals in words, and a refused attempt in the log."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.db import connection, transaction

from audit import events, log
from audit.refusals import Refused
from breakglass.people.models import Account
from breakglass.people.step_up import take
from breakglass.procedure import texts
from breakglass.procedure.faults import as_refusals

LONGEST_TOLD = 2_000


def step(
    function: Callable[..., Any] | None = None, *, step_up: str = "", digest: Callable[..., str] | None = None
) -> Any:
    """Make a function a step: `@step`, or `@step(step_up=PURPOSE)` for one that takes a fresh second factor.

    The caller of a step with `step_up` gives `code=`; the function receives `step_up=`, the row that spending the code made.
    The code is spent in a transaction of its own before, so that it stays spent when the step is refused. It is bound to
    `digest(*subjects)`, or to the first subject's own `digest` if it has one.

    Inside: lock the incident, read the clock, check, write, append to the log last. Steps never nest.

    Raises:
        Refused: recorded in the log as `step.refused`, in a transaction of its own after the rollback.
    """
    if function is None:
        return functools.partial(step, step_up=step_up, digest=digest)

    @functools.wraps(function)
    def call(*subjects: Any, by: Account | str, **given: Any) -> Any:
        with recorded(_name(function), *subjects[:1], by=by):
            texts.check(**given)
            if step_up:
                bound = digest(*subjects) if digest else getattr(subjects[0], "digest", "")
                given["step_up"] = take(cast(Account, by), code=given.pop("code"), purpose=step_up, digest=bound)
            with as_refusals(), transaction.atomic():
                return function(*subjects, by=by, **given)

    return call


@contextmanager
def recorded(name: str, subject: object = None, *, by: Account | str) -> Iterator[None]:
    """Record a refusal in the log and let it go on. For steps, and for what looks at another system before a step."""
    if connection.in_atomic_block:
        raise transaction.TransactionManagementError("steps never nest: a refusal is recorded after the rollback")
    try:
        yield
    except Refused as refused:
        with transaction.atomic():
            told = refused.sentence[:LONGEST_TOLD]
            log.append(
                events.STEP_REFUSED,
                by=username(by),
                incident=reference_of(subject),
                step=name,
                refusal=refused.code,
                told=told,
            )
        raise


def username(by: Account | str) -> str:
    """Who acts, as the log names them: an account's username, or "keeper", "worker", "handover"."""
    return by if isinstance(by, str) else by.username


def reference_of(subject: object) -> str:
    """The incident's reference, from an incident or from anything that belongs to one; "" for what belongs to none."""
    incident = getattr(subject, "incident", subject)
    return getattr(incident, "reference", "")


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__.rpartition('.')[2]}.{function.__name__.lstrip('_')}"
