"""Whom the profile's own query lists as owners, asked as the console's reader: everyone who is one, and nobody who only looks so."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from recovery.language import profiles
from tests.platforms.software import Software
from tests.platforms.words import Variant


@dataclass(frozen=True)
class Listed:
    """One account of the list. kinds: its blockers without their details."""

    login: str
    is_enabled: bool
    kinds: frozenset[str]


def owners(software: Software, conninfo: str) -> list[Listed]:
    """The rows of the owners query over the reader's connection."""
    profile = profiles.load(software.profile)
    with psycopg.connect(conninfo) as reader:
        reader.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(profile.schema)))
        rows = reader.execute(profile.owners.sql.encode()).fetchall()
    return [Listed(row[1], row[5], frozenset(text.partition(":")[0] for text in row[8])) for row in rows]


def faults_before(listed: list[Listed], software: Software, variant: Variant) -> list[str]:
    """An account that is not deleted is found with what stops it; nobody else is listed beside the owners."""
    wanted = [] if variant.outcome == "create" else [variant.login]
    if sorted(one.login for one in listed) != sorted([*wanted, *software.other_owners]):
        return [f"listed as owners before: {listed}"]
    found = next((one.kinds for one in listed if one.login == variant.login), frozenset())
    return [] if frozenset(variant.says) <= found else [f"the diagnosis says {sorted(found)} instead of {variant.says}"]


def faults_after(listed: list[Listed], variant: Variant) -> list[str]:
    """The recovered account is an owner again and is enabled."""
    found = [one for one in listed if one.login == variant.login]
    return [] if [one.is_enabled for one in found] == [True] else [f"listed as owners afterwards: {listed}"]
