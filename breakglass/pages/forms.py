"""Forms of the pages up to the open window. A form checks that input is well made; policy checks that it is allowed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from breakglass.pages.fields import CodeField, LongText, StepForm
from breakglass.people.models import DutyName, Person
from breakglass.procedure.models import Override, Trigger
from recovery.models import RunKind

OUTCOMES = tuple((kind.value, kind.label) for kind in (RunKind.CREATE, RunKind.RESET, RunKind.ENABLE))


class OpenForm(StepForm):
    """Page 0: which platform, which trigger, ticket and reason."""

    name = "open_form"
    platform = forms.ChoiceField(label=_("Platform"))
    trigger = forms.ChoiceField(label=_("What has happened"), choices=Trigger.choices, widget=forms.RadioSelect)
    ticket = forms.CharField(label=_("Ticket"), max_length=64)
    reason = LongText(label=_("Reason"), help_text=_("Two or three sentences. The approvers read them first."))
    follows = forms.CharField(required=False, widget=forms.HiddenInput, max_length=20)

    def __init__(self, *args: Any, platforms: Any = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["platform"].choices = [(found.name, f"{found.name}: {found.title}") for found in platforms]
        examples = sorted({found.ticket_example for found in platforms})
        self.fields["ticket"].help_text = _("Mandatory. For example %(examples)s.") % {"examples": ", ".join(examples)}


class AbandonForm(StepForm):
    name = "abandon_form"
    reason = LongText(label=_("Why is break-glass no longer needed?"), rows=3)


class OverrideForm(StepForm):
    """Security's reason to go on although the diagnosis says stop."""

    name = "override_form"
    kind = forms.ChoiceField(choices=Override.Kind.choices, widget=forms.HiddenInput)
    reason = LongText(label=_("Why must it go on?"), help_text=_("Both approvers see this in red."), rows=3)


class OutcomeForm(StepForm):
    """Exactly one outcome, its target, and the human who will hold the account."""

    name = "outcome_form"
    outcome = forms.ChoiceField(label=_("Outcome"), choices=OUTCOMES, widget=forms.RadioSelect)
    target_key = forms.ChoiceField(
        label=_("Account (for B and C)"), required=False, help_text=_("Only accounts that can own the platform.")
    )
    login = forms.CharField(
        label=_("New login (for A)"),
        required=False,
        max_length=255,
        help_text=_("As the person will type it to sign in."),
    )
    display_name = forms.CharField(label=_("Name shown on the platform (for A)"), required=False, max_length=150)
    beneficiary = forms.ModelChoiceField(
        Person.objects.none(), label=_("Who will hold it"), required=False, empty_label=_("somebody else, named below")
    )
    beneficiary_name = forms.CharField(label=_("Name"), required=False, max_length=150)
    beneficiary_contact = forms.CharField(
        label=_("Telephone or e-mail"),
        required=False,
        max_length=255,
        help_text=_("Where an approver reaches them now."),
    )
    why = LongText(label=_("Why is this login theirs?"), rows=3)
    reachable = forms.BooleanField(label=_("They can be reached now"), required=False)

    def __init__(self, *args: Any, owners: Any = (), people: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["target_key"].choices = [("", _("choose")), *((one.key, one.login) for one in owners)]
        self.fields["beneficiary"].queryset = people if people is not None else Person.objects.none()
        self.logins = {one.key: one.login for one in owners}

    def clean(self) -> dict[str, Any]:
        """What belongs together: A names a new login, B and C an account; somebody is named either way."""
        given = super().clean()
        if given.get("outcome") == RunKind.CREATE:
            self._need("login", _("A creates an account: type its login."))
            given["target_key"] = ""
        elif given.get("outcome"):
            self._need("target_key", _("B and C change an existing account: choose it."))
            given["login"], given["display_name"] = self.logins.get(given.get("target_key"), ""), ""
        if given.get("beneficiary") is None:
            self._need("beneficiary_name", _("Name the person who will hold the account."))
            self._need("beneficiary_contact", _("Say where the person is reached."))
        return given

    def _need(self, name: str, said: object) -> None:
        if not self.cleaned_data.get(name) and name not in self.errors:
            self.add_error(name, said)


class PlanForm(StepForm):
    name = "plan_form"
    window_minutes = forms.IntegerField(
        label=_("Length of the window in minutes"),
        min_value=5,
        max_value=60,
        help_text=_("5 to 60. It starts when somebody opens it, not when it is approved."),
        widget=forms.NumberInput(attrs={"class": "short", "inputmode": "numeric"}),
    )


class ApproveForm(StepForm):
    name = "approve_form"
    duty = forms.ChoiceField(label=_("Approve as"), required=False, widget=forms.RadioSelect)
    plan = forms.IntegerField(widget=forms.HiddenInput)
    code = CodeField(help_text=_("It approves this plan only, once."))

    def __init__(self, *args: Any, duties: tuple[str, ...] = tuple(DutyName.values), **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["duty"].choices = [(name, DutyName(name).label) for name in duties]
        if len(duties) == 1:
            self.fields["duty"].widget = forms.HiddenInput()


class RefuseForm(StepForm):
    name = "refuse_form"
    plan = forms.IntegerField(widget=forms.HiddenInput)
    reason = LongText(label=_("Why not?"), help_text=_("Everybody on the incident sees it."), rows=3)
    code = CodeField()


class WithdrawForm(StepForm):
    name = "withdraw_form"
    reason = LongText(label=_("Why do you take it back?"), rows=2)


class CodeForm(StepForm):
    """A step that needs nothing but a fresh second factor."""

    name = "code_form"
    code = CodeField()


class WindowForm(CodeForm):
    name = "window_form"
    plan = forms.IntegerField(widget=forms.HiddenInput)
