"""Forms for what a database administrator does by hand. A receipt may be pasted or uploaded; it is believed by nobody yet."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from breakglass.pages.fields import LongText, StepForm, UploadField
from breakglass.pages.forms import CodeForm

LONGEST_RECEIPT = 500_000


class UseForm(CodeForm):
    name = "use_form"


class ScriptForm(CodeForm):
    name = "script_form"


class ReceiptForm(StepForm):
    """What psql printed, pasted or as a file."""

    name = "receipt_form"
    is_needed = True
    text = LongText(
        label=_("What psql printed"),
        help_text=_("Everything from the line BEGIN BREAK-GLASS RECEIPT to the line END."),
        required=False,
        max_length=LONGEST_RECEIPT,
        rows=6,
    )
    file = UploadField(label=_("Or the file in which it was saved"), required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        upload = given.get("file")
        text = upload.read().decode("utf-8", "replace") if upload else given.get("text") or ""
        if self.is_needed and not text.strip() and not self.errors:
            raise forms.ValidationError(_("Paste what psql printed, or choose the file."))
        return {"receipt": text}


class UnreachableForm(ReceiptForm):
    """The console cannot connect; a receipt helps the one who decides, if there is one."""

    name = "unreachable_form"
    is_needed = False
