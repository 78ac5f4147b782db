"""Form fields that several pages share. They check that input is well made; whether it is allowed is the procedure's."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

LARGEST_UPLOAD = 10 * 1024 * 1024


class StepForm(forms.Form):
    """A form of one step: it knows the incident and who fills it in. `name` is what templates call it."""

    name = "form"
    required_css_class = "required"
    use_required_attribute = True

    def __init__(self, *args: Any, incident: Any = None, account: Any = None, **options: Any) -> None:
        # Several forms stand on one page: their fields must not share an id.
        options.setdefault("auto_id", f"id_{self.name}_%s")
        self.incident, self.account = incident, account
        super().__init__(*args, **options)


class CodeField(forms.CharField):
    """Six to eight digits of an authenticator app, typed with or without a gap; never shown again."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Code from your authenticator"))
        super().__init__(max_length=12, **options)
        self.validators.append(RegexValidator(r"\A[0-9]{6,8}\Z", _("The code has six digits.")))

    widget = forms.TextInput

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        shape = {"class": "code", "inputmode": "numeric", "autocomplete": "one-time-code", "spellcheck": "false"}
        return super().widget_attrs(widget) | shape

    def to_python(self, value: Any) -> str:
        return "".join(super().to_python(value).split())

    def get_bound_field(self, form: forms.Form, field_name: str) -> forms.BoundField:
        return UnseenBoundField(form, self, field_name)


class SpokenCodeField(CodeField):
    """The code that an approver says on the telephone: two groups of four, no matter how they are typed."""

    def __init__(self, **options: Any) -> None:
        forms.CharField.__init__(self, max_length=20, **options)
        self.validators.append(RegexValidator(r"\A[0-9A-Za-z]{8}\Z", _("The code has eight letters and digits.")))

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        shape = {"class": "spoken-code", "autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}
        return forms.CharField.widget_attrs(self, widget) | shape

    def to_python(self, value: Any) -> str:
        return "".join(forms.CharField.to_python(self, value).replace("-", " ").split())


class UnseenBoundField(forms.BoundField):
    """A field whose value is never sent back to a browser."""

    def value(self) -> None:
        return None


class LongText(forms.CharField):
    """A text of a few sentences, with a limit in characters."""

    def __init__(self, *, max_length: int = 4000, rows: int = 4, **options: Any) -> None:
        super().__init__(max_length=max_length, widget=forms.Textarea(attrs={"rows": rows}), **options)


class UploadField(forms.FileField):
    """One file of at most ten megabytes, not empty."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        upload = super().clean(data, initial)
        if upload and upload.size > LARGEST_UPLOAD:
            said = _("The file has %(size)d MB; 10 MB are allowed. Cut it to the time of the incident.")
            raise forms.ValidationError(said, params={"size": -(-upload.size // 1024**2)})
        return upload
