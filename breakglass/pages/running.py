"""Pages of the change: the window, the hand-over or the button, what was changed, and the proof that somebody is in again."""

from typing import Any

import segno
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from audit.refusals import Refused
from breakglass.pages import by_hand_facts, diffs, forecasts, sentences, wizard
from breakglass.pages.approving import agreed, plan_of
from breakglass.pages.change_forms import ConfirmForm, JudgeForm, LinkForm, RunForm, SpokenForm
from breakglass.pages.forms import WindowForm
from breakglass.pages.planning import is_awaited, plan_facts
from breakglass.procedure import execution, handover, judging, login_proofs, policy, proofs, windows
from breakglass.procedure.models import Execution, Incident, Plan, Window
from breakglass.procedure.position import Standing
from recovery import platforms
from recovery.doors import openings
from recovery.models import AccessMode, DecidedBy, Run, RunKind, RunState


@wizard.page("window", "breakglass/window.html")
def window(request: HttpRequest, standing: Standing) -> wizard.Facts:
    """Both approvals, their age, and the window that they open."""
    incident, plan, live, now = standing.incident, standing.plan, standing.live, standing.moment
    return {
        "plan": plan,
        "is_editable": is_awaited(plan, incident),
        "heading": sentences.act(plan, incident.platform),
        "approvals": [(one, policy.is_young(one.at, now)) for one in agreed(standing)],
        "is_ready": len(live) == 2 and all(policy.is_young(one.at, now) for one in live.values()),
        "window": standing.window,
        "earlier": list(Window.objects.filter(incident=incident).select_related("account").order_by("-id")[:10]),
        "window_form": WindowForm(initial={"plan": plan.pk}),
        **plan_facts(plan),
    }


