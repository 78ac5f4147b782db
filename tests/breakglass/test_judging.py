"""A run that the machine cannot decide: the platform is asked again, or a person decides, once, and it is shown as such."""

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from audit import blobs
from audit.models import Entry
from breakglass.people.models import Account
from breakglass.people.refusals import CodeRefused
from breakglass.procedure import change_refusals, evidence, execution, jobs, judging, refusals, revocation
from breakglass.procedure.models import Execution, Incident, Judgement
from breakglass.procedure.states import State
from recovery.models import Run, RunKind, RunState
from recovery.points import fail_points
from recovery.running import settle
from tests import builders, cast
from tests.acme import Acme
from tests.breakglass import story
from tests.breakglass.rules import fresh_code, refused_by
from tests.breakglass.runs_made import claimed, shown
from tests.breakglass.test_rollback import disabled

pytestmark = pytest.mark.django_db
ENDING = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename ~ '^bg_' AND datname = current_database()"
REASON = "The row was read with the database administrator of Acme."


@pytest.fixture
def incident(platform: Acme) -> Incident:
    """Acme's server died at the COMMIT, came back from a backup, and somebody touched the row: nothing can be told."""
    fail_points["after_prepared"] = lambda: platform.rows(ENDING)
    run = story.run(platform)
    fail_points.clear()
    with connections["owner"].cursor() as owner:
        owner.execute("ALTER TABLE recovery_run DISABLE TRIGGER only_changes")
        owner.execute("UPDATE recovery_run SET timeline = '000000FF'")
        owner.execute("ALTER TABLE recovery_run ENABLE ALWAYS TRIGGER only_changes")
    with platform.connect() as dba:
        dba.execute("UPDATE adminuser SET display_name = display_name || ' (moved)'")
    assert settle.settle(run).state == RunState.NEEDS_HUMAN
    return Incident.objects.get()


def as_before(platform: Acme) -> None:
    """The server is on its own timeline again after all."""
    (timeline,) = platform.rows("SELECT timeline_id FROM pg_control_checkpoint()")[0].values()
    with connections["owner"].cursor() as owner:
        owner.execute("ALTER TABLE recovery_run DISABLE TRIGGER only_changes")
        owner.execute("UPDATE recovery_run SET timeline = lpad(upper(to_hex(%s)), 8, '0')", [timeline])
        owner.execute("ALTER TABLE recovery_run ENABLE ALWAYS TRIGGER only_changes")


def judged(incident: Incident, *, by: Account | None = None, **other: object) -> Run:
    by = by or builders.people().simone
    given = {"code": cast.code_for(by), "changed": True, "reason": REASON}
    return execution.judge(incident, by=by, **{**given, **other})


def test_change_that_a_person_confirms_moves_the_incident_on(incident: Incident) -> None:
    run = judged(incident)

    assert (run.state, run.decided_by, run.after) == (RunState.COMMITTED, "person", run.planned_after)
    assert builders.fresh(incident).state == State.EXECUTED
    assert incident.post_mortem


def test_change_that_a_person_denies_may_be_tried_again(incident: Incident) -> None:
    run = judged(incident, changed=False)

    assert (run.state, run.decided_by, run.after) == (RunState.ABORTED, "person", "")
    assert builders.fresh(incident).state == State.PLANNED
    assert shown(incident)


def test_log_says_that_a_person_decided_and_what_the_machine_had_said(incident: Incident) -> None:
    machine_said = Run.objects.get().reason

    judged(incident)

    entries = {one.event: one for one in Entry.objects.filter(incident=incident.reference)}
    assert entries["run.committed"].facts["decided_by"] == "person"
    told = entries["run.judged"]
    assert (told.by, told.facts["reason"], told.facts["machine_said"]) == ("simone", REASON, machine_said)


