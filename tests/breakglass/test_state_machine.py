"""No sequence of steps reaches a run without two live approvals and an open window. Tried at random, with the real steps."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from audit import clock
from audit.refusals import Refused
from breakglass.people.models import Duty, Person
from breakglass.procedure import approvals, incidents, planning, windows
from breakglass.procedure.models import Approval, Choice, Execution, Incident, Participant, Plan, PlanRefusal, Window
from recovery.models import Run
from tests import builders, cast
from tests.breakglass.rules import raw_claim

pytestmark = pytest.mark.django_db

PEOPLE = ("olivia", "omar", "sam", "simone", "erin", "connie", "mallory")
APPROVERS = {"omar": "ops", "erin": "engineering"}
DECIDED = {"aborted": ["aborted"], "committed": ["prepared", "committed"]}


def reasons_against(execution: Execution) -> list[str]:
    """Read anew from the records, without any of the rules under test: why this run should not have been."""
    now, window, plan = clock.now(), execution.window, execution.plan
    given = list(Approval.objects.filter(pk__in=(execution.ops_approval_id, execution.second_approval_id)))
    took_part = set(Participant.objects.filter(incident=execution.incident).values_list("person_id", flat=True))
    against = {
        "window closed": not window.during.lower <= now < window.during.upper,
        "not two people": len({one.person_id for one in given}) != 2,
        "not two sides": {one.side for one in given} != {"ops", "second"},
        "withdrawn": any(one.withdrawn_at for one in given),
        "other plan": any(one.plan_id != plan.pk or one.digest != plan.digest for one in given),
        "replaced": Plan.objects.filter(incident=plan.incident, number__gt=plan.number).exists(),
        "chosen anew": Choice.objects.filter(incident=plan.incident, pk__gt=plan.choice_id).exists(),
        "refused": PlanRefusal.objects.filter(plan=plan).exists(),
        "old when opened": any((window.during.lower - one.at).total_seconds() >= 30 * 60 for one in given),
        "duty lost": any(not one.person.duties.filter(name=one.duty, ended_at=None).exists() for one in given),
        "participant": any(one.person_id in took_part for one in given),
        "beneficiary": any(one.person_id == plan.beneficiary_id for one in given),
        "runs it": any(one.person_id == execution.person_id for one in given),
        "ran before": Execution.objects.filter(plan=plan, run__state="committed").exclude(pk=execution.pk).exists(),
    }
    return [reason for reason, holds in against.items() if holds]


class Procedure(RuleBasedStateMachine):
    """Anybody tries anything at any moment; what is refused is refused, what passes is looked at."""

    platform = None
    pass_time: Callable[..., None]
    claims = 0

    @initialize()
    def begin(self) -> None:
        self.people = builders.people()
        self.incident = builders.diagnosed(self.platform)

    def by(self, name: str):
        return getattr(self.people, name)

    def attempt(self, act: Callable[[], object]) -> object:
        try:
            return act()
        except Refused:
            return None

    @property
    def now(self) -> Incident:
        return builders.fresh(self.incident)

    def plan(self, stale: bool = False) -> Plan | None:
        """The latest plan, or the one before: somebody's tab is stale."""
        made = list(Plan.objects.filter(incident=self.incident).order_by("-number")[:2])
        return made[-1 if stale else 0] if made else None

    @rule(name=st.sampled_from(PEOPLE), outcome=st.sampled_from(["reset", "enable"]))
    def choose(self, name: str, outcome: str) -> None:
        self.attempt(lambda: builders.chosen(self.platform, outcome, incident=self.now, by=self.by(name)))

    @rule(name=st.sampled_from(PEOPLE))
    def look_again(self, name: str) -> None:
        self.attempt(lambda: incidents.diagnose(self.now, by=self.by(name)))

    @rule(name=st.sampled_from(("olivia", "omar", "sam")))
    def make_plan(self, name: str) -> None:
        self.attempt(lambda: planning.make(self.now, by=self.by(name), window_minutes=10))

    @rule()
    def go_straight_to_the_window(self) -> None:
        """The ordinary way, so that random steps also start from an open window."""
        olivia = self.by("olivia")
        self.attempt(lambda: builders.chosen(self.platform, incident=self.now))
        self.attempt(lambda: planning.make(self.now, by=olivia))
        if plan := self.plan():
            self.attempt(lambda: builders.approve(plan, self.by("omar")))
            self.attempt(lambda: builders.approve(plan, self.by("erin")))
            self.attempt(lambda: builders.open_window(plan, by=olivia))

    @rule(name=st.sampled_from(PEOPLE), stale=st.booleans())
    def approve(self, name: str, stale: bool) -> None:
        if plan := self.plan(stale):
            self.attempt(lambda: builders.approve(plan, self.by(name)))

    @rule(name=st.sampled_from(PEOPLE), stale=st.booleans())
    def say_no(self, name: str, stale: bool) -> None:
        by = self.by(name)
        if plan := self.plan(stale):
            self.attempt(lambda: approvals.refuse(plan, by=by, code=cast.code_for(by), reason="No."))

    @rule(name=st.sampled_from(PEOPLE))
    def withdraw(self, name: str) -> None:
        given = Approval.objects.filter(incident=self.incident).order_by("-id").first()
        if given:
            self.attempt(lambda: approvals.withdraw(given, by=self.by(name), reason="Hm."))

    @rule(name=st.sampled_from(PEOPLE), stale=st.booleans())
    def open_window(self, name: str, stale: bool) -> None:
        if plan := self.plan(stale):
            self.attempt(lambda: builders.open_window(plan, by=self.by(name)))

    @rule(minutes=st.sampled_from((1, 9, 29, 31)))
    def wait(self, minutes: int) -> None:
        self.pass_time(minutes=minutes)

    @rule(name=st.sampled_from(sorted(APPROVERS)))
    def lose_or_regain_duty(self, name: str) -> None:
        person, duty = self.by(name).person, APPROVERS[name]
        if not Duty.objects.filter(person=person, ended_at=None).update(ended_at=clock.now()):
            self.give_duty(person, duty)

    def give_duty(self, person: Person, duty: str) -> None:
        proposed, confirmed, at = self.people.sam.person, self.people.simone.person, clock.now()
        Duty.objects.create(
            person=person, name=duty, proposed_by=proposed, proposed_at=at, confirmed_by=confirmed, confirmed_at=at
        )

    @rule(name=st.sampled_from(PEOPLE), end=st.sampled_from(("aborted", "committed")))
    def anybody_runs(self, name: str, end: str) -> None:
        self.claim(name, end)

    def claim(self, name: str, end: str) -> None:
        window = Window.objects.filter(incident=self.incident, kind="plan").order_by("-id").first()
        if window is None:
            return
        try:
            with transaction.atomic():
                execution = raw_claim(window, self.by(name))
        except (DatabaseError, Refused):
            return
        assert reasons_against(execution) == []
        Procedure.claims += 1
        self.decide(execution.run, end)

    @rule(end=st.sampled_from(("aborted", "committed")))
    def requester_runs(self, end: str) -> None:
        """Tried often: whoever asked for the change is the one who usually presses the button."""
        self.claim("olivia", end)

    def decide(self, run: Run, end: str) -> None:
        facts = {"prepared": {"xid": "1", "timeline": "1", "planned_after": "[]"}}
        for state in DECIDED[end]:
            Run.objects.filter(pk=run.pk).update(state=state, **facts.get(state, {}))

    @invariant()
    def at_most_one_run_changed_the_platform_per_plan(self) -> None:
        for plan in Plan.objects.filter(incident=getattr(self, "incident", None)):
            assert plan.executions.exclude(run__state="aborted").count() <= 1

    def teardown(self) -> None:
        window = windows.current(self.incident)
        if window:
            windows.shorten(window, by=self.people.connie)
        for name, duty in APPROVERS.items():
            if not Duty.objects.filter(person=self.by(name).person, ended_at=None).exists():
                self.give_duty(self.by(name).person, duty)


def test_no_sequence_of_steps_runs_without_two_live_approvals_and_an_open_window(platform, pass_time):
    Procedure.platform, Procedure.pass_time, Procedure.claims = platform, staticmethod(pass_time), 0

    run_state_machine_as_test(
        Procedure,
        settings=settings(
            max_examples=20,
            stateful_step_count=15,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )

    assert Procedure.claims > 0, "no run was reached at all: the machine tries nothing"
