"""Every foreseen "no" from the hand-over of a password to the closing, each with its sentence. The wording stands here alone."""

from django.utils.translation import gettext_lazy as _

from audit.refusals import Refused

# the hand-over


class HandoverUnknown(Refused):
    code = "handover_unknown"
    happened = _("This link is not known.")
    remedy = _("Ask the person who gave it to you for a new one.")


class HandoverUsed(Refused):
    code = "handover_used"
    happened = _("This link has already been used. Each link works once.")
    undone = _("Nothing was changed by opening it again.")
    remedy = _("If you did not use it yourself, call the person who gave it to you at once.")


class HandoverVoided(Refused):
    code = "handover_voided"
    happened = _("This link no longer counts: a newer one was made, or a wrong code was typed too often.")
    remedy = _("Ask for a new link.")


class HandoverExpired(Refused):
    code = "handover_expired"
    happened = _("This link has expired: it lives for ten minutes and never longer than the window.")
    remedy = _("Ask for a new link.")


class HandoverIsForTheBeneficiary(Refused):
    code = "handover_is_for_the_beneficiary"
    happened = _(
        "You are signed in to the console as {username}. This page is only for the person who gets the account."
    )
    undone = _("The page was not shown, and the attempt is in the log.")
    remedy = _("Let the beneficiary open the link on a device of their own.")


class NoPasswordNeeded(Refused):
    code = "no_password_needed"
    happened = _("This outcome sets no password, so there is no link to hand over.")
    remedy = _("Press the button that makes the change.")


class PasswordNeeded(Refused):
    code = "password_needed"
    happened = _("The beneficiary sets the password for this outcome, so nobody else can make the change.")
    remedy = _("Show the link, and let the beneficiary open it.")


class NotAnApprover(Refused):
    code = "not_an_approver"
    happened = _("Only somebody who approved this plan sees the code.")
    undone = _("The code was not shown.")
    remedy = _("Ask an approver to call the beneficiary and read the code out.")


class CodeWrong(Refused):
    code = "code_wrong"
    happened = _("The code is not right.")
    undone = _("Nothing was changed, and your password was not kept.")
    remedy = _("{left} more tries with this link. Ask the approver on the telephone to read the code again.")


class PasswordsDiffer(Refused):
    code = "passwords_differ"
    happened = _("The two passwords are not the same.")
    undone = _("Nothing was changed, and neither was kept.")
    remedy = _("Type the password twice again.")


class PasswordTooShort(Refused):
    code = "password_too_short"
    happened = _("The password has fewer than {least} characters.")
    undone = _("Nothing was changed, and it was not kept.")
    remedy = _("Choose a longer one; several words are easier to remember.")


class PasswordIsTheLogin(Refused):
    code = "password_is_the_login"
    happened = _("The password contains the login, so it is too easy to guess.")
    undone = _("Nothing was changed, and it was not kept.")
    remedy = _("Choose another one.")


class PasswordUnreadable(Refused):
    code = "password_unreadable"
    happened = _("The password contains a character that cannot be typed again reliably.")
    undone = _("Nothing was changed, and it was not kept.")
    remedy = _("Choose one without control characters.")


class PasswordTooLong(Refused):
    code = "password_too_long"
    happened = _("The password is longer than {most} bytes.")
    undone = _("Nothing was changed, and it was not kept.")
    remedy = _("Choose a shorter one.")


# the change


class ChangeAlreadyMade(Refused):
    code = "change_already_made"
    happened = _("The change has already been made; a plan runs once.")
    undone = _("It was not made a second time.")
    remedy = _("Go on with the proof of recovery.")


class ChangeUnknownYet(Refused):
    code = "change_unknown_yet"
    happened = _("A run of this plan has begun, and it is not known yet whether it changed anything.")
    undone = _("No second run was begun.")
    remedy = _("Wait: the worker finds out as soon as the platform answers. Do not change anything by hand meanwhile.")


class NothingToJudge(Refused):
    code = "nothing_to_judge"
    happened = _("No run of this incident waits for a person: each is decided, or the console is still finding out.")
    undone = _("Nothing was decided.")
    remedy = _("Load the page again and see how the run stands now.")


