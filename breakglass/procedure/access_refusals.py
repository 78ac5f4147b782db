"""Every foreseen "no" where a database administrator opens a login or runs a script by hand, each with its sentence."""

from django.utils.translation import gettext_lazy as _

from audit.refusals import Refused


class NoAccessByHand(Refused):
    code = "no_access_by_hand"
    happened = _("The console opens its access to this platform itself.")
    undone = _("No access was prepared.")
    remedy = _("Go on with the link or the button of this page.")


class AccessAlreadyPrepared(Refused):
    code = "access_already_prepared"
    happened = _("An access is already prepared for this plan.")
    undone = _("No second one was prepared.")
    remedy = _("Let the database administrator run the statement of the page, or give the access up first.")


class NothingPrepared(Refused):
    code = "nothing_prepared"
    happened = _("No access is prepared that waits to be opened.")
    undone = _("Nothing was changed.")
    remedy = _("Load the page again and see how the run stands now.")


class AccessNotReady(Refused):
    code = "access_not_ready"
    happened = _("The console has not seen the temporary login open yet.")
    undone = _("Nothing was changed.")
    remedy = _(
        "Prepare the access, let the database administrator run the opening statement, and press “Look whether it is open”."
    )


class AccessStillOpen(Refused):
    code = "access_still_open"
    happened = _("The temporary login {role} is not proven closed.")
    undone = _("The incident stays as it is.")
    remedy = _("Let the database administrator run: {statement} Then try again.")


class NoPaper(Refused):
    code = "no_paper"
    happened = _("No run of this incident waits on paper: each is decided, or was never begun.")
    undone = _("Nothing was shown or recorded.")
    remedy = _("Load the page again and see how the run stands now.")


class PlatformAnswers(Refused):
    code = "platform_answers"
    happened = _("The platform answers, so the console finds out by itself what became of the script.")
    undone = _("The run was not put to a person.")
    remedy = _("Load the page again and see how the run stands now.")
