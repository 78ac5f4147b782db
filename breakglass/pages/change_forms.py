"""Forms of the pages from the hand-over to the closing. Passwords and codes are never sent back to a browser."""

from django import forms
from django.utils.translation import gettext_lazy as _

from breakglass.pages.fields import CodeField, LongText, SpokenCodeField, StepForm, UploadField
from breakglass.pages.forms import CodeForm
from breakglass.procedure.models import EvidenceItem


class LinkForm(CodeForm):
    name = "link_form"


class SpokenForm(CodeForm):
    """An approver asks for the code that the beneficiary hears from them."""

    name = "spoken_form"


class RunForm(CodeForm):
    name = "run_form"


class DisableForm(StepForm):
    name = "disable_form"
    reason = LongText(
        label=_("What is wrong?"),
        help_text=_(
            "For example: the wrong account was reset. It opens the incident report, which the console writes."
        ),
        rows=3,
    )
    code = CodeField()


class JudgeForm(StepForm):
    """A person's decision on a run that the machine could not decide."""

    name = "judge_form"
    changed = forms.TypedChoiceField(
        label=_("Does the platform keep the change?"),
        choices=[("yes", _("Yes, the change was made")), ("no", _("No, nothing was changed"))],
        coerce=lambda said: said == "yes",
        widget=forms.RadioSelect,
    )
    reason = LongText(
        label=_("How do you know?"),
        help_text=_("What you looked at on the platform, and with whom. It is shown beside the decision for ever."),
        rows=3,
    )
    code = CodeField()


class HandoverForm(StepForm):
    """The beneficiary's page: the code heard on the telephone and the new password, twice."""

    name = "handover_form"
    code = SpokenCodeField(label=_("The code that you were told by voice"))
    password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters. Nobody here sees it, and it is not kept here."),
    )
    repeated = forms.CharField(
        label=_("New password again"),
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class ConfirmForm(StepForm):
    name = "confirm_form"
    detail = LongText(
        label=_("Who signed in, and how do you know?"),
        help_text=_("For example: dana said on the telephone that she sees the platform's settings page."),
        rows=3,
    )


class DoneForm(StepForm):
    name = "done_form"
    output = LongText(
        label=_("What shows that it is gone?"), help_text=_("Paste what the machine answered."), max_length=10_000
    )


class WaiveForm(StepForm):
    name = "waive_form"
    reason = LongText(label=_("Why can it wait?"), rows=2)
    until = forms.DateField(label=_("Until"), widget=forms.DateInput(attrs={"type": "date", "class": "short date"}))
    code = CodeField()


class UploadForm(StepForm):
    """One file of evidence that the console cannot read itself."""

    name = "upload_form"
    KINDS = (EvidenceItem.Kind.PLATFORM_AUDIT, EvidenceItem.Kind.BACKEND_LOG, EvidenceItem.Kind.OTHER)
    kind = forms.ChoiceField(
        label=_("What is it?"), choices=[(kind.value, kind.label) for kind in KINDS], widget=forms.RadioSelect
    )
    file = UploadField(label=_("File"), help_text=_("At most 10 MB."))
    request_ids = forms.CharField(
        label=_("Only lines with these request ids (backend log)"), required=False, max_length=1000
    )


class AbsenceForm(StepForm):
    """Why a kind of evidence does not exist."""

    name = "absence_form"
    kind = forms.ChoiceField(
        label=_("What is missing?"),
        choices=[(kind.value, kind.label) for kind in UploadForm.KINDS[:2]],
        widget=forms.RadioSelect,
    )
    reason = LongText(label=_("Why is there none?"), rows=2)


class ExportForm(CodeForm):
    name = "export_form"


class PostMortemForm(StepForm):
    """The runbook's boxes that are written by hand; the fourth, the bundle, is made by the console."""

    name = "post_mortem_form"
    root_cause = LongText(label=_("Root cause"), required=False, max_length=10_000, rows=5)
    permissions_review = LongText(
        label=_("Permissions reviewed"),
        help_text=_("Every owner of the platform: keep, reduce or remove, and why."),
        required=False,
        max_length=10_000,
        rows=6,
    )
    backlog_item = forms.CharField(
        label=_("Preventative fix in the backlog"), required=False, max_length=255, help_text=_("Its reference.")
    )
    backlog_url = forms.URLField(label=_("Its address"), required=False, max_length=500, assume_scheme="https")


class ReviewForm(StepForm):
    name = "review_form"
    findings = LongText(label=_("What did the review find?"), max_length=10_000, rows=5)
