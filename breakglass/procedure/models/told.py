"""What was told to people, and every attempt to deliver it."""

from django.db import models

from breakglass.procedure.models.opening import Incident


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
