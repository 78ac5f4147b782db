"""Plans that undo: disable the account of a committed run at once, or put its rows back as they were."""

from django.utils.translation import gettext as _

from .. import images, platforms
from ..language.profile import Profile
from ..models import Run, RunKind, RunState
from ..run_refusals import NothingToUndo
from . import plans
from .documents import PlanDocument

DISABLE_MINUTES = 5
UNDOABLE = frozenset({RunKind.CREATE, RunKind.RESET, RunKind.ENABLE})


def disable_document(run: Run, *, window_minutes: int = DISABLE_MINUTES) -> PlanDocument:
    """The plan that disables the account which this run created, reset or enabled, and no other.

    Raises NothingToUndo, TargetMissing, kinds of PlatformRefused.
    """
    _require_undoable(run)
    platform = platforms.get(run.platform)
    key, label = target_of(run, platform.profile)
    return plans.build(
        platform,
        outcome=RunKind.DISABLE.value,
        target_key=key,
        login=label,
        beneficiary="",
        incident=run.incident,
        window_minutes=window_minutes,
    )


def restore_document(run: Run, *, beneficiary: str = "", window_minutes: int = 30) -> PlanDocument:
    """The plan that puts this run's rows back, if they are still exactly as the run left them.

    Raises NothingToUndo, RowChanged, OutcomeMissing, kinds of PlatformRefused.
    """
    _require_undoable(run)
    platform = platforms.get(run.platform)
    key, label = target_of(run, platform.profile)
    return plans.build(
        platform,
        outcome=RunKind.RESTORE.value,
        target_key=key,
        login=label,
        beneficiary=beneficiary or PlanDocument(run.content).beneficiary,
        incident=run.incident,
        window_minutes=window_minutes,
        restores=run,
    )


def target_of(run: Run, profile: Profile) -> tuple[str, str]:
    """The account that the run was about: its key, and what a person calls it."""
    document = PlanDocument(run.content)
    if document.target_key:
        return document.target_key, document.login
    before = {image.place: image for image in images.from_json(run.before)}
    found = [one for one in images.from_json(run.after or run.planned_after) if one.table == str(profile.accounts)]
    added = [image for image in found if before[image.place].columns is None]
    if len(added or found) != 1:  # a left-over row that create has taken up counts like a new one
        raise NothingToUndo(why=_("This run has created no account, or more than one."))
    image = (added or found)[0]
    return image.row_key, image.label


def _require_undoable(run: Run) -> None:
    if run.state != RunState.COMMITTED or run.kind not in UNDOABLE:
        raise NothingToUndo(why=_("Only a change that was really made can be undone, and this run has made none."))
