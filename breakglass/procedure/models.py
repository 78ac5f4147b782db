"""The facts of the procedure: one row per thing that happened. Rows are added; the few columns that change move forward only."""

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from breakglass.people.models import Account, DutyName, Person, StepUp
from breakglass.procedure.states import State
from recovery.models import Run, RunKind


class Trigger(models.TextChoices):
    NO_OWNER = "no_owner", _("No platform owner can sign in")
    ALL_LOCKED_OUT = "all_locked_out", _("All admins are locked out or deleted")
    CRITICAL = "critical", _("A critical production incident needs admin rights and the standard paths are blocked")


class Incident(models.Model):
    """One break-glass procedure on one platform. Changes: state, exposure_suspected, closed_at (trigger incident_moves_forward)."""

    reference = models.CharField(max_length=20, unique=True)
    platform = models.CharField(max_length=64)
    system_identifier = models.CharField(max_length=32)
    database_name = models.CharField(max_length=63)
    practice = models.BooleanField()
    trigger = models.CharField(max_length=16, choices=Trigger)
    ticket = models.CharField(max_length=64)
    reason = models.TextField()
    requester_account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    requester_person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    follows = models.ForeignKey("self", models.PROTECT, null=True, related_name="followed_by")
    state = models.CharField(max_length=12, choices=State, default=State.OPENED)
    exposure_suspected = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-opened_at",)
        constraints = (
            models.UniqueConstraint(fields=("id", "requester_person"), name="incident_requester_target"),
            models.UniqueConstraint(fields=("id", "practice"), name="incident_practice_target"),
            models.CheckConstraint(name="incident_state_is_known", condition=Q(state__in=State.values)),
            models.CheckConstraint(name="incident_names_a_ticket", condition=~Q(ticket="")),
            models.CheckConstraint(name="incident_names_a_reason", condition=~Q(reason="")),
        )

    def __str__(self) -> str:
        return self.reference


class Deed(models.Model):
    """What most records share: which incident, who, when (the guarded database clock)."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="%(class)ss")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        abstract = True
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"{self.incident_id}: {self._meta.verbose_name} {self.pk}"


class Participant(Deed):
    """Somebody who took part, and may therefore not approve."""

    class Part(models.TextChoices):
        REQUESTED = "requested", _("opened the incident")
        EDITED = "edited", _("edited the plan")
        TOOK_OVER = "took_over", _("took over a step")
        RAN = "ran", _("ran the change")

    part = models.CharField(max_length=10, choices=Part)

    class Meta(Deed.Meta):
        constraints = (
            models.UniqueConstraint(fields=("incident", "person", "part"), name="one_row_per_person_and_part"),
        )


class Diagnosis(Deed):
    """Every platform owner as read from the live platform, and what stops each."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="diagnoses")
    owners = models.TextField(help_text=_("JSON, as recovery.diagnosis made it."))
    healthy = models.PositiveIntegerField()
    recommended = models.CharField(max_length=10, choices=RunKind, blank=True)

    class Meta(Deed.Meta):
        verbose_name_plural = "diagnoses"


class Override(Deed):
    """Why Security lets the procedure go on although an owner is healthy, or although A is not the smallest change."""

    class Kind(models.TextChoices):
        HEALTHY_OWNER = "healthy_owner", _("a healthy owner exists")
        CREATE_THOUGH_OTHERS = "create", _("A although B or C would do")

    diagnosis = models.ForeignKey(Diagnosis, models.PROTECT, related_name="overrides")
    kind = models.CharField(max_length=14, choices=Kind)
    reason = models.TextField()


class Choice(Deed):
    """Exactly one outcome, its target and the human who will hold the account. The latest one counts."""

    outcome = models.CharField(max_length=10, choices=RunKind)
    target_key = models.CharField(max_length=255, blank=True)
    login = models.CharField(max_length=255)
    display_name = models.CharField(max_length=150, blank=True)
    beneficiary = models.ForeignKey(Person, models.PROTECT, related_name="+")
    why = models.TextField(help_text=_("Why this login is theirs."))
    reachable = models.BooleanField()
    forecast = models.TextField(blank=True, help_text=_("JSON: what would still block a sign-in afterwards."))


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

    class Meta(Deed.Meta):
        constraints = (
            models.CheckConstraint(
                name="only_disable_runs_without_approvals",
                condition=Q(kind="disable", undoes__isnull=False)
                | Q(plan__isnull=False, ops_approval__isnull=False, second_approval__isnull=False),
            ),
        )