def test_judgement_is_in_the_evidence(incident: Incident) -> None:
    judged(incident)

    items = evidence.collect(builders.fresh(incident), by=incident.requester_account)

    statements = next(item for item in items if item.kind == "statements")
    text = b"".join(blobs.stream(statements.sha256)).decode()
    assert "a person, not the machine" in text
    assert REASON in text


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("erin", refusals.DutyMissing),
        ("connie", refusals.DutyMissing),
        ("olivia", refusals.DutyMissing),
        ("sam", change_refusals.JudgementBySomebodyElse),
    ],
)
def test_only_security_without_part_decides(incident: Incident, name: str, kind: type) -> None:
    with pytest.raises(kind):
        judged(incident, by=getattr(builders.people(), name))

    assert Run.objects.get().state == RunState.NEEDS_HUMAN


@pytest.mark.parametrize(
    ("other", "kind"), [({"reason": " "}, refusals.TextMissing), ({"code": "000000"}, CodeRefused)]
)
def test_reason_and_fresh_code_are_needed(incident: Incident, other: dict[str, str], kind: type) -> None:
    with pytest.raises(kind):
        judged(incident, **other)

    assert not Judgement.objects.exists()


def test_decision_counts_once(incident: Incident) -> None:
    judged(incident)

    with pytest.raises(change_refusals.NothingToJudge):
        judged(incident, changed=False)

    assert Run.objects.get().state == RunState.COMMITTED


def test_committed_run_is_not_judged(platform: Acme) -> None:
    incident = story.executed(platform)

    with pytest.raises(change_refusals.NothingToJudge):
        judged(incident, changed=False)


def test_run_that_the_machine_can_still_decide_is_not_judged(platform: Acme) -> None:
    run = claimed(platform)

    with pytest.raises(change_refusals.NothingToJudge):
        judged(Incident.objects.get(), changed=False)

    run.refresh_from_db()
    assert run.state == RunState.INTENT


def raw_judgement(incident: Incident, by: Account, **lies: object) -> Judgement:
    """A judgement written past every step."""
    claim = Execution.objects.get()
    purpose = lies.pop("purpose", "judge")
    code = fresh_code(by, claim.run.plan_digest, purpose)
    said = {"changed": True, "reason": "x", "machine_said": "", "digest": claim.run.plan_digest, "step_up": code}
    who = {"incident": incident, "account": by, "person_id": by.person_id, "at": code.at, "execution": claim}
    return Judgement.objects.create(**{**who, **said, **lies})


@pytest.mark.parametrize(
    ("name", "lies", "rule"),
    [
        ("erin", {}, "security_judges"),
        ("sam", {}, "judge_took_no_part"),
        ("simone", {"purpose": "waive"}, "judgement_takes_a_fresh_code"),
        ("simone", {"reason": ""}, "judgement_has_a_reason"),
        ("simone", {}, "a_judgement_decides"),
    ],
)
def test_database_refuses_what_no_page_offers(incident: Incident, name: str, lies: dict, rule: str) -> None:
    with refused_by(rule):
        raw_judgement(incident, getattr(builders.people(), name), **lies)


def test_database_refuses_a_judgement_on_a_run_that_is_under_way(platform: Acme) -> None:
    run = claimed(platform)

    with refused_by("only_what_needs_a_human_is_judged"):
        raw_judgement(Incident.objects.get(reference=run.incident), builders.people().simone)


@pytest.mark.parametrize("using", ["default", "owner"])
def test_nobody_writes_decided_by_a_person_without_a_judgement(incident: Incident, using: str) -> None:
    with refused_by("only_what_needs_a_human_is_judged", using=using):
        Run.objects.using(using).update(state="committed", decided_by="person")


def test_judgement_stays(incident: Incident) -> None:
    judged(incident)

    with refused_by("what_is_recorded_stays", using="owner"):
        Judgement.objects.using("owner").update(changed=False)


def test_asking_again_finds_the_truth_when_it_can_be_told(incident: Incident, platform: Acme) -> None:
    as_before(platform)

    run = execution.ask_again(incident, by=builders.people().simone)

    assert (run.state, run.decided_by) == (RunState.ABORTED, "settle")


def test_asking_again_changes_nothing_when_it_cannot(incident: Incident) -> None:
    simone = builders.people().simone

    run = execution.ask_again(incident, by=simone)

    assert run.state == RunState.NEEDS_HUMAN
    assert Entry.objects.filter(event="run.asked_again", by="simone").exists()
    assert not revocation.had_part(incident, simone)


