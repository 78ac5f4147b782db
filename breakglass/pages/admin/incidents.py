"""Incidents in the admin: the procedure's checklist, the post-mortem, and the actions that are Security's to take."""

from typing import Any

from django.contrib import admin
from django.forms import Form
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import localize
from django.utils.translation import gettext_lazy as _

from breakglass.pages.admin.actions import Named, NamedActionsAdmin, line
from breakglass.pages.change_forms import DisableForm, JudgeForm, PostMortemForm, ReviewForm
from breakglass.pages.forms import AbandonForm, OverrideForm
from breakglass.pages.judging import said_of
from breakglass.procedure import execution, incidents, judging, position, postmortem, revocation, rollback
from breakglass.procedure.models import (
    Approval,
    Bundle,
    Diagnosis,
    EvidenceItem,
    Execution,
    Incident,
    Judgement,
    LoginCheck,
    Message,
    Override,
    Participant,
    Plan,
    PlanRefusal,
    Review,
    RevocationItem,
    SignInProof,
    Window,
)
from breakglass.procedure.states import FINAL, State
from recovery.models import Run, RunState

BEFORE_THE_CHANGE = {State.OPENED, State.DIAGNOSED, State.PLANNED}
AFTER_THE_CHANGE = {State.EXECUTED, State.PROVEN, State.REVOKED, State.SEALED}


def _in(states: set[State]) -> Any:
    return lambda incident: incident.state in states


def _written(incident: Incident) -> dict[str, Any]:
    """The post-mortem as it stands, for its form."""
    written = getattr(incident, "post_mortem", None)
    return {name: getattr(written, name, "") for name in PostMortemForm.base_fields}


def _said_of_disabling(run: Run) -> str:
    if run.state == RunState.COMMITTED:
        return _("The account is disabled on the platform. The incident report is among the evidence.")
    if run.state == RunState.ABORTED:
        return _("Nothing was changed on the platform: {reason}").format(reason=run.reason)
    return _("It is not known yet whether the account is disabled. The console asks the platform until it knows.")


@admin.display(description=_("opened"))
def _lower(_line: Any, window: Window) -> str:
    return localize(window.during.lower)


@admin.display(description=_("ends or ended"))
def _upper(_line: Any, window: Window) -> str:
    return localize(window.during.upper)


ACTIONS = (
    Named(
        "override",
        _("Let it go on although the diagnosis says stop"),
        OverrideForm,
        lambda request, incident, **given: incidents.override(incident, by=request.user, **given),
        _("Your reason is recorded. Both approvers will see it in red."),
        lambda incident: incident.state == State.DIAGNOSED,
        start=lambda incident: {"kind": Override.Kind.HEALTHY_OWNER},
    ),
    Named(
        "suspect-exposure",
        _("Exposure is suspected: secrets must be rotated"),
        Form,
        lambda request, incident: incidents.suspect_exposure(incident, by=request.user),
        _("Every secret of the platform's configuration must now be rotated."),
        lambda incident: incident.state not in FINAL and not incident.exposure_suspected,
    ),
    Named(
        "finish-revocation",
        _("Revocation is finished"),
        Form,
        lambda request, incident: revocation.finish(incident, by=request.user),
        _("Access is revoked. The evidence is next."),
        _in({State.EXECUTED, State.PROVEN}),
    ),
    Named(
        "post-mortem",
        _("Write the post-mortem"),
        PostMortemForm,
        lambda request, incident, **given: postmortem.write(incident, by=request.user, **given),
        _("The post-mortem is kept, and every version before it."),
        _in(AFTER_THE_CHANGE),
        start=_written,
    ),
    Named(
        "review",
        _("Review it for Security"),
        ReviewForm,
        lambda request, incident, **given: postmortem.review(incident, by=request.user, **given),
        _("Your review is recorded."),
        _in(AFTER_THE_CHANGE),
    ),
    Named(
        "close",
        _("Close the incident"),
        Form,
        lambda request, incident: postmortem.close(incident, by=request.user),
        _("The incident is closed. Closed is final."),
        _in({State.SEALED}),
    ),
    Named(
        "disable-now",
        _("Disable the admin now and write the incident report"),
        DisableForm,
        lambda request, incident, **given: rollback.disable_now(incident, by=request.user, **given),
        _said_of_disabling,
        lambda incident: incident.state in AFTER_THE_CHANGE and execution.last_committed(incident) is not None,
        danger=True,
    ),
    Named(
        "ask-again",
        _("Ask the platform again"),
        Form,
        lambda request, incident: execution.ask_again(incident, by=request.user),
        said_of,
        lambda incident: judging.unclear(incident) is not None,
    ),
    Named(
        "judge",
        _("Decide what became of the run: a person, not the machine"),
        JudgeForm,
        lambda request, incident, **given: execution.judge(incident, by=request.user, **given),
        _("Your decision is recorded, with your name and reason."),
        lambda incident: judging.unclear(incident) is not None,
        danger=True,
    ),
    Named(
        "abandon",
        _("Abandon: break-glass is not needed"),
        AbandonForm,
        lambda request, incident, **given: incidents.abandon(incident, by=request.user, **given),
        _("The incident is abandoned. Nothing was changed on the platform."),
        _in(BEFORE_THE_CHANGE),
        danger=True,
    ),
)


@admin.register(Incident)
class IncidentAdmin(NamedActionsAdmin):
    named = ACTIONS
    change_form_template = "admin/console/incident.html"
    list_display = (
        "reference",
        "platform",
        "state",
        "ticket",
        "requester_account",
        "opened_at",
        "closed_at",
        "practice",
    )
    list_filter = ("state", "platform", "trigger", "practice", "exposure_suspected")
    list_select_related = ("requester_account",)
    list_per_page = 50
    search_fields = ("=reference", "=ticket")
    search_help_text = _("An incident's reference or a ticket, written in full.")
    inlines = (
        line(Participant, "person", "part", "at"),
        line(Diagnosis, "at", "account", "healthy", "recommended"),
        line(Override, "at", "account", "kind", "reason"),
        line(Plan, "number", "outcome", "words", "window_minutes", "account", "at"),
        line(Approval, "plan", "side", "duty", "person", "at", "withdrawn_at", "withdrawn_reason"),
        line(PlanRefusal, "plan", "person", "reason", "at"),
        line(Window, "kind", "opened", "ended", "account", opened=_lower, ended=_upper),
        line(Execution, "kind", "run", "account", "at", "reason"),
        line(Judgement, "execution", "changed", "reason", "machine_said", "person", "at"),
        line(LoginCheck, "verdict", "facts", "at"),
        line(SignInProof, "how", "detail", "at"),
        line(RevocationItem, "kind", "title", "owner", "done_at", "waived_until"),
        line(EvidenceItem, "kind", "name", "bytes", "sha256"),
        line(Bundle, "at", "bytes", "integrity", "complete", "sha256"),
        line(Review, "person", "at", "findings"),
        line(Message, "kind", "subject", "at"),
    )

    def panel(self, request: HttpRequest, incident: Incident) -> dict[str, Any]:
        """The checklist: where the procedure stands, and which boxes of the post-mortem still lack content."""
        return {
            **super().panel(request, incident),
            "checklist": position.steps(incident, person=request.user.person),
            "wizard": reverse("incident", args=[incident.reference]),
            "missing": postmortem.missing(incident) if incident.state in AFTER_THE_CHANGE else (),
        }
