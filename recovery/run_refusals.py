"""Why a plan is not made, or a run does not happen, each as a sentence for a tired operator."""

from django.utils.translation import gettext_lazy as _

from audit.refusals import Refused


class RunRefused(Refused):
    """What a run refuses by itself, as opposed to what the platform answers. The platform has taken everything back."""

    code = "run_refused"
    undone = _("Nothing was changed on the platform.")


class OutcomeMissing(RunRefused):
    code = "outcome_missing"
    happened = _("The profile {profile} does not say how to do this: {outcome}.")
    remedy = _("Choose another outcome, or let the profile's owner add it.")


class SetupMissing(RunRefused):
    code = "setup_missing"
    happened = _("The platform is not ready for this change. {what}")
    remedy = _("Mend what is named, look again with manage.py platform check NAME, then make the plan.")


class StatementUnfit(RunRefused):
    code = "statement_unfit"
    happened = _("No plan can be made with this statement: {statement}: {why}.")
    remedy = _("Let the profile's owner look at `when`, `each` and `returns` of this outcome, or choose another one.")


class KeyShared(RunRefused):
    code = "key_shared"
    happened = _("Several rows of {table} have the same key {key}, so that nobody can say which of them is meant.")
    remedy = _(
        "Let the platform's database administrator tell them apart, name more columns as the key in the profile, "
        "or add ctid, the row's place, to the key in the profile."
    )


class TargetMissing(RunRefused):
    code = "target_missing"
    happened = _("The account {target} is not there: {statement} finds no row in {table}.")
    remedy = _("Look at the diagnosis again and make a new plan; the account may have been deleted.")


class TooManyRows(RunRefused):
    code = "too_many_rows"
    happened = _("{statement} meets {count} rows in {table}, but {expect} are expected.")
    remedy = _("Correct the profile or choose another target, then make a new plan.")


class LoginTaken(RunRefused):
    code = "login_taken"
    happened = _("{table} already has a row with {column} = {value}.")
    remedy = _("Choose another login, or reset or enable the account that has it.")


class RowChanged(RunRefused):
    code = "row_changed"
    happened = _("The row {row} was changed since the plan was made: {what}.")
    remedy = _("Make a new plan from the row as it is now; it needs new approvals.")


class NotAsPlanned(RunRefused):
    code = "not_as_planned"
    happened = _("The platform would have written something else into {row} than was approved: {what}.")
    remedy = _("Find out what changes the value (a trigger, a rule), then make a new plan.")


class MoreThanPlanned(RunRefused):
    code = "more_than_planned"
    happened = _("The change touched more than was approved: {what}.")
    remedy = _(
        "Something in the platform's database (a trigger, a rule) writes as well. Name it in the profile, or turn it off."
    )


class PlanAltered(RunRefused):
    code = "plan_altered"
    happened = _("The plan is no longer the one that was approved: {what}.")
    remedy = _("Make a new plan; it needs new approvals.")


class ValuesMissing(RunRefused):
    code = "values_missing"
    happened = _("The plan needs a new password, but none was given.")
    remedy = _("Show a new link to the beneficiary and let him type the password.")


class Overtaken(RunRefused):
    code = "overtaken"
    happened = _("This run was decided by somebody else in the meantime.")
    undone = _("This process changed nothing on the platform.")
    remedy = _("Look at the run's page for what was found.")


class WindowOver(RunRefused):
    code = "window_over"
    happened = _("The window ended before the change was made.")
    remedy = _("Ask for new approvals and open a new window.")


class ApprovalGone(RunRefused):
    code = "approval_gone"
    happened = _("An approval was withdrawn, or its approver may no longer give it.")
    remedy = _("Ask for new approvals.")


class ResultUnrecorded(RunRefused):
    code = "result_unrecorded"
    happened = _("The change was on its way to the platform, but the console could not record what became of it. {why}")
    undone = _("So the result is unknown yet; nothing else was sent.")
    remedy = _("Do not start anew. The console asks the platform again and records what it finds.")


class NothingToUndo(RunRefused):
    code = "nothing_to_undo"
    happened = _("{why}")
    remedy = _("Disable the account instead, or open a new incident.")


class NothingToDo(RunRefused):
    code = "nothing_to_do"
    happened = _("There is nothing to do: none of the profile's statements applies to the platform as it is now.")
    undone = _("No plan was made, and nothing was changed.")
    remedy = _("Look at the diagnosis again, and choose another outcome if the owner still cannot sign in.")


class ClocksApart(RunRefused):
    code = "clocks_apart"
    happened = _("The platform's clock is {seconds} seconds away from the console's; {most} are allowed.")
    remedy = _("Let the operators of both servers set their clocks right, then try again.")


class NotDurable(RunRefused):
    code = "not_durable"
    happened = _("The platform did not say that what was written is on its disk.")
    remedy = _("Let the platform's database administrator look at the write-ahead log, then try again.")


class SealBroken(RunRefused):
    code = "seal_broken"
    happened = _("The sealed copy of the row as it was before can no longer be opened: {why}.")
    remedy = _("Set the account right by hand, or open a new incident that resets its password.")
