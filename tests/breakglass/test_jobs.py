"""What the worker does by itself: it records, closes, settles and tells. Whether something is over, the database decides."""

import json

import pytest

from audit import clock, log
from breakglass.procedure import execution, jobs, messages, windows
from breakglass.procedure.models import Incident, Message
from breakglass.procedure.states import State
from recovery.doors import openings
from recovery.models import Access, Run, RunState
from recovery.points import fail_points
from tests import builders, keepers
from tests.breakglass import story
from tests.breakglass.runs_made import claimed, link

pytestmark = pytest.mark.django_db
Kind = messages.Kind


class Killed(BaseException):
    """Stands for the executor's end in the middle of a run: nothing of our own catches it."""


def killed_at(point: str, platform, monkeypatch) -> Run:
    """A run whose executor dies at this point, its access left behind as it is."""

    def die(*_args: object, **_named: object) -> None:
        raise Killed

    monkeypatch.setitem(fail_points, point, die)
    monkeypatch.setattr(openings, "_close_quietly", lambda *_args: None)
    row, token = link(platform)
    with keepers.running(), pytest.raises(Killed):
        story.hand_over(token, code=story.handover.code_of(row))
    monkeypatch.undo()
    return Run.objects.get()


def test_tick_records_a_window_that_is_over_once(platform, pass_time):
    incident = builders.window_open(platform, window_minutes=5).incident
    pass_time(minutes=6)

    jobs.tick(timestamp=0)
    jobs.tick(timestamp=5)

    assert [json.loads(line)["event"] for line in log.lines(incident.reference)].count("window.ended") == 1


def test_tick_keeps_a_window_closed_when_the_clock_steps_back_a_little(platform, pass_time):
    incident = builders.window_open(platform, window_minutes=5).incident
    pass_time(minutes=5, seconds=1)
    jobs.tick(timestamp=0)

    pass_time(seconds=-1)

    assert windows.current(incident) is None


@pytest.mark.parametrize("point", ["after_access", "after_flush", "after_prepared"])
def test_access_of_a_killed_executor_is_closed_and_proven(platform, pass_time, monkeypatch, point):
    killed_at(point, platform, monkeypatch)
    pass_time(minutes=2)

    jobs.close_left_over(timestamp=0)

    access = Access.objects.get()
    assert access.proven_at is not None
    assert not platform.rows("SELECT FROM pg_roles WHERE rolname = %s", access.role_name)


def test_access_of_a_run_that_is_under_way_is_left_alone(platform, monkeypatch):
    killed_at("after_access", platform, monkeypatch)

    jobs.close_left_over(timestamp=0)

    assert Access.objects.get().proven_at is None


def test_access_that_cannot_be_proven_is_told_once(platform, pass_time, monkeypatch, settings):
    killed_at("after_access", platform, monkeypatch)
    pass_time(minutes=2)
    settings.PLATFORMS_FILE = _unreachable(platform)

    jobs.close_left_over(timestamp=0)
    jobs.close_left_over(timestamp=5)

    assert Message.objects.filter(kind=Kind.ACCESS_NOT_PROVEN).count() == 1
    assert Access.objects.get().proven_at is None


def _unreachable(platform) -> str:
    """The same platform file, its logins leading to a server that is not there."""
    for login in ("reader", "broker"):
        for file in platform.file.parent.rglob(f"*{login}*"):
            file.write_text(f"postgresql://{login}@127.0.0.1:1/acme")
    return platform.file


def test_run_whose_executor_died_after_the_commit_is_found_committed(platform, pass_time, monkeypatch):
    killed_at("after_platform_commit", platform, monkeypatch)
    pass_time(minutes=2)

    jobs.settle_unfinished(timestamp=0)

    assert Run.objects.get().state == RunState.COMMITTED
    assert Incident.objects.get().state == State.EXECUTED


def test_run_whose_executor_died_before_the_commit_is_found_aborted(platform, pass_time, monkeypatch):
    killed_at("after_rehearsal", platform, monkeypatch)
    pass_time(minutes=2)

    jobs.settle_unfinished(timestamp=0)

    assert Run.objects.get().state == RunState.ABORTED
    assert Incident.objects.get().state == State.PLANNED


def test_young_run_is_not_settled_under_its_executor(platform):
    claimed(platform)

    jobs.settle_unfinished(timestamp=0)

    assert Run.objects.get().state == RunState.INTENT


def test_owners_are_told_again_once_a_day(platform, pass_time):
    builders.opened(platform)
    pass_time(minutes=25 * 60)

    jobs.remind(timestamp=0)
    jobs.remind(timestamp=60)

    assert Message.objects.filter(kind=Kind.OWNERS_TOLD).count() == 2


def test_overdue_review_and_post_mortem_are_told(platform, pass_time):
    story.executed(platform)
    pass_time(minutes=8 * 24 * 60)

    jobs.remind(timestamp=0)

    told = set(Message.objects.values_list("kind", flat=True))
    assert {Kind.REVIEW_DUE, Kind.POST_MORTEM_DUE} <= told


def test_clock_that_went_back_stops_the_tick_with_its_sentence(platform, pass_time):
    builders.opened(platform)
    pass_time(minutes=-10)

    with pytest.raises(Exception, match="clock went back"):
        jobs.tick(timestamp=0)


def test_everything_told_is_free_of_links_that_act(platform):
    story.executed(platform)

    assert not Message.objects.filter(body__contains="/handover/").exists()
    assert execution.last_committed(Incident.objects.get()).run.decided_at <= clock.now()