class SignInProof(models.Model):
    """The recovered person signed in: seen by the console on the platform, or confirmed by somebody."""

    class How(models.TextChoices):
        SEEN = "seen", _("seen on the platform")
        CONFIRMED = "confirmed", _("confirmed by a person")

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="sign_in_proofs")
    execution = models.ForeignKey(Execution, models.PROTECT, related_name="sign_in_proofs")
    how = models.CharField(max_length=9, choices=How)
    detail = models.TextField()
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.detail


class RevocationItem(models.Model):
    """One thing to take away or rotate. Done with output or words, or waived by Security until a date. Changes: done_*, waived_*."""

    class Kind(models.TextChoices):
        LOGIN = "login", _("temporary login")
        NETWORK = "network", _("network rule")
        SECRET = "secret", _("secret")

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="revocation_items")
    kind = models.CharField(max_length=8, choices=Kind)
    title = models.CharField(max_length=255)
    owner = models.CharField(max_length=150)
    mandatory = models.BooleanField(default=True)
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    output = models.TextField(blank=True)
    waived_at = models.DateTimeField(null=True)
    waived_by = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    waived_reason = models.TextField(blank=True)
    waived_until = models.DateField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("incident", "kind", "title"), name="one_revocation_item_per_title"),
            models.CheckConstraint(
                name="a_waiver_has_reason_and_end",
                condition=Q(waived_at=None) | (~Q(waived_reason="") & Q(waived_until__isnull=False)),
            ),
            models.CheckConstraint(name="proven_login_is_never_waived", condition=~Q(kind="login") | Q(waived_at=None)),
        )

    def __str__(self) -> str:
        return self.title


class EvidenceItem(models.Model):
    """One piece of evidence, named by its SHA-256; the content lies in the blobs of audit."""

    class Kind(models.TextChoices):
        DIAGNOSIS = "diagnosis", _("diagnosis")
        PLAN = "plan", _("plan")
        STATEMENTS = "statements", _("exact statements")
        ROWS = "rows", _("rows before and after")
        ACCESS = "access", _("proof that access is gone")
        APPROVALS = "approvals", _("approvals")
        PLATFORM_AUDIT = "platform_audit", _("audit log of the platform")
        BACKEND_LOG = "backend_log", _("backend log lines")
        OTHER = "other", _("other")

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="evidence_items")
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=150)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    source = models.CharField(max_length=255)
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("incident", "name"), name="one_evidence_item_per_name"),)

    def __str__(self) -> str:
        return self.name


class Bundle(Deed):
    """One sealed bundle of the incident (BagIt zip), with the verdicts it had when it was made."""

    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    integrity = models.BooleanField()
    complete = models.BooleanField()
    findings = models.TextField(blank=True)


class PostMortem(models.Model):
    """The four boxes of the runbook, each with content. Edited until closing; its history keeps every version."""

    incident = models.OneToOneField(Incident, models.PROTECT, related_name="post_mortem")
    root_cause = models.TextField(blank=True)
    bundle = models.ForeignKey(Bundle, models.PROTECT, null=True, related_name="+")
    permissions_review = models.TextField(blank=True)
    backlog_item = models.CharField(max_length=255, blank=True)
    backlog_url = models.URLField(max_length=500, blank=True)
    due_at = models.DateTimeField()
    written_by = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    written_at = models.DateTimeField(null=True)
    history = HistoricalRecords()

    def __str__(self) -> str:
        return f"{self.incident_id}: post-mortem"


class Review(Deed):
    """Security's review, by somebody who took no part. Due 24 hours after the change."""

    findings = models.TextField()


class Message(models.Model):
    """Something that was told to people. It carries no secret and no link that acts by itself."""

    incident = models.ForeignKey(Incident, models.PROTECT, null=True, related_name="messages")
    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=255)
    body = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.subject


class Delivery(models.Model):
    """One attempt to deliver a message on one channel, as compliance sees it."""

    message = models.ForeignKey(Message, models.PROTECT, related_name="deliveries")
    channel = models.CharField(max_length=64)
    attempt = models.PositiveSmallIntegerField()
    delivered = models.BooleanField()
    error = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        verbose_name_plural = "deliveries"
        constraints = (models.UniqueConstraint(fields=("message", "channel", "attempt"), name="one_row_per_attempt"),)

    def __str__(self) -> str:
        return f"{self.channel} {self.attempt}"
