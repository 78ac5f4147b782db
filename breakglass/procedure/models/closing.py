"""What follows a change: proof of sign-in, revocation, evidence, post-mortem."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from breakglass.people.models import Account
from breakglass.procedure.models.change import Execution
from breakglass.procedure.models.opening import Deed, Incident


class SignInProof(models.Model):
    """The recovered person signed in: seen by the console on the platform, or confirmed by somebody."""

    class How(models.TextChoices):
        SEEN = "seen", _("seen on the platform")
        CONFIRMED = "confirmed", _("confirmed by a person")
        CHECKED = "checked", _("tried by the console")

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="sign_in_proofs")
    execution = models.ForeignKey(Execution, models.PROTECT, related_name="sign_in_proofs")
    how = models.CharField(max_length=9, choices=How)
    detail = models.TextField()
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.detail


class LoginCheck(models.Model):
    """One sign-in over HTTP by the console itself, with the password just set. Kept whatever it says; it holds no secret.

    facts: recovery.login_checks.Result as JSON. noted_at, noted: the platform's clock and latest sign-in right after it.
    """

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="login_checks")
    execution = models.ForeignKey(Execution, models.PROTECT, related_name="login_checks")
    verdict = models.CharField(max_length=16)
    facts = models.TextField()
    noted_at = models.DateTimeField(null=True)
    noted = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.verdict


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
        PROOF = "proof", _("proof of the sign-in")
        BACKEND_LOG = "backend_log", _("backend log lines")
        INCIDENT_REPORT = "incident_report", _("incident report of what was disabled")
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
