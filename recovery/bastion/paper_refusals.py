"""Why a run is not made on paper, or what somebody brings back from it is not believed, each with its sentence."""

from django.utils.translation import gettext_lazy as _

from audit.refusals import Refused


class NotForPaper(Refused):
    code = "not_for_paper"
    happened = _("This change cannot be written as a script: {why}.")
    undone = _("No script was made, and nothing was changed on the platform.")
    remedy = _("Write the profile's statement without it, or give the platform another mode of access.")


class ScriptGone(Refused):
    code = "script_gone"
    happened = _("The script can no longer be shown: {why}.")
    undone = _("Nothing was shown.")
    remedy = _("If nobody has run it, wait until its time is over; then the console sees that nothing was changed.")


class ScriptOver(Refused):
    code = "script_over"
    happened = _("The time of this script is over: the platform would refuse it.")
    undone = _("It was not shown.")
    remedy = _("Look whether it was run in time; if not, begin anew with a new link or the button.")


class ReceiptUnreadable(Refused):
    code = "receipt_unreadable"
    happened = _("This is not the receipt of the script: {why}.")
    undone = _("It was not recorded, and the run stays as it is.")
    remedy = _("Copy everything from the line BEGIN to the line END, as psql printed it, or upload the saved output.")


class ReceiptOfAnother(Refused):
    code = "receipt_of_another"
    happened = _("This receipt belongs to another run: its {what} is {found}.")
    undone = _("It was not recorded, and the run stays as it is.")
    remedy = _("Look for the output of the script that was made for this run.")


class ReceiptAltered(Refused):
    code = "receipt_altered"
    happened = _("This receipt is not what the platform printed: somebody has changed it, or a part is missing.")
    undone = _("It was not recorded as true; the attempt is in the log.")
    remedy = _("Ask for the saved output of psql, and look at the row on the platform yourself.")
