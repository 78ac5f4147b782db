"""The account of the second site."""

import uuid
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone


class Colleagues(BaseUserManager["Colleague"]):
    def create_user(self, email: str, password: str | None = None, **facts: Any) -> "Colleague":
        colleague = self.model(email=self.normalize_email(email), **facts)
        colleague.set_password(password)
        colleague.save()
        return colleague

    def create_superuser(self, email: str, password: str | None = None, **facts: Any) -> "Colleague":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **facts)


class Colleague(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=100)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now)

    objects = Colleagues()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    def __str__(self) -> str:
        return self.email
