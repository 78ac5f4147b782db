"""Every event that the log knows. A closed list: a retired name stays here, marked, and is never used again."""

# incident
INCIDENT_ABANDONED = "incident.abandoned"
INCIDENT_CLOSED = "incident.closed"
INCIDENT_EXECUTED = "incident.executed"
INCIDENT_HANDED_OVER = "incident.handed_over"
INCIDENT_LINKED = "incident.linked"
INCIDENT_OPENED = "incident.opened"

# diagnosis
DIAGNOSIS_FAILED = "diagnosis.failed"
DIAGNOSIS_MADE = "diagnosis.made"

# override
OVERRIDE_WRITTEN = "override.written"

# outcome
OUTCOME_CHOSEN = "outcome.chosen"

# plan
PLAN_MADE = "plan.made"
PLAN_REFUSED = "plan.refused"
PLAN_VOIDED = "plan.voided"

# approval
APPROVAL_GIVEN = "approval.given"
APPROVAL_WITHDRAWN = "approval.withdrawn"

# window
WINDOW_ENDED = "window.ended"
WINDOW_OPENED = "window.opened"
WINDOW_SHORTENED = "window.shortened"

# handover
HANDOVER_CODE_SHOWN = "handover.code_shown"
HANDOVER_EXPIRED = "handover.expired"
HANDOVER_SHOWN = "handover.shown"
HANDOVER_USED = "handover.used"

# run
RUN_ABORTED = "run.aborted"
RUN_ASKED_AGAIN = "run.asked_again"
RUN_CLAIMED = "run.claimed"
RUN_COMMITTED = "run.committed"
RUN_JUDGED = "run.judged"
RUN_NEEDS_HUMAN = "run.needs_human"
RUN_PREPARED = "run.prepared"
RUN_REHEARSED = "run.rehearsed"
RUN_SETTLED = "run.settled"

# access
ACCESS_CLOSED = "access.closed"
ACCESS_GIVEN_UP = "access.given_up"
ACCESS_LEFT_OVER = "access.left_over"
ACCESS_OPENED = "access.opened"
ACCESS_PREPARED = "access.prepared"
ACCESS_PROVEN = "access.proven"

# paper
PAPER_MADE = "paper.made"
PAPER_RECEIPT_GIVEN = "paper.receipt_given"
PAPER_SHOWN = "paper.shown"
PAPER_WIPED = "paper.wiped"

# proof
PROOF_CHECKED = "proof.checked"
PROOF_CONFIRMED = "proof.confirmed"
PROOF_SEEN = "proof.seen"

# revocation
REVOCATION_FINISHED = "revocation.finished"
REVOCATION_ITEM_ADDED = "revocation.item_added"
REVOCATION_ITEM_DONE = "revocation.item_done"
REVOCATION_ITEM_WAIVED = "revocation.item_waived"

# exposure
EXPOSURE_SUSPECTED = "exposure.suspected"

# rollback
ROLLBACK_DISABLED = "rollback.disabled"
ROLLBACK_RESTORED = "rollback.restored"

# evidence
EVIDENCE_ADDED = "evidence.added"

# bundle
BUNDLE_EXPORTED = "bundle.exported"
BUNDLE_SEALED = "bundle.sealed"

# postmortem
POSTMORTEM_REVIEWED = "postmortem.reviewed"
POSTMORTEM_WRITTEN = "postmortem.written"

# person
PERSON_ADDED = "person.added"
PERSON_CHANGED = "person.changed"

# account
ACCOUNT_ADDED = "account.added"
ACCOUNT_DISABLED = "account.disabled"
ACCOUNT_ENABLED = "account.enabled"
ACCOUNT_ENROLLED = "account.enrolled"
ACCOUNT_PASSWORD_CHANGED = "account.password_changed"

# invitation
INVITATION_CONFIRMED = "invitation.confirmed"

# duty
DUTY_CONFIRMED = "duty.confirmed"
DUTY_ENDED = "duty.ended"
DUTY_PROPOSED = "duty.proposed"

# factor
FACTOR_ADDED = "factor.added"
FACTOR_REMOVED = "factor.removed"
FACTOR_RESET = "factor.reset"
FACTOR_RESET_PROPOSED = "factor.reset_proposed"
FACTOR_USED = "factor.used"

# sign_in
SIGN_IN_ENDED = "sign_in.ended"
SIGN_IN_FAILED = "sign_in.failed"
SIGN_IN_MADE = "sign_in.made"
SIGN_IN_THROTTLED = "sign_in.throttled"

# step
STEP_REFUSED = "step.refused"

# message
MESSAGE_FAILED = "message.failed"
MESSAGE_SENT = "message.sent"

# mandate
MANDATE_REFUSED = "mandate.refused"
MANDATE_SIGNED = "mandate.signed"

# clock
CLOCK_APART = "clock.apart"
CLOCK_CLEARED = "clock.cleared"
CLOCK_MOVED_BACK = "clock.moved_back"

ALL = frozenset(value for name, value in dict(globals()).items() if name.isupper() and isinstance(value, str))
