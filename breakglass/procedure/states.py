"""The states of an incident and the one table of moves between them. Approvals and windows are questions, not states."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class State(TextChoices):
    OPENED = "opened", _("opened")
    DIAGNOSED = "diagnosed", _("diagnosed")
    PLANNED = "planned", _("planned")
    EXECUTED = "executed", _("changed on the platform")
    PROVEN = "proven", _("sign-in proven")
    REVOKED = "revoked", _("access revoked")
    SEALED = "sealed", _("evidence sealed")
    CLOSED = "closed", _("closed")
    ABANDONED = "abandoned", _("abandoned")


MOVES: dict[State, frozenset[State]] = {
    State.OPENED: frozenset({State.DIAGNOSED, State.ABANDONED}),
    State.DIAGNOSED: frozenset({State.PLANNED, State.ABANDONED}),
    State.PLANNED: frozenset({State.EXECUTED, State.ABANDONED}),
    State.EXECUTED: frozenset({State.PROVEN, State.REVOKED}),
    State.PROVEN: frozenset({State.REVOKED}),
    State.REVOKED: frozenset({State.SEALED}),
    State.SEALED: frozenset({State.CLOSED}),
    State.CLOSED: frozenset(),
    State.ABANDONED: frozenset(),
}

FINAL = frozenset(state for state, moves in MOVES.items() if not moves)
BEFORE_RUN = frozenset({State.OPENED, State.DIAGNOSED, State.PLANNED})


def may_move(start: State, end: State) -> bool:
    """True if an incident in `start` may go to `end`."""
    return end in MOVES[start]
