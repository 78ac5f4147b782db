"""Every foreseen "no" about people, sign-in and second factors, each with its sentence. The wording stands here, never in a view."""

from django.utils.translation import gettext_lazy as _

from audit.refusals import Refused

# codes


class CodeRefused(Refused):
    code = "code_refused"
    happened = _("The code is wrong or too old.")
    remedy = _(
        "Type the code that your authenticator shows now. If it stays wrong, set the telephone's clock by the network."
    )


class CodeAlreadyUsed(Refused):
    code = "code_already_used"
    happened = _("This code was used already; each one counts once.")
    remedy = _("Wait until your authenticator shows the next code, at most 30 seconds, and type that one.")


# sign-in


class SignInRefused(Refused):
    """One sentence for an unknown name, a wrong password and a disabled account: a stranger learns nothing."""

    code = "sign_in_refused"
    happened = _("The username or the password is wrong.")
    undone = _("You are not signed in.")
    remedy = _("Try again. If you have forgotten the password, two people of Security can send you a new link.")


class SignInSlow(Refused):
    code = "sign_in_slow"
    happened = _("There were too many wrong attempts.")
    undone = _("This attempt was not looked at.")
    remedy = _(
        "Try again in {wait} seconds. Nobody is locked out; a device that you have signed in with before waits less."
    )


class NotBothFactors(Refused):
    code = "not_both_factors"
    happened = _("This needs your password and your second factor, and only one of them was given.")
    remedy = _("Sign in again.")


class PasswordUnfit(Refused):
    code = "password_unfit"
    happened = _("This password cannot be taken: {reasons}")
    remedy = _("Choose a longer one; a few words that nobody else would put together are best.")


class PasswordsDiffer(Refused):
    code = "passwords_differ"
    happened = _("The two passwords are not the same.")
    remedy = _("Type both again.")


# people


class DutyMissing(Refused):
    code = "duty_missing"
    happened = _("This needs somebody with the duty {duties}, and you do not have it.")
    remedy = _("Ask a colleague with that duty, or have the duty proposed and confirmed for you by two people.")


class TwoPeopleNeeded(Refused):
    code = "two_people_needed"
    happened = _(
        "This takes two people of Security: one proposes, another confirms, and neither is the person it is about."
    )
    remedy = _("Ask a colleague of Security.")


class SecurityPairNeeded(Refused):
    code = "security_pair_needed"
    happened = _(
        "Afterwards fewer than two people of Security could sign in, and nobody could confirm anything any more."
    )
    remedy = _("Have the Security duty confirmed for somebody else first.")


class DutyTaken(Refused):
    code = "duty_taken"
    happened = _("{person} already has this duty, or it is already proposed.")
    remedy = _("Look at the person's page.")


class DutyUnknown(Refused):
    code = "duty_unknown"
    happened = _("There is no such duty.")
    remedy = _("Choose one of Ops, Security, Engineering and Compliance.")


class SomebodyWasFaster(Refused):
    code = "somebody_was_faster"
    happened = _("Somebody else, or your own second tab, did this a moment before.")
    undone = _("Nothing was changed a second time.")
    remedy = _("Load the page again and see how it stands.")


class UsernameTaken(Refused):
    code = "username_taken"
    happened = _("The username “{username}” is taken.")
    undone = _("Nobody was added.")
    remedy = _("Choose another one.")


class InvitationDead(Refused):
    code = "invitation_dead"
    happened = _("This link is unknown, used or too old, or another one has taken its place.")
    remedy = _("Ask two people of Security for a new one.")


class PracticeWall(Refused):
    code = "practice_meets_real"
    happened = _("Practice people act among practice people only, and real people among real ones.")
    remedy = _("Sign in with an account that fits.")


class AccountDisabled(Refused):
    code = "account_disabled"
    happened = _("The account is disabled.")
    remedy = _("Two people of Security can give it a new password and a new authenticator; that enables it again.")


class ApprovalsWait(Refused):
    code = "approvals_wait"
    happened = _("Your password or authenticator was reset less than an hour ago; until {until} you approve nothing.")
    undone = _("No approval was recorded.")
    remedy = _(
        "Ask a colleague with the same duty, or wait. The reset was told on the channels, so that it can be objected to."
    )


# the host


class PersonsExist(Refused):
    code = "persons_exist"
    happened = _("There are people in this console already.")
    undone = _("Nobody was added.")
    remedy = _("Sign in as one of them. New people are proposed and confirmed on the page “People”.")


class TerminalNeeded(Refused):
    code = "terminal_needed"
    happened = _("The first people are made by humans at a terminal, and this is none.")
    undone = _("Nobody was added.")
    remedy = _("Sign in to the host and run the command by hand, without a pipe.")


class PracticeOnly(Refused):
    code = "practice_only"
    happened = _("Codes are shown for practice people on a practice console only.")
    undone = _("No code was shown.")
    remedy = _("Use the person's own authenticator.")
