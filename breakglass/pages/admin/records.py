"""The procedure's single records in the admin, each read-only; some have an action of their own."""

from typing import Any

from django.contrib import admin
from django.forms import Form
from django.utils.formats import localize
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin

from audit.admin import ReadOnlyAdmin
from breakglass.pages.admin.actions import Named, NamedActionsAdmin
from breakglass.pages.change_forms import DoneForm, WaiveForm
from breakglass.pages.forms import WithdrawForm
from breakglass.procedure import approvals, revocation, windows
from breakglass.procedure.models import (
    Approval,
    Bundle,
    Choice,
    Delivery,
    Diagnosis,
    EvidenceItem,
    Execution,
    Judgement,
    LoginCheck,
    Message,
    Override,
    Participant,
    Plan,
    PlanRefusal,
    PostMortem,
    Review,
    RevocationItem,
    SignInProof,
    Window,
)


class RecordAdmin(ReadOnlyAdmin):
    """One record of an incident."""

    list_display: Any = ("incident", "at", "account")
    list_select_related: Any = ("incident", "account")
    list_per_page = 50
    search_fields = ("=incident__reference",)
    search_help_text = _("An incident's reference, written in full.")


def _login_gone(request: Any, item: RevocationItem) -> RevocationItem:
    return revocation.check_login(item, by=request.user)


def _is_open(item: RevocationItem) -> bool:
    return not revocation.is_finished(item)


@admin.register(Approval)
class ApprovalAdmin(NamedActionsAdmin, RecordAdmin):
    list_display = ("incident", "plan", "side", "duty", "person", "at", "withdrawn_at")
    list_filter = ("side", "duty")
    list_select_related = ("incident", "plan", "person")
    named = (
        Named(
            "withdraw",
            _("Withdraw this approval"),
            WithdrawForm,
            lambda request, approval, **given: approvals.withdraw(approval, by=request.user, **given),
            _("The approval is withdrawn. No run can begin with it."),
            lambda approval: approval.withdrawn_at is None,
            danger=True,
        ),
    )


@admin.register(Window)
class WindowAdmin(NamedActionsAdmin, RecordAdmin):
    list_display = ("incident", "kind", "opened", "ended", "account")
    fields = (
        "incident",
        "kind",
        "opened",
        "ended",
        "plan",
        "ops_approval",
        "second_approval",
        "database_key",
        "account",
    )
    list_filter = ("kind",)
    named = (
        Named(
            "end",
            _("End this window now"),
            Form,
            lambda request, window: windows.shorten(window, by=request.user),
            _("The window is closed. No run can begin in it."),
            lambda window: windows.current(window.incident) == window,
            danger=True,
        ),
    )

    @admin.display(description=_("opened"))
    def opened(self, window: Window) -> str:
        return localize(window.during.lower)

    @admin.display(description=_("ends or ended"))
    def ended(self, window: Window) -> str:
        return localize(window.during.upper)


@admin.register(RevocationItem)
class RevocationItemAdmin(NamedActionsAdmin, RecordAdmin):
    list_display = ("incident", "kind", "title", "owner", "mandatory", "done_at", "waived_until")
    list_filter = ("kind",)
    list_select_related = ("incident",)
    named = (
        Named(
            "check",
            _("Ask the platform whether it is gone"),
            Form,
            _login_gone,
            _("The platform says that the login is gone."),
            lambda item: item.kind == RevocationItem.Kind.LOGIN and _is_open(item),
        ),
        Named(
            "done",
            _("It is done"),
            DoneForm,
            lambda request, item, **given: revocation.done(item, by=request.user, **given),
            _("Recorded as done."),
            lambda item: item.kind != RevocationItem.Kind.LOGIN and _is_open(item),
        ),
        Named(
            "waive",
            _("Waive it until a date"),
            WaiveForm,
            lambda request, item, **given: revocation.waive(item, by=request.user, **given),
            _("Waived until the date that you gave."),
            lambda item: item.kind != RevocationItem.Kind.LOGIN and _is_open(item),
        ),
    )


@admin.register(PostMortem)
class PostMortemAdmin(ReadOnlyAdmin, SimpleHistoryAdmin):
    list_display = ("incident", "written_by", "written_at", "due_at")
    list_select_related = ("incident", "written_by")


@admin.register(Message)
class MessageAdmin(RecordAdmin):
    list_display = ("at", "kind", "subject", "incident")
    list_filter = ("kind",)
    list_select_related = ("incident",)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("at", "channel", "attempt", "delivered", "message")
    list_filter = ("delivered", "channel")
    list_select_related = ("message",)


@admin.register(EvidenceItem)
class EvidenceItemAdmin(RecordAdmin):
    list_display = ("incident", "kind", "name", "bytes", "sha256", "source")
    list_filter = ("kind",)


@admin.register(Execution)
class ExecutionAdmin(RecordAdmin):
    list_display = ("incident", "kind", "run", "account", "at")
    list_filter = ("kind",)
    list_select_related = ("incident", "run", "account")


@admin.register(Judgement)
class JudgementAdmin(RecordAdmin):
    list_display = ("incident", "execution", "changed", "person", "reason", "at")
    list_select_related = ("incident", "execution", "person")


@admin.register(Plan)
class PlanAdmin(RecordAdmin):
    list_display = ("incident", "number", "outcome", "words", "account", "at")
    list_filter = ("outcome",)


@admin.register(LoginCheck)
class LoginCheckAdmin(RecordAdmin):
    list_display = ("incident", "verdict", "at")
    list_select_related = ("incident",)


@admin.register(SignInProof)
class SignInProofAdmin(RecordAdmin):
    list_display = ("incident", "how", "account", "at")


admin.site.register((Bundle, Choice, Diagnosis, Override, Participant, PlanRefusal, Review), RecordAdmin)
