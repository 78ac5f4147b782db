"""The later chapters of the story, reached through the real steps: a change made on Acme, proven, revoked, sealed."""

import json

from django.db import connections

from breakglass.procedure import evidence, execution, handover, proofs, revocation
from breakglass.procedure.models import Incident, RevocationItem
from recovery.models import Run, RunKind
from tests import builders, cast, keepers
from tests.acme import Acme
from tests.breakglass.runs_made import shown

PASSWORD = "correct horse battery staple"


def run(platform: Acme, outcome: str = RunKind.RESET, **given: object) -> Run:
    """One run of an approved plan, with a keeper that serves while it lasts."""
    incident = builders.window_open(platform, outcome, **given).incident
    return make_change(incident, outcome)


def make_change(incident: Incident, outcome: str) -> Run:
    with keepers.running():
        if outcome not in handover.WITH_PASSWORD:
            by = incident.requester_account
            return execution.execute(incident, by=by, code=cast.code_for(by))
        row, token = shown(incident)
        return hand_over(token, code=handover.code_of(row))


def hand_over(token: str, *, code: str, **other: object) -> Run:
    """What the beneficiary sends; `other` is what a test sends instead."""
    sent = {"password": PASSWORD, "repeated": PASSWORD, "session_account": None}
    return execution.hand_over(token, code=code, **{**sent, **other})


def executed(platform: Acme, outcome: str = RunKind.RESET) -> Incident:
    made = run(platform, outcome)
    assert made.state == "committed", made.reason
    return Incident.objects.get(reference=made.incident)


def proven(platform: Acme) -> Incident:
    incident = executed(platform)
    proofs.confirm(incident, by=incident.requester_account, detail="Dana called back on the known number.")
    return builders.fresh(incident)


def revoked(platform: Acme) -> Incident:
    incident = proven(platform)
    by = incident.requester_account
    for item in revocation.prepare(incident, by=by):
        if item.kind == RevocationItem.Kind.LOGIN:
            revocation.check_login(item, by=by)
        else:
            revocation.done(item, by=by, output="rule removed: 0 left")
    return revocation.finish(incident, by=by)


def with_evidence(platform: Acme) -> Incident:
    incident = revoked(platform)
    by = incident.requester_account
    evidence.collect(incident, by=by)
    evidence.upload(incident, by=by, kind="backend_log", name="acme.log", data=log_lines(incident))
    return builders.fresh(incident)


def log_lines(incident: Incident) -> bytes:
    """Two lines of the platform's backend, one of them long before the incident."""
    moment = incident.opened_at.isoformat()
    lines = [
        {"time": "2020-01-01T00:00:00Z", "request_id": "req-old", "message": "long before"},
        {"time": moment, "request_id": "req-1", "message": "password changed"},
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def sealed(platform: Acme) -> Incident:
    incident = with_evidence(platform)
    evidence.seal(incident, by=incident.requester_account)
    return builders.fresh(incident)


def tables_with(secret: str) -> list[str]:
    """Every table of the console in which the text stands, also inside of bytes; read as the owner."""
    hits = []
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'audit')"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(
                f"SELECT EXISTS (SELECT FROM {table} AS row WHERE position(%s IN row::text) > 0"
                " OR position(encode(convert_to(%s, 'UTF8'), 'hex') IN row::text) > 0)",
                [secret, secret],
            )
            hits += [table] if cursor.fetchone()[0] else []
    return hits
