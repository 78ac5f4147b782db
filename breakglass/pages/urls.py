"""The addresses of the console's own pages. Each step has a page; each button posts to an address of its own."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, include, path, register_converter

from audit import urls as audit_urls
from breakglass.pages import (
    approving,
    by_hand,
    closing,
    handover,
    inbox,
    judging,
    opening,
    planning,
    rollback,
    running,
    wizard,
)


class ReferenceConverter:
    """An incident's reference, such as BG-2026-0042."""

    regex = r"[A-Z]{2,5}-[0-9]{4}-[0-9]{1,9}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(ReferenceConverter, "reference")


def for_duties(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of another room, for anybody with a live duty."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **address: Any) -> HttpResponse:
        wizard.require_duty(request.user)
        return view(request, *args, **address)

    return guarded


LOG = [URLPattern(one.pattern, for_duties(one.callback), one.default_args, one.name) for one in audit_urls.urlpatterns]

STEPS = [
    path("", opening.incident, name="incident"),
    path("pulse/", opening.pulse, name="incident-pulse"),
    path("when/", opening.when, name="incident-when"),
    path("when/abandon/", opening.abandon, name="incident-abandon"),
    path("diagnosis/", opening.diagnosis, name="incident-diagnosis"),
    path("diagnosis/look/", opening.diagnose, name="incident-diagnose"),
    path("diagnosis/override/", opening.override, name="incident-override"),
    path("outcome/", planning.outcome, name="incident-outcome"),
    path("outcome/choose/", planning.choose, name="incident-choose"),
    path("plan/", planning.plan, name="incident-plan"),
    path("plan/make/", planning.make_plan, name="incident-make-plan"),
    path("approval/", approving.approval, name="incident-approval"),
    path("approval/approve/", approving.approve, name="incident-approve"),
    path("approval/refuse/", approving.refuse, name="incident-refuse"),
    path("approval/<int:number>/withdraw/", approving.withdraw, name="incident-withdraw"),
    path("window/", running.window, name="incident-window"),
    path("window/open/", running.open_window, name="incident-open-window"),
    path("window/end/", running.end_window, name="incident-end-window"),
    path("execute/", running.execute, name="incident-execute"),
    path("execute/link/", running.show_link, name="incident-link"),
    path("execute/code/", running.show_code, name="incident-approver-code"),
    path("execute/run/", running.run_now, name="incident-run"),
    path("execute/ask/", judging.ask_again, name="incident-execute-ask"),
    path("execute/judge/", judging.judge, name="incident-execute-judge"),
    path("execute/access/prepare/", by_hand.prepare, name="incident-access-prepare"),
    path("execute/access/look/", by_hand.look, name="incident-execute-access-look"),
    path("execute/access/give-up/", by_hand.give_up, name="incident-execute-access-give-up"),
    path("execute/access/closed/", by_hand.look_closed, name="incident-execute-access-closed"),
    path("execute/script/", by_hand.show, name="incident-execute-script"),
    path("execute/receipt/", by_hand.bring, name="incident-execute-receipt"),
    path("execute/paper/look/", by_hand.look_paper, name="incident-execute-paper-look"),
    path("execute/paper/person/", by_hand.to_a_person, name="incident-execute-paper-person"),
    path("proof/", running.proof, name="incident-proof"),
    path("proof/look/", running.look, name="incident-look"),
    path("proof/confirm/", running.confirm, name="incident-confirm"),
    path("revoke/", closing.revoke, name="incident-revoke"),
    path("revoke/prepare/", closing.prepare, name="incident-prepare"),
    path("revoke/<int:number>/check/", closing.check_login, name="incident-check-login"),
    path("revoke/<int:number>/done/", closing.item_done, name="incident-item-done"),
    path("revoke/<int:number>/waive/", closing.waive, name="incident-waive"),
    path("revoke/finish/", closing.finish, name="incident-finish"),
    path("evidence/", closing.evidence_page, name="incident-evidence"),
    path("evidence/collect/", closing.collect, name="incident-collect"),
    path("evidence/upload/", closing.upload, name="incident-upload"),
    path("evidence/absence/", closing.absence, name="incident-absence"),
    path("evidence/seal/", closing.seal, name="incident-seal"),
    path("evidence/<int:number>/export/", closing.export, name="incident-export"),
    path("post-mortem/", closing.post_mortem, name="incident-post-mortem"),
    path("post-mortem/write/", closing.write, name="incident-write"),
    path("post-mortem/draft/", closing.draft_review, name="incident-draft"),
    path("post-mortem/review/", closing.review, name="incident-review"),
    path("post-mortem/close/", closing.close, name="incident-close"),
    path("rollback/", rollback.rollback, name="incident-rollback"),
    path("rollback/disable/", rollback.disable, name="incident-disable"),
    path("rollback/restore/", rollback.plan_restore, name="incident-restore"),
    path("rollback/ask/", judging.ask_again_undone, name="incident-rollback-ask"),
    path("rollback/judge/", judging.judge_undone, name="incident-rollback-judge"),
    path("rollback/access/use/", by_hand.disable_with, name="incident-rollback-access-use"),
    path("rollback/access/look/", by_hand.look_undone, name="incident-rollback-access-look"),
    path("rollback/access/give-up/", by_hand.give_up_undone, name="incident-rollback-access-give-up"),
    path("rollback/access/closed/", by_hand.look_closed_undone, name="incident-rollback-access-closed"),
    path("rollback/script/", by_hand.show_undone, name="incident-rollback-script"),
    path("rollback/receipt/", by_hand.bring_undone, name="incident-rollback-receipt"),
    path("rollback/paper/look/", by_hand.look_paper_undone, name="incident-rollback-paper-look"),
    path("rollback/paper/person/", by_hand.to_a_person_undone, name="incident-rollback-paper-person"),
    path("rollback/exposure/", rollback.expose, name="incident-expose"),
]

urlpatterns = [
    path("", opening.incidents, name="incidents"),
    path("incidents/open/", opening.incident_open, name="incident-open"),
    path("incidents/<reference:reference>/", include(STEPS)),
    path("handover/done/<uuid:run>/", handover.done, name="handover-done"),
    path("handover/<str:token>/", handover.page, name="handover"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("", include((LOG, "audit"))),
]
