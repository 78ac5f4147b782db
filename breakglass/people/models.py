"""Who there is: persons, their accounts and duties, their second factors. Rules count persons, never accounts."""

from collections.abc import Callable
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device
from simple_history.models import HistoricalRecords


class DutyName(models.TextChoices):
    OPS = "ops", _("Ops")
    SECURITY = "security", _("Security")
    ENGINEERING = "engineering", _("Engineering")
    COMPLIANCE = "compliance", _("Compliance")


class Person(models.Model):
    """One human. A beneficiary may be a person without an account. Practice people never meet real platforms."""

    name = models.CharField(_("name"), max_length=150)
    contact = models.CharField(
        _("contact"), max_length=255, help_text=_("Where the person is reached: e-mail or telephone.")
    )
    practice = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("id", "practice"), name="person_practice_target"),)

    def __str__(self) -> str:
        return self.name

    def has_duty(self, *names: str) -> bool:
        """True if one of the duties is confirmed and not ended."""
        return any(duty.name in names for duty in self.duties.all() if duty.is_live)


class AccountManager(BaseUserManager["Account"]):
    def get_by_natural_key(self, username: str | None) -> "Account":
        return self.select_related("person").prefetch_related("person__duties").get(username=username)


class Account(AbstractBaseUser):
    """A way to sign in. Django's groups and permissions are not used: duties are."""

    username = models.CharField(_("username"), max_length=64, unique=True)
    person = models.ForeignKey(Person, models.PROTECT, related_name="accounts")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects: ClassVar[AccountManager] = AccountManager()
    is_verified: Callable[[], bool]  # both factors in this session; django_otp's middleware sets it

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ("username",)
        constraints = (models.UniqueConstraint(fields=("id", "person"), name="account_person_target"),)

    def __str__(self) -> str:
        return self.username

    @property
    def is_staff(self) -> bool:
        return self.person.has_duty(DutyName.SECURITY, DutyName.COMPLIANCE)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Looking is for security and compliance; nothing is ever edited by permission."""
        return self.is_active and self.is_staff and perm.split(".")[-1].startswith("view_")

    def has_perms(self, perms: list[str], obj: object = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_staff


LIVE = Q(confirmed_at__isnull=False, ended_at=None)  # Duty.is_live, as the database is asked


class Duty(models.Model):
    """A duty of a person: proposed by one, confirmed by another; both empty only for those whom bootstrap made."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="duties")
    name = models.CharField(max_length=12, choices=DutyName)
    proposed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "duties"
        constraints = (
            models.UniqueConstraint(
                fields=("person", "name"), condition=Q(ended_at=None), name="one_duty_of_a_kind_at_a_time"
            ),
            models.CheckConstraint(name="duty_is_known", condition=Q(name__in=DutyName.values)),
            models.CheckConstraint(
                name="duty_takes_two_people",
                condition=Q(proposed_by=None, confirmed_by=None)
                | Q(confirmed_by=None)
                | (~Q(confirmed_by=F("proposed_by")) & ~Q(confirmed_by=F("person")) & ~Q(proposed_by=F("person"))),
            ),
        )

    def __str__(self) -> str:
        return f"{self.person}: {self.get_name_display()}"

    @property
    def is_live(self) -> bool:
        return self.confirmed_at is not None and self.ended_at is None


class Authenticator(Device):
    """An authenticator app (TOTP, RFC 6238). The seed is sealed; codes are judged by the database's time, each step once.

    A retired one is no longer confirmed: that ends its sessions at their next request.
    """

    sealed_key = models.BinaryField()
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user}: {self.name}"


class SpentStep(models.Model):
    """One time step of one authenticator, spent by the first code that used it (RFC 6238 section 5.2)."""

    authenticator = models.ForeignKey(Authenticator, models.PROTECT)
    step = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("authenticator", "step"), name="a_code_is_spent_once"),)

    def __str__(self) -> str:
        return f"{self.authenticator_id} {self.step}"


class StepUp(models.Model):
    """A fresh second factor for one purpose and one digest, taken once."""

    account = models.ForeignKey(Account, models.PROTECT)
    authenticator = models.ForeignKey(Authenticator, models.PROTECT)
    purpose = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("id", "account", "digest"), name="step_up_target"),)

    def __str__(self) -> str:
        return f"{self.account} {self.purpose}"


class Invitation(models.Model):
    """A single-use way to set a password or enrol an authenticator, proposed by one person and confirmed by another.

    The link exists from the confirmation on; of its token only the SHA-256 is kept.
    """

    class Kind(models.TextChoices):
        FIRST = "first", _("first password and authenticator")
        PASSWORD = "password", _("a new password")
        FACTOR = "factor", _("a new authenticator")
        BOTH = "both", _("a new password and a new authenticator")

    account = models.ForeignKey(Account, models.PROTECT, related_name="invitations")
    kind = models.CharField(max_length=8, choices=Kind)
    token_sha256 = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001  (unique: "" could be there once)
    proposed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    confirmed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="invitation_kind_is_known", condition=Q(kind__in=("first", "password", "factor", "both"))
            ),
            models.CheckConstraint(
                name="invitation_takes_two_people",
                condition=Q(confirmed_by=None, confirmed_at=None, token_sha256=None, used_at=None)
                | (Q(confirmed_by__isnull=False, confirmed_at__isnull=False) & ~Q(confirmed_by=F("proposed_by"))),
            ),
        )

    def __str__(self) -> str:
        return str(self.account)


class Throttle(models.Model):
    """Failures of one lane (address, account from unknown devices, known device). It delays, it never locks."""

    lane = models.CharField(max_length=160, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    turned_away = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.lane
