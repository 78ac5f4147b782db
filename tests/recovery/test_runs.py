"""A run on the real practice platform: the change is made once, nothing else changes, and nothing is left."""

import json

import pytest
from argon2 import PasswordHasher
from django.db import connection

from audit import log
from recovery.images import from_json
from recovery.models import Access, AdminUser, RunState
from tests.recovery.stage import DANA, NEW, PASSWORD, ROOT, Stage


def test_reset_sets_the_password_that_was_typed(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("reset"))

    assert (run.state, run.reason) == (RunState.COMMITTED, "")
    row = stage.place.acme.owner()
    assert PasswordHasher().verify(row["password_hash"], PASSWORD)
    assert row["failed_logins"] == 0


def test_create_adds_one_owner_to_the_system_tenant(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("create"))

    assert (run.state, run.reason) == (RunState.COMMITTED, "")
    row = stage.place.acme.owner(NEW)
    assert (row["role"], row["tenant_id"], row["is_active"]) == ("platform_owner", 1, True)


def test_enable_needs_no_password(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("enable"))

    assert (run.state, run.reason) == (RunState.COMMITTED, "")
    assert stage.place.acme.owner("root@acme.example")["is_active"]
