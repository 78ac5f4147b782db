"""The facts of the platform side: runs, temporary logins, mandates and row images. A run knows only the mandate it was given."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords


class RunKind(models.TextChoices):
    CREATE = "create", _("A: create the first Platform Owner")
    RESET = "reset", _("B: reset a password")
    ENABLE = "enable", _("C: re-enable a disabled admin")
    DISABLE = "disable", _("Disable now")
    RESTORE = "restore", _("Restore the rows as they were before")


class RunState(models.TextChoices):
    INTENT = "intent", _("intended, nothing sent yet")
    PREPARED = "prepared", _("unknown yet")
    COMMITTED = "committed", _("changed once")
    ABORTED = "aborted", _("not changed")
    NEEDS_HUMAN = "needs_human", _("needs a human")


class DecidedBy(models.TextChoices):
    EXECUTOR = "executor", _("the process that made the change")
    SETTLE = "settle", _("the console, by asking the platform")
    PERSON = "person", _("a person, not the machine")


class AccessMode(models.TextChoices):
    DOORS = "doors", _("doors that open for a mandate")
    PREMADE = "premade", _("a role that the database administrator opens and closes")
    PAPER = "paper", _("a script for the bastion; the console changes nothing itself")


class Run(models.Model):
    """One execution of a plan. The state moves forward only, a decided run never changes (trigger run_moves_forward)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.CharField(max_length=20)
    kind = models.CharField(max_length=10, choices=RunKind)
    plan_digest = models.CharField(max_length=64)
    platform = models.CharField(max_length=64)
    system_identifier = models.CharField(max_length=32)
    database_name = models.CharField(max_length=63)
    profile_digest = models.CharField(max_length=64)
    mode = models.CharField(max_length=8, choices=AccessMode, default=AccessMode.DOORS)
    window_end = models.DateTimeField()
    operator = models.CharField(max_length=150)
    beneficiary = models.CharField(max_length=150, blank=True)
    state = models.CharField(max_length=12, choices=RunState, default=RunState.INTENT)
    fence = models.UUIDField(default=uuid.uuid4, editable=False)
    content = models.TextField(help_text=_("The approved plan, as the exact text that was hashed."))
    claimed_at = models.DateTimeField()
    rehearsed_at = models.DateTimeField(null=True)
    before = models.TextField(blank=True, help_text=_("Row images before, JSON, secrets as fingerprints."))
    planned_after = models.TextField(blank=True)
    after = models.TextField(blank=True)
    statements = models.TextField(blank=True, help_text=_("What was sent, JSON, secret values left out."))
    timeline = models.CharField(max_length=8, blank=True)
    xid = models.CharField(max_length=20, blank=True)
    backend_pid = models.IntegerField(null=True)
    prepared_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=20, blank=True, choices=DecidedBy)
    reason = models.TextField(blank=True, help_text=_("Why it was decided so, in a sentence."))

    class Meta:
        ordering = ("-claimed_at",)
        constraints = (
            models.CheckConstraint(name="run_state_is_known", condition=Q(state__in=RunState.values)),
            models.CheckConstraint(
                name="run_prepared_knows_its_transaction",
                condition=~Q(state=RunState.PREPARED)
                | Q(mode=AccessMode.PAPER)
                | (~Q(xid="") & ~Q(timeline="") & ~Q(planned_after="")),
            ),
            models.CheckConstraint(name="run_mode_is_known", condition=Q(mode__in=AccessMode.values)),
        )

    def __str__(self) -> str:
        return f"{self.incident} {self.kind} {self.id}"

    @property
    def is_decided(self) -> bool:
        return self.state in {RunState.COMMITTED, RunState.ABORTED}


PREMADE_ROLE = "breakglass_temp_"