class JudgementBySomebodyElse(Refused):
    code = "judgement_by_somebody_else"
    happened = _(
        "You took part in this incident, approved its plan or would hold the account, so you do not decide this."
    )
    undone = _("Nothing was decided.")
    remedy = _("Ask a person of Security who had no part in it.")


class NothingToUndo(Refused):
    code = "nothing_to_undo"
    happened = _("This incident has made no change that could be undone.")
    remedy = _("If another account must be disabled, open a new incident for it.")


class AlreadyDisabled(Refused):
    code = "already_disabled"
    happened = _("The account that this incident changed has already been disabled.")
    undone = _("It was not disabled a second time.")
    remedy = _(
        "Read the incident report among the evidence. If somebody has enabled the account since, open a new incident."
    )


class ChangeNotMade(Refused):
    code = "change_not_made"
    happened = _("The change has not been made yet.")
    remedy = _("Make the change first.")


# proof and revocation


class RevocationOpen(Refused):
    code = "revocation_open"
    happened = _("{count} things are not yet taken away: {titles}.")
    remedy = _("Finish each of them, or let Security waive what may be waived.")


class ItemAlreadyFinished(Refused):
    code = "item_already_finished"
    happened = _("“{title}” is already finished.")
    remedy = _("Load the page again.")


class LoginIsProvenByMachine(Refused):
    code = "login_is_proven_by_machine"
    happened = _(
        "A temporary login is finished only by the platform's own answer that it is gone, and is never waived."
    )
    remedy = _("Press “check again”. If the platform does not answer, the console goes on trying by itself.")


class WaiverBySomebodyElse(Refused):
    code = "waiver_by_somebody_else"
    happened = _("You took part in this incident or approved its plan, so you may not do this.")
    remedy = _("Ask a person of Security who had no part in it.")


class WaiverNeedsAnEnd(Refused):
    code = "waiver_needs_an_end"
    happened = _("A waiver ends on a day between tomorrow and a year from now.")
    remedy = _("Choose the day by which it will be done.")


# evidence


class EvidenceNameTaken(Refused):
    code = "evidence_name_taken"
    happened = _("A file named {name} is already among the evidence, with another content.")
    undone = _("The file was not added.")
    remedy = _("Give it another name. Evidence is never replaced.")


class EvidenceEmpty(Refused):
    code = "evidence_empty"
    happened = _("The file is empty.")
    undone = _("It was not added.")
    remedy = _("Choose the right file.")


class NoLinesOfTheWindow(Refused):
    code = "no_lines_of_the_window"
    happened = _("No line of the file lies between {start} and {end}.")
    undone = _("It was not added.")
    remedy = _("Check that the file is of that day, and that its lines begin with a time.")


class EvidenceKindUnknown(Refused):
    code = "evidence_kind_unknown"
    happened = _("Files of this kind are not added by hand.")
    undone = _("It was not added.")
    remedy = _("Choose audit log of the platform, backend log lines or other.")


class EvidenceMissing(Refused):
    code = "evidence_missing"
    happened = _("The evidence is not complete: {kinds}.")
    undone = _("Nothing was sealed.")
    remedy = _("Add what is missing, or upload a file that says why there is none.")


class BundleNotSound(Refused):
    code = "bundle_not_sound"
    happened = _("The bundle did not pass its own verification: {findings}.")
    undone = _("Nothing was sealed.")
    remedy = _("Call Security: the log or the kept files may have been changed.")


# post-mortem


class BoxesMissing(Refused):
    code = "boxes_missing"
    happened = _("The incident cannot be closed yet. Still missing: {boxes}.")
    undone = _("It stays open.")
    remedy = _("Write what is missing; each box needs content of its own.")


class ReviewBySomebodyElse(Refused):
    code = "review_by_somebody_else"
    happened = _("You took part in this incident or approved its plan, so the review is not yours.")
    undone = _("No review was recorded.")
    remedy = _("Ask a person of Security who had no part in it.")


class BacklogAddressWrong(Refused):
    code = "backlog_address_wrong"
    happened = _("The address of the backlog item does not begin with https:// or http://.")
    remedy = _("Copy the address from the browser, or leave it empty.")
