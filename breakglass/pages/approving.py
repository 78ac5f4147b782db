"""The approver's page, made for a phone: the sentence, the change, the words, the code. Yes, or no with a reason."""

from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from breakglass.pages import forecasts, sentences, turns, wizard
from breakglass.pages.forms import ApproveForm, RefuseForm, WithdrawForm
from breakglass.pages.opening import overrides_of
from breakglass.pages.planning import is_awaited, plan_facts, refusals_of
from breakglass.people.models import DutyName
from breakglass.procedure import approvals, policy
from breakglass.procedure.models import Approval, Incident, Plan, Window
from breakglass.procedure.position import Standing
from recovery.models import RunKind


@wizard.page("approval", "breakglass/approval.html")
def approval(request: HttpRequest, standing: Standing) -> wizard.Facts:
    """What is asked, what was said against it, who has agreed, and whose turn it is."""
    incident, plan, live = standing.incident, standing.plan, standing.live
    rules, is_open = turns.facts_of(plan, live), is_awaited(plan, incident)
    duties = turns.duties_for(wizard.somebody(request.user), rules)
    return {
        "plan": plan,
        "is_editable": is_open,
        "heading": sentences.act(plan, incident.platform),
        "lead": sentences.consequence(plan),
        "agreed": (given := agreed(standing)),
        "both": len(given) == len(Approval.Side),
        "mine": next((one for one in live.values() if one.person_id == request.user.person_id), None),
        "waiting": turns.waiting(incident, rules) if is_open else [],
        "why_not": None if duties else policy.refusal_to_approve(wizard.somebody(request.user), rules),
        "duties": duties,
        "duty_label": DutyName(duties[0]).label if len(duties) == 1 else "",
        "overrides": overrides_of(incident),
        **forecasts.facts(incident, None if plan.outcome == RunKind.RESTORE else plan.choice),
        "refusals": refusals_of(incident),
        "approve_form": approve_form(initial={"plan": plan.pk, "duty": duties[0] if duties else ""}, duties=duties),
        "refuse_form": RefuseForm(initial={"plan": plan.pk}),
        "withdraw_form": WithdrawForm(),
        **plan_facts(plan),
    }


def agreed(standing: Standing) -> list[Approval]:
    """Whose yes counts now; once the change was made, whose yes it was made on."""
    if is_awaited(standing.plan, standing.incident):
        return list(standing.live.values())
    opened = Window.objects.filter(plan=standing.plan).select_related(
        "ops_approval__account", "second_approval__account"
    )
    used = opened.order_by("-id").first()
    given = (used.ops_approval, used.second_approval) if used else ()
    return [one for one in given if one is not None]


def approve_form(*data: object, duties: tuple[str, ...] = (), **options: object) -> ApproveForm:
    """The form with the duties under which the reader may approve; which one is allowed, the step decides."""
    return ApproveForm(*data, **({"duties": duties} if duties else {}), **options)


def plan_of(incident: Incident, number: int) -> Plan:
    """The plan that was on the page: if a newer one has replaced it, the step says so instead of approving unseen."""
    plan = incident.plans.select_related("incident", "choice", "beneficiary").filter(pk=number).first()
    if plan is None:
        raise Http404(number)
    return plan


@wizard.action(approval, approve_form)
def approve(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Say yes to this plan."""
    given = form.cleaned_data
    plan = plan_of(incident, given["plan"])
    made = approvals.give(plan, by=request.user, code=given["code"], duty=given["duty"] or None)
    said = _("You approved plan %(number)d for %(side)s.") % {"number": plan.number, "side": made.get_side_display()}
    return wizard.done(request, incident, "approval", said)


@wizard.action(approval, RefuseForm)
def refuse(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Say no to this plan, and why."""
    given = form.cleaned_data
    plan = plan_of(incident, given["plan"])
    approvals.refuse(plan, by=request.user, code=given["code"], reason=given["reason"])
    said = _("You refused plan %(number)d. It is void, and your reason stays visible.") % {"number": plan.number}
    return wizard.done(request, incident, "plan", said)


@wizard.action(approval, WithdrawForm)
def withdraw(request: HttpRequest, incident: Incident, form: Form, number: int) -> HttpResponse:
    """Take one's own yes back."""
    found = Approval.objects.select_related("incident", "plan").filter(incident=incident, pk=number).first()
    if found is None:
        raise Http404(number)
    approvals.withdraw(found, by=request.user, **form.cleaned_data)
    return wizard.done(request, incident, "approval", _("The approval is withdrawn."))
