"""Every foreseen "no" of the procedure up to the open window, each with its sentence. The wording stands here, never in a view."""

from django.utils.translation import gettext_lazy as _

from audit.refusals import Refused

# what was typed


class TextMissing(Refused):
    code = "text_missing"
    happened = _("The field “{field}” is empty.")
    remedy = _("Fill it in and send the page again.")


class TextTooLong(Refused):
    code = "text_too_long"
    happened = _("The field “{field}” has {length} characters; {limit} are allowed.")
    remedy = _("Shorten it. What is long belongs to the ticket or to the evidence files.")


class TextUnreadable(Refused):
    code = "text_unreadable"
    happened = _("The field “{field}” contains a character that is no text (a NUL or half a character).")
    remedy = _("Type the text anew instead of pasting it.")


# who


class DutyMissing(Refused):
    code = "duty_missing"
    happened = _("This needs somebody with the duty {duties}, and you do not have it.")
    remedy = _("Ask a colleague with that duty, or have the duty proposed and confirmed for you by two people.")


class AccountDisabled(Refused):
    code = "account_disabled"
    happened = _("Your account is disabled or belongs to another person.")
    remedy = _("Ask Security, or let a colleague do this step.")


class PracticeMeetsReal(Refused):
    code = "practice_meets_real"
    happened = _("Practice people act on practice platforms only, and real people on real ones only.")
    remedy = _("Sign in with an account that fits the platform.")


class ParticipantMayNotApprove(Refused):
    code = "participant_may_not_approve"
    happened = _("You took part in this incident, so you may not approve its plan.")
    undone = _("No approval was recorded.")
    remedy = _("Ask somebody who has not touched this incident.")


class BeneficiaryMayNotApprove(Refused):
    code = "beneficiary_may_not_approve"
    happened = _("The account would be yours afterwards, so you may not approve the plan.")
    undone = _("No approval was recorded.")
    remedy = _("Ask somebody who gains nothing from it.")


class BeneficiaryMayNotTakePart(Refused):
    code = "beneficiary_may_not_take_part"
    happened = _("Whoever receives the account neither requests the change nor works on it.")
    remedy = _("Let a colleague do this step, or choose another beneficiary.")


class ApproverMayNotTakePart(Refused):
    code = "approver_may_not_take_part"
    happened = _("You approved the current plan, so you may not work on it before it has run.")
    remedy = _("Let a colleague do this step, or withdraw your approval first.")


# the incident


class IncidentUnknown(Refused):
    code = "incident_unknown"
    happened = _("There is no incident {reference}.")
    remedy = _("Look for it in the list of incidents.")


class IncidentFinal(Refused):
    code = "incident_final"
    happened = _("This incident is closed or abandoned, and that is final.")
    remedy = _("If something is left to do, open a new incident that follows this one.")


class NotNow(Refused):
    code = "not_now"
    happened = _("The incident is “{state}”, and this step belongs to another moment.")


class SomebodyWasFaster(Refused):
    code = "somebody_was_faster"
    happened = _("Somebody else, or your own second tab, did this a moment before.")
    undone = _("Nothing was changed a second time.")
    remedy = _("Load the page again and see where the incident stands now.")


class StepBusy(Refused):
    code = "step_busy"
    happened = _("Another step on this incident held it for too long.")
    remedy = _("Try again in a moment.")


class RuleBroken(Refused):
    """The database refused what no page offers. The name of the rule is all there is to say."""

    code = "rule_broken"
    happened = _("The database refused it by the rule “{rule}”.")


class TriggerUnknown(Refused):
    code = "trigger_unknown"
    happened = _("Break-glass is for three triggers only, and this is none of them.")
    undone = _("No incident was opened.")
    remedy = _("If none of the three fits, use the ordinary way: break-glass is not for convenience.")


class FollowsAnother(Refused):
    code = "follows_another"
    happened = _("{reference} cannot be followed: it is still under way, or it is about another platform.")
    undone = _("No incident was opened.")
    remedy = _("Go on in {reference}, or open an incident that follows none.")


class RunUnderWay(Refused):
    code = "run_under_way"
    happened = _("A change of this incident has run, or it is not yet known whether it did.")
    undone = _("This step was not done; that run goes on as it would have.")
    remedy = _("Wait until the run is decided. What was changed is taken back by “disable now” or by restoring it.")


# diagnosis and outcome


class DiagnosisMissing(Refused):
    code = "diagnosis_missing"
    happened = _("Nobody has looked at the platform yet.")
    remedy = _("Make the diagnosis first.")


class OtherDatabase(Refused):
    code = "other_database"
    happened = _("The platform's connection now leads to another database than the one this incident was opened for.")
    remedy = _("Correct the platform's configuration, or abandon this incident and open a new one.")


