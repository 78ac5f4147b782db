"""What happens before a change is planned: the incident, who took part, the diagnosis, the outcome that was chosen."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from breakglass.people.models import Account, Person
from breakglass.procedure.states import State
from recovery.models import RunKind


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