def test_nothing_is_asked_again_about_a_decided_run(platform: Acme) -> None:
    incident = story.executed(platform)

    with pytest.raises(change_refusals.NothingToJudge):
        execution.ask_again(incident, by=builders.people().simone)


def test_worker_asks_again_by_itself_and_tells_security_once(incident: Incident, platform: Acme) -> None:
    jobs.ask_again(0)
    jobs.ask_again(60)
    assert incident.messages.filter(subject__contains="a person must decide").count() == 1
    as_before(platform)

    jobs.ask_again(120)

    assert Run.objects.get().state == RunState.ABORTED


def test_page_stays_on_the_change_after_the_window_and_offers_both_ways(incident: Incident, pass_time) -> None:
    pass_time(minutes=61)
    pages = {name: page_of(incident, name) for name in ("olivia", "simone")}

    assert all("Ask the platform again" in page for page in pages.values())
    assert "judge_form" not in pages["olivia"]
    assert "judge_form" in pages["simone"]


def page_of(incident: Incident, name: str) -> str:
    client = cast.signed_in(Client(), getattr(builders.people(), name))
    answer = client.get(f"/incidents/{incident.reference}/", follow=True)
    assert answer.redirect_chain[-1][0].endswith("/execute/")
    return answer.text


def test_pages_say_that_a_person_decided(incident: Incident) -> None:
    simone = builders.people().simone
    client = cast.signed_in(Client(), simone)
    address = f"/incidents/{incident.reference}/execute/"

    asked = client.post(f"{address}ask/", follow=True)
    said = {"changed": "yes", "reason": REASON, "code": cast.code_for(simone)}
    done = client.post(f"{address}judge/", said, follow=True)

    assert "still cannot be told" in asked.text
    assert "Decided by a person, not by the machine" in done.text
    assert REASON in done.text
    assert Run.objects.get().decided_by == "person"


def test_page_refuses_the_wrong_person_and_bad_input(incident: Incident) -> None:
    address = f"/incidents/{incident.reference}/execute/judge/"
    sam, simone = builders.people().sam, builders.people().simone
    said = {"changed": "yes", "reason": REASON}

    answers = [
        cast.signed_in(Client(), sam).post(address, {**said, "code": cast.code_for(sam)}).status_code,
        cast.signed_in(Client(), simone).post(address, {**said, "changed": "perhaps"}).status_code,
    ]

    assert answers == [403, 422]
    assert Run.objects.get().state == RunState.NEEDS_HUMAN


def test_admin_asks_again_decides_and_shows_it(incident: Incident) -> None:
    simone = builders.people().simone
    client = cast.signed_in(Client(), simone)
    action = "admin:procedure_incident_named"

    asked = client.post(reverse(action, args=[incident.pk, "ask-again"]), follow=True)
    said = {"changed": "no", "reason": REASON, "code": cast.code_for(simone)}
    client.post(reverse(action, args=[incident.pk, "judge"]), said)
    run = client.get(reverse("admin:recovery_run_change", args=[Run.objects.get().pk]))

    assert "still cannot be told" in asked.text
    assert "a person, not the machine" in run.text
    assert not judging.unclear(incident)


def test_disabling_that_needs_a_human_is_decided_on_the_page_of_the_way_back(platform: Acme, monkeypatch) -> None:
    incident = story.executed(platform)
    simone = builders.people().simone
    monkeypatch.setattr(settle, "verdict", lambda _evidence: (RunState.NEEDS_HUMAN, "The rows are neither."))
    _lost_at_the_commit(incident, platform)
    client = cast.signed_in(Client(), simone)
    address = f"/incidents/{incident.reference}/rollback/"

    page = client.get(address).text
    client.post(f"{address}judge/", {"changed": "yes", "reason": REASON, "code": cast.code_for(simone)})

    assert "judge_form" in page
    assert "disable_form" not in page
    assert Run.objects.get(kind=RunKind.DISABLE).decided_by == "person"
    assert incident.evidence_items.filter(kind="incident_report").exists()


def _lost_at_the_commit(incident: Incident, platform: Acme) -> None:
    fail_points["after_prepared"] = lambda: platform.rows(ENDING)
    run = disabled(incident)
    fail_points.clear()
    settle.settle(run)
