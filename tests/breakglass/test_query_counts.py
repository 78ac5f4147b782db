"""Every page asks the console's database at most twelve questions, session and account included, wherever the incident stands."""

from collections import Counter
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from breakglass.procedure import approvals, evidence, handover, incidents, planning, proofs, revocation
from breakglass.procedure.models import Incident
from breakglass.procedure.position import KEYS
from tests import builders, cast, keepers
from tests.acme import Acme
from tests.breakglass import story
from tests.breakglass.runs_made import shown

pytestmark = pytest.mark.django_db
MOST = 12
# The admin's page of an incident shows every record of fifteen kinds, each kind with a question of its own.
MOST_IN_ADMIN = 41
CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK", "CLOSE")
LETTERS_THAT_TELL = 110


def asked(client: Client, address: str) -> list[str]:
    """The questions behind one page; none for a page that leads elsewhere."""
    queries: list[str] = []

    def note(execute, sql, params, many, context):
        queries.append(str(sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        answer = client.get(address)
    assert answer.status_code in (200, 302), f"{answer.status_code} {address}"
    return [sql for sql in queries if not sql.startswith(CONTROL)] if answer.status_code == 200 else []


def said(where: str, address: str, queries: list[str]) -> str:
    """What a failing test prints: how many, and which of them repeat."""
    alike = Counter(sql[:LETTERS_THAT_TELL] for sql in queries)
    repeated = [f"    {times} x {start}" for start, times in alike.most_common() if times > 1]
    return "\n".join([f"{len(queries)} queries, {where}: {address}", *repeated])


def before_the_run(platform: Acme) -> Iterator[tuple[str, Incident]]:
    """The story, stopped after each step, up to the open window."""
    incident = builders.opened(platform)
    yield "opened", incident
    by, people = incident.requester_account, builders.people()
    incidents.diagnose(incident, by=by)
    yield "diagnosed", incident
    builders.chosen(platform, incident=builders.fresh(incident))
    yield "chosen", incident
    refused = planning.make(builders.fresh(incident), by=by)
    yield "planned", incident
    approvals.refuse(refused, by=people.sam, code=cast.code_for(people.sam), reason="Wrong.")
    yield "refused", incident
    plan = planning.make(builders.fresh(incident), by=by)
    builders.approve(plan, people.omar)
    yield "approved by one", incident
    builders.approve(plan, people.sam)
    yield "approved", incident
    builders.open_window(plan)
    yield "window open", incident


def after_the_run(incident: Incident) -> Iterator[tuple[str, Incident]]:
    """And on from the run to the sealed evidence."""
    by = incident.requester_account
    with keepers.running():
        row, token = shown(incident)
        yield f"/handover/{token}/", incident
        made = story.hand_over(token, code=handover.code_of(row))
    yield f"/handover/done/{made.pk}/", incident
    proofs.confirm(incident, by=by, detail="Dana called back on the known number.")
    yield "proven", incident
    for item in revocation.prepare(incident, by=by):
        if item.kind == "login":
            revocation.check_login(item, by=by)
        else:
            revocation.done(item, by=by, output="rule removed: 0 left")
    yield "taken away", incident
    revocation.finish(incident, by=by)
    evidence.collect(incident, by=by)
    evidence.upload(incident, by=by, kind="backend_log", name="acme.log", data=story.log_lines(incident))
    yield "with evidence", incident
    evidence.seal(incident, by=by)
    yield "sealed", incident


def story_of(platform: Acme) -> Iterator[tuple[str, Incident]]:
    """Every chapter, with its name or the address of the page that only this chapter has."""
    for name, incident in before_the_run(platform):
        yield name, incident
    yield from after_the_run(incident)


def readers() -> dict[str, Client]:
    """Who opened it, who approves it, and Security without part in it."""
    people = builders.people()
    return {name: cast.signed_in(Client(), getattr(people, name)) for name in ("olivia", "omar", "simone")}


def pages_of(incident: Incident) -> list[str]:
    steps = [reverse(f"incident-{key}", args=[incident.reference]) for key in (*KEYS, "rollback", "pulse")]
    return [*steps, "/", "/log/", "/log/0/", "/inbox/", "/incidents/open/"]


def test_every_page_asks_at_most_twelve_questions_at_every_point_of_the_story(platform):
    too_many, clients = [], {}
    for where, incident in story_of(platform):
        clients = clients or readers()
        visits = [(name, address) for name in clients for address in pages_of(incident)]
        for name, address in [*visits, *([("a stranger", where)] if where.startswith("/") else [])]:
            queries = asked(clients.get(name) or Client(), address)
            too_many += [said(f"{where}, {name}", address, queries)] if len(queries) > MOST else []

    assert not too_many, "\n".join(too_many)


def test_incident_in_the_admin_asks_one_question_for_each_kind_of_record(platform):
    incident = story.sealed(platform)
    simone = cast.signed_in(Client(), builders.people().simone)

    queries = asked(simone, reverse("admin:procedure_incident_change", args=[incident.pk]))

    assert len(queries) <= MOST_IN_ADMIN, said("sealed", "the admin's page of an incident", queries)
