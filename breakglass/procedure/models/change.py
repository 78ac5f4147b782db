"""The change itself: plan, approvals, window, hand-over, and the claim of a run."""

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from breakglass.people.models import DutyName, Person, StepUp
from breakglass.procedure.models.opening import Choice, Deed
from recovery.models import Run, RunKind


class Plan(Deed):
    """One exact change. The latest number counts; a plan is never edited, a new one replaces it and voids its approvals."""

    number = models.PositiveIntegerField()
    choice = models.ForeignKey(Choice, models.PROTECT, related_name="plans")
    outcome = models.CharField(max_length=10, choices=RunKind)
    content = models.TextField(help_text=_("RFC 8785 JSON, the exact text that the digest covers."))
    digest = models.CharField(max_length=64)
    words = models.CharField(max_length=120)
    window_minutes = models.PositiveSmallIntegerField()
    beneficiary = models.ForeignKey(Person, models.PROTECT, related_name="+")

    void: bool  # no columns, these four: planning.with_standing reads them beside the plan
    chosen_anew: bool
    has_run: bool
    participants: list[int]

    class Meta(Deed.Meta):
        constraints = (
            models.UniqueConstraint(fields=("incident", "number"), name="plan_number_once"),
            models.UniqueConstraint(fields=("id", "incident", "digest", "beneficiary"), name="plan_target"),
            models.CheckConstraint(
                name="plan_window_is_5_to_60_minutes", condition=Q(window_minutes__gte=5, window_minutes__lte=60)
            ),
        )


class Approval(Deed):
    """One side's yes to one plan. Changes: the three withdrawn columns, once (trigger approval_is_only_withdrawn)."""

    class Side(models.TextChoices):
        OPS = "ops", _("Ops")
        SECOND = "second", _("Security or Engineering")

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="approvals")
    digest = models.CharField(max_length=64)
    requester_person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    beneficiary_person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    practice = models.BooleanField()
    duty = models.CharField(max_length=12, choices=DutyName)
    side = models.CharField(max_length=6, choices=Side)
    step_up = models.OneToOneField(StepUp, models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    withdrawn_reason = models.TextField(blank=True)

    opened: DateTimeTZRange | None  # no column: approvals.live reads the window that it has opened beside it

    class Meta(Deed.Meta):
        constraints = (
            models.CheckConstraint(name="approver_is_not_requester", condition=~Q(person=F("requester_person"))),
            models.CheckConstraint(name="approver_is_not_beneficiary", condition=~Q(person=F("beneficiary_person"))),
            models.CheckConstraint(
                name="approval_side_fits_duty",
                condition=Q(side="ops", duty="ops") | Q(side="second", duty__in=("security", "engineering")),
            ),
            models.UniqueConstraint(
                fields=("plan", "side"), condition=Q(withdrawn_at=None), name="one_live_approval_per_side"
            ),
            models.UniqueConstraint(
                fields=("plan", "person"), condition=Q(withdrawn_at=None), name="one_live_approval_per_person"
            ),
            models.UniqueConstraint(fields=("id", "plan", "side"), name="approval_target"),
        )


class PlanRefusal(Deed):
    """A no to a plan, with its reason. It voids the plan and stays visible."""

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="refusals")
    reason = models.TextField()


class Window(Deed):
    """When a change may be made: both ends set by the database, only ever shortened, one per physical database."""

    class Kind(models.TextChoices):
        PLAN = "plan", _("for an approved plan")
        DISABLE = "disable", _("five minutes to disable")

    kind = models.CharField(max_length=8, choices=Kind)
    plan = models.ForeignKey(Plan, models.PROTECT, null=True, related_name="windows")
    ops_approval = models.ForeignKey(Approval, models.PROTECT, null=True, related_name="+")
    second_approval = models.ForeignKey(Approval, models.PROTECT, null=True, related_name="+")
    database_key = models.CharField(max_length=96, help_text=_("System identifier, slash, database name."))
    during = DateTimeRangeField()
    end_recorded_at = models.DateTimeField(null=True)

    class Meta(Deed.Meta):
        indexes = (models.Index(fields=("id",), condition=Q(end_recorded_at=None), name="window_end_not_recorded"),)
        constraints = (
            models.UniqueConstraint(fields=("id", "incident"), name="window_incident_target"),
            models.CheckConstraint(
                name="planned_window_names_two_approvals",
                condition=Q(kind="disable", plan=None, ops_approval=None, second_approval=None)
                | Q(kind="plan", plan__isnull=False, ops_approval__isnull=False, second_approval__isnull=False),
            ),
        )


class Handover(Deed):
    """The single-use page on which the beneficiary types the password. Changes: used_at, voided_at, wrong_codes."""

    window = models.ForeignKey(Window, models.PROTECT, related_name="handovers")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="handovers")
    token_sha256 = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    wrong_codes = models.PositiveSmallIntegerField(default=0)


class Execution(Deed):
    """The claim of one run: who, under which window and which approvals (trigger execution_is_allowed)."""

    kind = models.CharField(max_length=10, choices=RunKind)
    run = models.OneToOneField(Run, models.PROTECT, related_name="+")
    window = models.ForeignKey(Window, models.PROTECT, related_name="executions")
    plan = models.ForeignKey(Plan, models.PROTECT, null=True, related_name="executions")
    ops_approval = models.ForeignKey(Approval, models.PROTECT, null=True, related_name="+")
    second_approval = models.ForeignKey(Approval, models.PROTECT, null=True, related_name="+")
    undoes = models.ForeignKey("self", models.PROTECT, null=True, related_name="undone_by")
    reason = models.TextField(blank=True, help_text=_("What was wrong, of a run that disables."))

    class Meta(Deed.Meta):
        constraints = (
            models.CheckConstraint(
                name="only_disable_runs_without_approvals",
                condition=Q(kind="disable", undoes__isnull=False)
                | Q(plan__isnull=False, ops_approval__isnull=False, second_approval__isnull=False),
            ),
            models.CheckConstraint(name="disable_says_what_was_wrong", condition=~Q(kind="disable") | ~Q(reason="")),
        )


class Judgement(Deed):
    """What somebody of Security decided on a run that the machine could not decide, once (trigger judgement_is_allowed)."""

    execution = models.OneToOneField(Execution, models.PROTECT, related_name="judgement")
    changed = models.BooleanField(help_text=_("Whether the platform keeps the change."))
    reason = models.TextField()
    machine_said = models.TextField(help_text=_("Why the machine could not decide."))
    digest = models.CharField(max_length=64)
    step_up = models.OneToOneField(StepUp, models.PROTECT, related_name="+")

    class Meta(Deed.Meta):
        constraints = (models.CheckConstraint(name="judgement_has_a_reason", condition=~Q(reason="")),)