class HealthyOwner(Refused):
    code = "healthy_owner"
    happened = _("Nothing that the console can see stops {owners} from signing in.")
    remedy = _("Ask them to do it. If that is impossible, Security writes down why, and both approvers will see it.")


class SmallerChangeWouldDo(Refused):
    code = "smaller_change_would_do"
    happened = _("A creates a new owner, although a smaller change would do: {recommended}.")
    remedy = _("Choose the smaller change. If that is impossible, Security writes down why.")


class OverrideByRequester(Refused):
    code = "override_by_requester"
    happened = _("You opened this incident, so you may not lift its stop.")
    remedy = _("Ask another person of Security.")


class NothingToOverride(Refused):
    code = "nothing_to_override"
    happened = _("The latest diagnosis shows nothing that would have to be overridden.")
    remedy = _("Go on with the outcome.")


class TargetWrong(Refused):
    code = "target_wrong"
    happened = _(
        "The target does not fit the outcome: B and C name an owner of the latest diagnosis, A names a new login."
    )
    remedy = _("Choose the target from the list, or make the diagnosis again.")


class TargetDoesNotNeedIt(Refused):
    code = "target_does_not_need_it"
    happened = _("{login} is not disabled, so there is nothing to re-enable.")
    remedy = _("Choose another target or another outcome.")


class NobodySaysWho(Refused):
    code = "nobody_says_who"
    happened = _("The plan must name the human who will hold the account: name, contact and why it is theirs.")
    remedy = _("Choose a known person, or type name and contact.")


# the plan


class ChoiceMissing(Refused):
    code = "choice_missing"
    happened = _("No outcome has been chosen since the latest diagnosis.")
    remedy = _("Choose the outcome first.")


class PlanVoid(Refused):
    code = "plan_void"
    happened = _("This plan no longer counts: it was refused, or a newer one replaced it.")
    remedy = _("Look at the latest plan of the incident.")


class WindowTooLong(Refused):
    code = "window_too_long"
    happened = _("A window of {minutes} minutes is not possible: 5 to 60 are allowed.")
    remedy = _("Choose a length between. Longer work takes a new window with new approvals.")


# approvals


class SideTaken(Refused):
    code = "side_taken"
    happened = _("Somebody has already approved this plan for {side}.")
    undone = _("No second approval was recorded.")
    remedy = _("The other side is still needed, or the window can be opened.")


class ApprovedBySamePerson(Refused):
    code = "approved_by_same_person"
    happened = _("You have already approved this plan. It takes two people.")
    undone = _("No second approval was recorded.")
    remedy = _("Ask somebody else for the other side.")


class FreshCodeMissing(Refused):
    code = "fresh_code_missing"
    happened = _("The second factor was not given for this plan, or it is older than five minutes.")
    undone = _("No approval was recorded.")
    remedy = _("Type a fresh code.")


class AlreadyWithdrawn(Refused):
    code = "already_withdrawn"
    happened = _("This approval has already been withdrawn.")
    remedy = _("Load the page again and see where the plan stands now.")


class NotYourApproval(Refused):
    code = "not_your_approval"
    happened = _("An approval is withdrawn by the person who gave it, or by Security.")
    remedy = _("Ask that person, or refuse the plan with a reason.")


class ApprovalsMissing(Refused):
    code = "approvals_missing"
    happened = _(
        "The plan needs two approvals that count now: Ops, and Security or Engineering, each under 30 minutes old when the "
        "window opens. One is missing, lapsed, withdrawn, or its approver may no longer give it."
    )
    remedy = _("Ask for the missing approval; a lapsed one may be given again with a fresh code.")


# the window


class WindowTaken(Refused):
    code = "window_taken"
    happened = _("A window of incident {other} is open on the same database; only one may be.")
    undone = _("No window was opened.")
    remedy = _("Wait until it ends, or ask the people of {other} to end it.")


class WindowAlreadyOpen(Refused):
    code = "window_already_open"
    happened = _("The window of this incident is already open.")
    undone = _("No second window was opened.")
    remedy = _("Go on with the change, or end the window first.")


class WindowUsedUp(Refused):
    code = "window_used_up"
    happened = _("These approvals have already opened a window, and it has ended.")
    undone = _("No window was opened.")
    remedy = _("A further window takes two new approvals.")


class WindowClosed(Refused):
    code = "window_closed"
    happened = _("No window of this incident is open: it was never opened, it has ended, or somebody ended it.")
    remedy = _("Get the approvals again and open a new window.")


class WindowOnlyShortened(Refused):
    code = "window_only_shortened"
    happened = _("A window can only be shortened, never prolonged or moved.")
    remedy = _("If the time is too short, a new window takes two new approvals.")


class WhatIsRecordedStays(Refused):
    code = "what_is_recorded_stays"
    happened = _("What the procedure recorded is never edited or deleted, and states only move forward.")
    remedy = _("Add a new record that says what is right.")