class Access(models.Model):
    """One temporary login on the platform, opened for one run.

    Behind doors its id also names the role there; a pre-made role is the same for every access, one after the other.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, models.PROTECT, related_name="accesses")
    platform = models.CharField(max_length=64)
    role_name = models.CharField(max_length=63)
    until = models.DateTimeField()
    requested_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    proven_at = models.DateTimeField(null=True, help_text=_("Proven gone: no role, no session, login refused."))
    proof = models.TextField(blank=True, help_text=_("The platform's own words, JSON."))

    is_agreed: bool  # whether the keeper has signed it; only where openings.of_run has asked

    class Meta:
        ordering = ("-requested_at",)
        verbose_name_plural = "accesses"
        constraints = (
            models.UniqueConstraint(
                fields=["role_name"], condition=~Q(role_name__startswith=PREMADE_ROLE), name="one_access_for_each_role"
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_premade(self) -> bool:
        """Whether a DBA opens and closes this login by hand."""
        return self.role_name.startswith(PREMADE_ROLE)

    @property
    def title(self) -> str:
        """What people call this access: its role, and for a pre-made role also which of its openings."""
        return f"{self.role_name} ({str(self.pk)[:8]})" if self.is_premade else self.role_name


class MandateRequest(models.Model):
    """What an executor asks the keeper to sign. Inserted once, never changed."""

    access = models.OneToOneField(Access, models.PROTECT, related_name="mandate_request")
    run = models.ForeignKey(Run, models.PROTECT)
    kind = models.CharField(max_length=10, choices=RunKind)
    incident = models.CharField(max_length=20)
    digest = models.CharField(max_length=64)
    verifier_sha256 = models.CharField(max_length=64)
    until = models.DateTimeField()
    nonce = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.incident} {self.kind}"


class Mandate(models.Model):
    """The keeper's answer: a signature, or the reason why not. Only the keeper's login may insert it."""

    request = models.OneToOneField(MandateRequest, models.PROTECT, related_name="mandate")
    signature = models.CharField(max_length=64, blank=True, help_text=_("HMAC-SHA256, hexadecimal."))
    refusal = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="mandate_is_signed_or_refused",
                condition=(~Q(signature="") & Q(refusal="")) | (Q(signature="") & ~Q(refusal="")),
            ),
        )

    def __str__(self) -> str:
        return str(self.request)


class PaperScript(models.Model):
    """The script of one run on paper, sealed under the incident's key until the run is decided, then wiped.

    fingerprints: JSON, parameter -> keyed fingerprint of a secret value in the script, to find it again on the platform.
    """

    run = models.OneToOneField(Run, models.PROTECT, related_name="paper")
    until = models.DateTimeField(help_text=_("By the platform's clock the script refuses from this moment on."))
    sha256 = models.CharField(max_length=64, help_text=_("Of the script as it was shown."))
    fingerprints = models.TextField()
    nonce = models.BinaryField(max_length=12)
    sealed = models.BinaryField()
    made_at = models.DateTimeField()
    wiped_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.run)


class SealKey(models.Model):
    """The key of one incident's sealed rows. An unlogged table (never in a physical backup); wiped at closing."""

    incident = models.CharField(max_length=20, unique=True)
    key = models.BinaryField(max_length=32)
    wiped_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.incident


class SealedRow(models.Model):
    """One before-row with its secrets, sealed under the incident's key (AES-256-GCM), for a restore."""

    run = models.ForeignKey(Run, models.PROTECT)
    table_name = models.CharField(max_length=127)
    row_key = models.CharField(max_length=255)
    nonce = models.BinaryField(max_length=12)
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.table_name} {self.row_key}"


class RowImage(models.Model):
    """A row of the platform as a run saw it: saved once before and once after, so that its history shows both."""

    class Moment(models.TextChoices):
        BEFORE = "before", _("before")
        AFTER = "after", _("after")

    platform = models.CharField(max_length=64)
    system_identifier = models.CharField(max_length=32)
    database_name = models.CharField(max_length=63)
    table_name = models.CharField(max_length=127)
    row_key = models.CharField(max_length=255)
    label = models.CharField(max_length=255, blank=True, help_text=_("What a person calls the row: login or name."))
    run = models.ForeignKey(Run, models.PROTECT, related_name="+")
    moment = models.CharField(max_length=6, choices=Moment)
    image = models.TextField(blank=True, help_text=_("JSON of the row; empty: there was no row."))
    at = models.DateTimeField()

    class Meta:
        abstract = True
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"{self.table_name} {self.row_key} ({self.label})"


ROW_KEY = ("system_identifier", "database_name", "table_name", "row_key")


class AdminUser(RowImage):
    """Rows of every table but the tenant table."""

    history = HistoricalRecords()

    class Meta(RowImage.Meta):
        constraints = (models.UniqueConstraint(fields=ROW_KEY, name="one_adminuser_per_platform_row"),)


class Tenant(RowImage):
    """Rows of the tenant table."""

    history = HistoricalRecords()

    class Meta(RowImage.Meta):
        constraints = (models.UniqueConstraint(fields=ROW_KEY, name="one_tenant_per_platform_row"),)
