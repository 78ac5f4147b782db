"""How tests go past every step, as a broken web process or an attacker with the app's login would, and which rule stops them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from audit import clock
from audit.refusals import Refused
from breakglass.people.models import Account, StepUp
from breakglass.people.step_up import APPROVE
from breakglass.procedure.faults import broken_rule
from breakglass.procedure.models import Approval, Execution, Plan, Window
from recovery.models import Run
from tests import cast


@contextmanager
def refused_by(*rules: str, using: str = "default") -> Iterator[None]:
    """The block is refused by the database, by one of these constraints or rules, or SQLSTATEs."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic(using=using):
        yield
        with connections[using].cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    found = {broken_rule(caught.value), getattr(caught.value.__cause__, "sqlstate", "")}
    assert found & set(rules), f"refused, but by {found}: {caught.value}"


def sql(statement: str, *parameters: object) -> None:
    """One statement as the app role."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def raw_approval(plan: Plan, by: Account, step_up: StepUp | None = None, **lies: object) -> Approval:
    """An approval written past every step, true but for the lies: what a broken web process could try."""
    said = {
        "incident": plan.incident,
        "plan": plan,
        "account": by,
        "person_id": by.person_id,
        "at": clock.now(),
        "digest": plan.digest,
        "requester_person_id": plan.incident.requester_person_id,
        "beneficiary_person_id": plan.beneficiary_id,
        "practice": plan.incident.practice,
        "duty": "ops",
        "side": "ops",
        "step_up": step_up or fresh_code(by, plan.digest),
    }
    return Approval.objects.create(**{**said, **lies})


def fresh_code(by: Account, digest: str, purpose: str = APPROVE) -> StepUp:
    """The row that a right code leaves behind."""
    authenticator = cast.authenticator_of(by)
    return StepUp.objects.create(
        account=by, authenticator=authenticator, purpose=purpose, digest=digest, at=clock.now()
    )


def raw_window(plan: Plan | None, by: Account, *approvals: Approval, **lies: object) -> Window:
    """A window written past every step."""
    incident = lies.pop("incident", None) or plan.incident
    at = clock.now()
    ops, second = approvals or (None, None)
    said = {
        "incident": incident,
        "account": by,
        "person_id": by.person_id,
        "at": at,
        "kind": "plan" if plan else "disable",
        "plan": plan,
        "ops_approval": ops,
        "second_approval": second,
        "database_key": f"{incident.system_identifier}/{incident.database_name}",
        "during": DateTimeTZRange(at, at + timedelta(minutes=5), "[)"),
    }
    return Window.objects.create(**{**said, **lies})


def raw_run(window: Window, plan: Plan, **lies: object) -> Run:
    """The run that an execution would claim."""
    incident = window.incident
    said = {
        "incident": incident.reference,
        "kind": plan.outcome,
        "plan_digest": plan.digest,
        "content": plan.content,
        "platform": incident.platform,
        "system_identifier": incident.system_identifier,
        "database_name": incident.database_name,
        "profile_digest": "0" * 64,
        "window_end": window.during.upper,
        "operator": "olivia",
        "claimed_at": clock.now(),
    }
    return Run.objects.create(**{**said, **lies})


def raw_claim(
    window: Window, by: Account, plan: Plan | None = None, run: Run | None = None, **lies: object
) -> Execution:
    """The claim of a run written past every step; what a run needs is all asked by the database."""
    plan = plan or window.plan
    said = {
        "incident": window.incident,
        "account": by,
        "person_id": by.person_id,
        "at": lies.pop("at", None) or clock.now(),
        "kind": plan.outcome,
        "run": run or raw_run(window, plan),
        "window": window,
        "plan": plan,
        "ops_approval_id": window.ops_approval_id,
        "second_approval_id": window.second_approval_id,
    }
    return Execution.objects.create(**{**said, **lies})


def together(*calls: Callable[[], object]) -> list[object]:
    """Run all at the same moment, each on a connection of its own; what each returned or raised, in order."""
    barrier = Barrier(len(calls))

    def one(call: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=60)
            return call()
        except (Refused, DatabaseError) as no:
            return no
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))