@wizard.action(window, WindowForm)
def open_window(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Open the window for the approved plan."""
    windows.open(plan_of(incident, form.cleaned_data["plan"]), by=request.user, code=form.cleaned_data["code"])
    return wizard.done(request, incident, "execute", _("The window is open."))


@wizard.action(window)
def end_window(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
    """End the open window now."""
    current = windows.current(incident)
    if current is not None:
        windows.shorten(current, by=request.user)
    return wizard.done(request, incident, "window", _("The window has ended."))


@wizard.page("execute", "breakglass/execute.html")
def execute(request: HttpRequest, standing: Standing) -> wizard.Facts:
    """The hand-over for A and B, the button for C, and afterwards what was changed."""
    incident, plan = standing.incident, standing.plan
    done = latest_execution(plan)
    facts = run_facts(done)
    return {
        "plan": plan,
        "is_editable": is_awaited(plan, incident),
        "is_restore": plan.outcome == RunKind.RESTORE,
        "needs_password": plan.outcome in sentences.WITH_PASSWORD,
        "heading_plan": sentences.act(plan, incident.platform),
        **forecasts.facts(incident, None if plan.outcome == RunKind.RESTORE else plan.choice),
        **(_making_facts(request, standing) if not plan.has_run or is_waiting(done) else {}),
        **facts,
        **by_hand_facts.of_plan(plan, done, facts.get("accesses", [])),
        **judging_facts(request, done),
    }


def _making_facts(request: HttpRequest, standing: Standing) -> dict[str, Any]:
    """What it takes to make the change, as long as it is not made."""
    live = standing.live
    return {
        "window": standing.window,
        "handover": handover.current(standing.incident, at=standing.moment),
        "is_approver": request.user.person_id in {one.person_id for one in live.values()},
        "approvers": [one.account.username for one in live.values()],
        "link_form": LinkForm(),
        "spoken_form": SpokenForm(),
        "run_form": RunForm(),
    }


def judging_facts(request: HttpRequest, done: Execution | None) -> dict[str, Any]:
    """For a run that needs a human: whether this one may decide it, and the form for that."""
    is_unclear = done is not None and done.run.state == RunState.NEEDS_HUMAN
    return {"may_judge": is_unclear and judging.may_judge(done.incident, request.user), "judge_form": JudgeForm()}


def latest_execution(plan: Plan) -> Execution | None:
    """The latest attempt at this plan, whatever came of it."""
    return with_run(Execution.objects.filter(plan=plan)).order_by("-id").first()


def with_run(executions: QuerySet[Execution]) -> QuerySet[Execution]:
    """Executions with all that `run_facts` and `judging_facts` ask about them."""
    judged = ("judgement__person", "judgement__account")
    return executions.select_related("incident", "run", "account", *judged)


def run_facts(execution: Execution | None) -> dict[str, Any]:
    """What a page says about a run, and the person's decision on it, if it was not the machine's."""
    if execution is None:
        return {"run": None, "verdict": "none"}
    run = execution.run
    return {
        "run": run,
        "verdict": verdict_of(run),
        "rows": diffs.of_run(run),
        "sent": diffs.sent_by(run),
        "accesses": openings.of_run(run),
        "judgement": getattr(execution, "judgement", None) if run.decided_by == DecidedBy.PERSON else None,
    }


def verdict_of(run: Run) -> str:
    """changed, unchanged, human, waiting (for a login) or unknown. Unknown is never called a failure."""
    said = {RunState.COMMITTED: "changed", RunState.ABORTED: "unchanged", RunState.NEEDS_HUMAN: "human"}
    if is_waiting_run(run):
        return "waiting"
    return said.get(RunState(run.state), "unknown")


def is_waiting_run(run: Run) -> bool:
    """Whether nothing was sent yet, since a database administrator has to open the login first."""
    return run.mode == AccessMode.PREMADE and run.state == RunState.INTENT


def is_waiting(done: Execution | None) -> bool:
    return done is not None and is_waiting_run(done.run)


@wizard.action(execute, LinkForm)
def show_link(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Make the beneficiary's link. It is shown in this answer only: it is kept nowhere, so there is nothing to redirect to."""
    made, address = handover.show(incident, by=request.user, code=form.cleaned_data["code"])
    return execute.show(request, incident, link=address, qr=qr_of(address), handover=made)


def qr_of(address: str) -> str:
    """The address as an inline SVG without styles, as the content security policy wants it."""
    # segno makes the markup from numbers alone; nothing of the address is in it as text.
    return mark_safe(segno.make(address, error="m", micro=False).svg_inline(omitsize=True, border=2))


@wizard.action(execute, SpokenForm)
def show_code(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Show an approver the code that he reads out to the beneficiary."""
    link = handover.current(incident)
    if link is None:
        return wizard.done(request, incident, "execute", _("There is no link in use now, so there is no code."))
    said = handover.approver_code(link, by=request.user, code=form.cleaned_data["code"])
    return execute.show(request, incident, spoken=said)


@wizard.action(execute, RunForm)
def run_now(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """The operator makes the change where no password is set."""
    execution.execute(incident, by=request.user, code=form.cleaned_data["code"])
    return wizard.done(request, incident, "execute")


@wizard.page("proof", "breakglass/proof.html")
def proof(request: HttpRequest, standing: Standing) -> wizard.Facts:
    """Whether the recovered person has signed in since the change."""
    incident = standing.incident
    done = execution.last_committed(incident)
    checked = login_proofs.of(incident).last()
    return {
        "execution": done,
        "login": done.plan.choice.login if done else "",
        "person": done.plan.beneficiary.name if done else "",
        "sign_in_url": sign_in_address(incident),
        "proof": proofs.by_person(incident),
        "checked": checked,
        "check": login_proofs.result_of(checked),
        "confirm_form": ConfirmForm(),
        **forecasts.facts(incident, done.plan.choice if done else None),
        **run_facts(done),
    }


def sign_in_address(incident: Incident) -> str:
    """Where people sign in to the platform, if its configuration says so."""
    try:
        return platforms.get(incident.platform).sign_in_url
    except Refused:
        return ""


@wizard.action(proof)
def look(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
    """Ask the platform whether the recovered account has signed in."""
    seen = proofs.look(incident, by=request.user)
    is_pressed = "X-Repeated" not in request.headers
    return wizard.done(request, incident, "proof", _("Not seen yet.") if is_pressed and not seen else "")


@wizard.action(proof, ConfirmForm)
def confirm(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Record who confirmed the sign-in, for platforms that do not show it."""
    proofs.confirm(incident, by=request.user, **form.cleaned_data)
    return wizard.done(request, incident, "proof")
