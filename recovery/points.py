"""Named points that a run passes, for fault tests: there a test kills, stops or cuts off. In life nothing hangs on them."""

from collections.abc import Callable

fail_points: dict[str, Callable[[], None]] = {}  # name -> what a fault test does there; empty in life

# In the order in which a run passes them; the locks and the statements twice, in the rehearsal and in the change.
IN_ORDER = (
    "after_intent",
    "after_access_asked",  # the keeper is asked, the door is shut
    "after_access_made",  # the login exists, and the console has not recorded it
    "after_access",
    "after_lock",
    "after_rehearsal",
    "after_statements",
    "after_flush",
    "before_prepared_commit",  # inside the console's own transaction
    "after_prepared",
    "after_platform_commit",
    "before_committed_commit",
    "after_committed",
    "after_access_locked",  # between the two commits of closing
    "after_access_closed",
    "after_access_proven",  # gone, and the console has not recorded it
)


def passed(name: str) -> None:
    """The run has come to this point."""
    if name in fail_points:
        fail_points[name]()
