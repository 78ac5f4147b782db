"""Where a change stands that needs a database administrator's hand, for the pages. Reads only."""

from typing import Any

from breakglass.pages.by_hand_forms import ReceiptForm, ScriptForm, UnreachableForm, UseForm
from breakglass.procedure.models import Execution, Plan
from recovery.doors import premade
from recovery.models import Access, AccessMode, Run, RunState
from recovery.planning.documents import PlanDocument


def of_plan(plan: Plan, done: Execution | None, accesses: list[Access]) -> dict[str, Any]:
    """What the page of the change shows: `mode`, and for the mode what `of_run` says; `stage` prepare when nothing waits."""
    mode = PlanDocument(plan.content).mode
    facts = of_run(done.run, accesses) if done else {}
    stage = facts.get("stage", "")
    if mode == AccessMode.PREMADE and not stage and not plan.has_run:
        stage = "prepare"
    return {**facts, "mode": mode, "stage": stage}


def of_run(run: Run, accesses: list[Access]) -> dict[str, Any]:
    """`stage` of a pre-made login: open, opened, close, lost or "" (nothing to do); `paper`: the script that is out."""
    if run.mode == AccessMode.PREMADE:
        return _of_premade(run, next((one for one in accesses if one.is_agreed), None))
    if run.mode == AccessMode.PAPER and not run.is_decided:
        forms = {form.name: form() for form in (ScriptForm, ReceiptForm, UnreachableForm)}
        return {"mode": run.mode, "paper": getattr(run, "paper", None), **forms}
    return {"mode": run.mode}


def _of_premade(run: Run, access: Access | None) -> dict[str, Any]:
    facts = {"mode": run.mode, "stage": _stage(run, access), "use_form": UseForm()}
    return facts | ({"asked": premade.statements(access)} if access and facts["stage"] else {})


def _stage(run: Run, access: Access | None) -> str:
    """lost: it waits, but the keeper's answer never came, since the process that asked has died."""
    is_waiting = run.state == RunState.INTENT
    if access is None or access.proven_at is not None:
        return "lost" if is_waiting else ""
    if is_waiting:
        return "opened" if access.opened_at else "open"
    return "close"
