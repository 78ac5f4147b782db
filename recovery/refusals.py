"""Every foreseen "no" of the platform side, each with its sentence: what happened, what was not done, what to do now."""

from django.utils.translation import gettext_lazy as _

from audit.refusals import Refused


class ProfileRefused(Refused):
    code = "profile_refused"
    happened = _("The profile {file} cannot be used. {key}: {reason}.")
    undone = _("Nothing was sent to the platform.")
    remedy = _("Correct the profile and look at it again with: manage.py platform check NAME.")
