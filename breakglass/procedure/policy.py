"""Who may do what, as pure questions over facts that were read before. It reads and writes nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audit.refusals import Refused
from breakglass.people.models import DutyName
from breakglass.procedure.models import Approval
from breakglass.procedure.refusals import (
    ApprovedBySamePerson,
    BeneficiaryMayNotApprove,
    DutyMissing,
    ParticipantMayNotApprove,
    PlanVoid,
    PracticeMeetsReal,
    SideTaken,
)

Side = Approval.Side

APPROVAL_IS_YOUNG = timedelta(minutes=30)
DEFAULT_WINDOW_MINUTES = 30
LONGEST_WINDOW_MINUTES = 60
DISABLE_WINDOW = timedelta(minutes=5)
SATURDAY = 5
SIDE_OF_DUTY = {DutyName.OPS: Side.OPS, DutyName.SECURITY: Side.SECOND, DutyName.ENGINEERING: Side.SECOND}


@dataclass(frozen=True)
class Somebody:
    """A person as the rules see one: key, live duties, practice or real."""

    key: int
    duties: frozenset[str]
    practice: bool = False


@dataclass(frozen=True)
class PlanFacts:
    """What the rules ask about a plan; persons by key. `live` holds the approvals that count: side -> person."""

    beneficiary: int
    participants: frozenset[int]
    is_void: bool = False
    practice: bool = False
    live: Mapping[str, int] = field(default_factory=dict)


def may_open(somebody: Somebody) -> bool:
    """Anybody with a duty may open an incident."""
    return bool(somebody.duties)


def sides(duties: Iterable[str]) -> frozenset[str]:
    """The sides that somebody with these duties may approve for."""
    return frozenset(SIDE_OF_DUTY[DutyName(name)] for name in duties if name in SIDE_OF_DUTY)


def duty_for(somebody: Somebody, facts: PlanFacts, wanted: str | None = None) -> str:
    """The duty under which somebody approves: the wanted one, else the first whose side is still free.

    Raises:
        DutyMissing: there is none.
    """
    own = [name for name in SIDE_OF_DUTY if name in somebody.duties and wanted in (None, "", name)]
    free = [name for name in own if SIDE_OF_DUTY[name] not in facts.live]
    for name in (*free, *own):
        return name
    named = [duty.label for duty in SIDE_OF_DUTY if wanted in (None, "", duty)]
    raise DutyMissing(duties=", ".join(str(label) for label in named))


def refusal_to_approve(somebody: Somebody, facts: PlanFacts, wanted: str | None = None) -> Refused | None:
    """Why somebody may not approve the plan now; None if nothing stands against it (rules 1 and 10 of the design)."""
    try:
        side = SIDE_OF_DUTY[DutyName(duty_for(somebody, facts, wanted))]
    except DutyMissing as refused:
        return refused
    against = (
        (facts.practice != somebody.practice, PracticeMeetsReal),
        (facts.is_void, PlanVoid),
        (somebody.key in facts.participants, ParticipantMayNotApprove),
        (somebody.key == facts.beneficiary, BeneficiaryMayNotApprove),
        (somebody.key in facts.live.values(), ApprovedBySamePerson),
    )
    for holds, kind in against:
        if holds:
            return kind()
    return SideTaken(side=side.label) if side in facts.live else None


def is_young(approved_at: datetime, moment: datetime) -> bool:
    """Whether an approval may still open a window: under 30 minutes old."""
    return moment < approved_at + APPROVAL_IS_YOUNG


def working_days_after(moment: datetime, days: int) -> datetime:
    """The same time of day, so many days from Monday to Friday later. Public holidays are not known here."""
    while days:
        moment += timedelta(days=1)
        days -= moment.weekday() < SATURDAY
    return moment
