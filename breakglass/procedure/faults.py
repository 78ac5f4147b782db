"""What the console database's own refusals mean to a person, by the name of the rule. What it does not know goes on as a fault."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError

from audit.faults import as_refusals as clock_and_log_refusals
from audit.refusals import Refused
from breakglass.procedure import change_refusals, refusals

BY_RULE: dict[str, type[Refused]] = {
    "account_is_active": refusals.AccountDisabled,
    "incident_account_person": refusals.AccountDisabled,
    "approval_account_person": refusals.AccountDisabled,
    "practice_never_meets_real": refusals.PracticeMeetsReal,
    "incident_practice_requester": refusals.PracticeMeetsReal,
    "approval_practice_person": refusals.PracticeMeetsReal,
    "approval_practice_incident": refusals.PracticeMeetsReal,
    "approver_is_not_requester": refusals.ParticipantMayNotApprove,
    "approver_took_no_part": refusals.ParticipantMayNotApprove,
    "approver_is_not_beneficiary": refusals.BeneficiaryMayNotApprove,
    "approver_has_the_duty": refusals.ApprovalsMissing,
    "approval_takes_a_fresh_code": refusals.FreshCodeMissing,
    "approval_step_up": refusals.FreshCodeMissing,
    "one_live_approval_per_side": refusals.SomebodyWasFaster,
    "one_live_approval_per_person": refusals.ApprovedBySamePerson,
    "approvals_are_live": refusals.ApprovalsMissing,
    "beneficiary_takes_no_part": refusals.BeneficiaryMayNotTakePart,
    "approver_takes_no_part": refusals.ApproverMayNotTakePart,
    "override_is_not_by_the_requester": refusals.OverrideByRequester,
    "incident_is_not_final": refusals.IncidentFinal,
    "no_run_is_under_way": refusals.RunUnderWay,
    "only_what_needs_a_human_is_judged": change_refusals.NothingToJudge,
    "judge_took_no_part": change_refusals.JudgementBySomebodyElse,
    "judgement_takes_a_fresh_code": refusals.FreshCodeMissing,
    "a_change_is_disabled_once": change_refusals.AlreadyDisabled,
    "plan_is_the_latest": refusals.PlanVoid,
    "plan_number_once": refusals.SomebodyWasFaster,
    "one_window_per_ops_approval": refusals.WindowUsedUp,
    "one_window_per_second_approval": refusals.WindowUsedUp,
    "window_is_only_shortened": refusals.WindowOnlyShortened,
    "window_is_open": refusals.WindowClosed,
    "what_is_recorded_stays": refusals.WhatIsRecordedStays,
}


@contextmanager
def as_refusals() -> Iterator[None]:
    """Turn what a constraint or a trigger refused into its Refused kind, also when it comes with the COMMIT."""
    try:
        with clock_and_log_refusals():
            yield
    except DatabaseError as error:
        state = getattr(error.__cause__, "sqlstate", None) or ""
        if state == "40P01":
            raise refusals.StepBusy from error
        rule = broken_rule(error)
        if rule in BY_RULE:
            raise BY_RULE[rule] from error
        if state.startswith("BG0"):
            raise refusals.RuleBroken(rule=rule or state) from error
        raise


def broken_rule(error: DatabaseError) -> str:
    """The name of the constraint, or of the rule that a trigger gave in its place; "" if there is none."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return (diagnosis and diagnosis.constraint_name) or ""
