"""The one table of moves: complete over all pairs, forward only, and the same in the code and in the database."""

import itertools

from breakglass.procedure.states import FINAL, MOVES, State, may_move

FORWARD = [State.OPENED, State.DIAGNOSED, State.PLANNED, State.EXECUTED, State.PROVEN, State.REVOKED, State.SEALED]


def test_every_state_has_its_row_of_moves():
    assert set(MOVES) == set(State)


def test_no_pair_of_states_may_be_moved_in_both_directions():
    both = [(a, b) for a, b in itertools.product(State, State) if may_move(a, b) and may_move(b, a)]

    assert both == []


def test_closed_and_abandoned_are_the_only_ends():
    assert frozenset({State.CLOSED, State.ABANDONED}) == FINAL


def test_the_straight_way_leads_from_opened_to_closed():
    straight = itertools.pairwise([*FORWARD, State.CLOSED])

    assert all(may_move(start, end) for start, end in straight)


def test_what_was_changed_on_a_platform_cannot_be_abandoned():
    changed = FORWARD[FORWARD.index(State.EXECUTED) :]

    assert not any(may_move(state, State.ABANDONED) for state in changed)
