"""Forms of the page "People". They check that input is well made; whether it is allowed, the steps say."""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from breakglass.pages.fields import CodeField
from breakglass.people.invitations import Kind
from breakglass.people.models import DutyName

USERNAME = RegexValidator(r"\A[a-z0-9][a-z0-9._-]*\Z", _("Small letters, digits, dot, dash and underscore only."))


class ProposePersonForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=150)
    contact = forms.CharField(
        label=_("Contact"), max_length=255, help_text=_("Where the person is reached: e-mail or telephone.")
    )
    username = forms.CharField(label=_("Username"), max_length=64, validators=[USERNAME])
    duty_names = forms.MultipleChoiceField(
        label=_("Duties"), choices=DutyName.choices, widget=forms.CheckboxSelectMultiple, required=False
    )


class ProposeDutyForm(forms.Form):
    name = forms.ChoiceField(label=_("Duty"), choices=DutyName.choices)


class ProposeResetForm(forms.Form):
    kind = forms.ChoiceField(label=_("Send a link for"), choices=[one for one in Kind.choices if one[0] != Kind.FIRST])


class ConfirmForm(forms.Form):
    code = CodeField()
