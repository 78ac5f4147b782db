"""Carries out a run, crash-safe over two databases: intent, rehearsal, change, PREPARED, the platform's COMMIT, result.

The protocol of DESIGN section 6; settle decides what a killed executor leaves undecided. Never inside a transaction.
"""

from collections.abc import Callable
from datetime import timedelta

from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit import canonical, clock
from audit.refusals import Refused

from .. import database, images, platforms
from ..database import Session
from ..doors import access, openings
from ..doors.access import Login
from ..language.profile import BEFORE, Profile, Statement
from ..models import Run, RunState
from ..planning import choices, new_passwords
from ..planning.documents import PlanDocument
from ..planning.parameters import Values, undone_image
from ..platform_refusals import OutcomeUnknown, PlatformBusy, PlatformRefused
from ..points import passed
from ..run_refusals import ClocksApart, Overtaken, PlanAltered, ResultUnrecorded, ValuesMissing
from . import changes, records, seals
from .changes import Done, Job

EXECUTOR = "executor"
NOTED_SKEW, LARGEST_SKEW = timedelta(seconds=2), timedelta(seconds=30)  # goes into the log; stops the run
ATTEMPTS = 2  # a serialization failure or a deadlock is tried once more, as long as nothing is prepared


def facts_of(content: str) -> dict[str, str]:
    """What a run takes over from its plan: the digest of the profile that it was made with, and the mode of access."""
    document = PlanDocument(content)
    return {"profile_digest": document.profile_digest, "mode": document.mode}


def prepare_values(content: str, *, password: str | None) -> Values:
    """The secret values that this plan needs, made before any transaction; the hash costs what the platform's hashing costs.

    Raises ValuesMissing, PasswordRefused, SchemeUnknown, PepperMissing, and what the platform answers of its own pepper.
    """
    document = PlanDocument(content)
    if document.password is None:
        return Values()
    if password is None:
        raise ValuesMissing
    return Values(new_passwords.prepared(document, password))


def carry_out(run: Run, *, values: Values) -> Run:
    """Make the approved change once, or not at all.

    Returns:
        The run: COMMITTED; ABORTED, its reason says why nothing was changed; PREPARED, when no answer came to the
        platform's COMMIT and settle has to find out; or whatever settle has decided while this process slept.

    Raises:
        ResultUnrecorded: the console's own clock or log refused after the platform's COMMIT; the run stays PREPARED.
    """
    if connection.in_atomic_block:
        raise transaction.TransactionManagementError("a run belongs into no transaction of its caller")
    passed("after_intent")
    try:
        job = job_of(run, values)
        with openings.opened(run, job.platform) as login:
            passed("after_access")
            _rehearse(job, login)
            passed("after_rehearsal")
            _change(job, login)
    except Refused as refused:
        _abort(run, refused)
    run.refresh_from_db()
    return run


def _abort(run: Run, refused: Refused) -> None:
    """Record the refusal of a run that was never prepared. Anything else is not for the executor to decide."""
    run.refresh_from_db()
    if run.is_decided or isinstance(refused, Overtaken):
        return  # settle was faster, and what this process met afterwards follows from that
    if run.state != RunState.INTENT:
        raise ResultUnrecorded(why=refused.happened) from refused  # its own sentence says that nothing was changed
    records.aborted(
        run, refused.sentence, of=RunState.INTENT, decided_by=EXECUTOR, by=run.operator, refusal=refused.code
    )


def job_of(run: Run, values: Values) -> Job:
    """The run with its plan, platform and profile, all of them still those that were approved. Raises PlanAltered."""
    document = PlanDocument(run.content)
    platform = platforms.get(run.platform)
    profile = platform.profile
    place = (document.platform, document.system_identifier, document.database_name, document.outcome)
    if document.digest != run.plan_digest or place != (
        run.platform,
        run.system_identifier,
        run.database_name,
        run.kind,
    ):
        raise PlanAltered(what=_("the run's text does not have the approved digest"))
    if not profile.digest == document.profile_digest == run.profile_digest:
        raise PlanAltered(what=_("the profile {name} was edited").format(name=profile.name))
    if not platform.mode == document.mode == run.mode:
        raise PlanAltered(what=_("the platform's access is {mode} by now").format(mode=platform.mode))
    statements = tuple(choices.recall(profile, document.outcome, fields) for fields in document.statements)
    secret = dict(values.secret) | _sealed(document, profile, statements)
    missing = {name for name, given in document.parameters.items() if given.get("kind") in {"password_hash", "salt"}}
    if missing - secret.keys():
        raise ValuesMissing
    return Job(run, document, platform, profile, statements, Values(secret))


def _sealed(document: PlanDocument, profile: Profile, statements: tuple[Statement, ...]) -> dict[str, str]:
    """For a restore: the secret values of the row as it was before the run that is undone."""
    wanted = [name for name, given in document.parameters.items() if given.get("kind") == "sealed"]
    if not wanted:
        return {}
    undone, opened = Run.objects.get(pk=document.restores), {}
    for name in wanted:
        statement = next(statement for statement in statements if name in statement.parsed.parameters)
        row = seals.open_row(undone, undone_image(undone, str(statement.table), document.target_key))
        opened[name] = row[name.removeprefix(BEFORE)]
    return opened


def _rehearse(job: Job, login: Login) -> None:
    """The same change, rolled back. Values taken from sequences stay consumed."""
    done = _attempt(job, login, _roll_back, explain=True)
    records.rehearsed(job.run, counts=done.counts)


def _change(job: Job, login: Login) -> None:
    _attempt(job, login, _keep)


def _attempt(job: Job, login: Login, finish: Callable[[Job, Session, Done], None], *, explain: bool = False) -> Done:
    for left in reversed(range(ATTEMPTS)):
        try:
            with access.connect(job.platform, login) as session:
                done = changes.make(session, job, explain=explain)
                finish(job, session, done)
                return done
        except PlatformBusy:
            if not left or _is_prepared(job.run):
                raise
    raise AssertionError("unreachable")


def _is_prepared(run: Run) -> bool:
    return not Run.objects.filter(pk=run.pk, state=RunState.INTENT).exists()


def _roll_back(job: Job, session: Session, done: Done) -> None:
    """The end of a rehearsal, and the moment to compare the two clocks: mandates and windows end by both of them."""
    skew = database.identity(session).clock - clock.now()
    session.rollback()
    if abs(skew) > NOTED_SKEW:
        records.clocks_apart(job.run, skew)
    if abs(skew) > LARGEST_SKEW:
        raise ClocksApart(seconds=round(skew.total_seconds(), 1), most=LARGEST_SKEW.seconds)


def _keep(job: Job, session: Session, done: Done) -> None:
    """Flush, record as PREPARED, COMMIT as a message of its own, record the result."""
    passed("after_statements")
    facts = _facts(job, session, done)
    session.flush(str(job.run.pk))
    passed("after_flush")
    records.prepared(job.run, facts=facts, before=list(done.before.values()), to_seal=done.to_seal)
    passed("after_prepared")
    try:
        session.commit()
    except OutcomeUnknown as refused:
        records.unknown(job.run, refused)
        return
    except PlatformRefused as refused:
        reason, code = refused.sentence, refused.code
        records.aborted(job.run, reason, of=RunState.PREPARED, decided_by=EXECUTOR, by=job.run.operator, refusal=code)
        return
    passed("after_platform_commit")
    tenant = job.profile.tenant_table
    records.committed(job.run, tenant_table=tenant, decided_by=EXECUTOR, by=job.run.operator)
    passed("after_committed")


def _facts(job: Job, session: Session, done: Done) -> dict[str, object]:
    """What tells this transaction from every other one, and what it is about to leave behind."""
    xid = session.one("SELECT pg_current_xact_id()::text")[0]
    return {
        "xid": xid,
        "timeline": database.identity(session).timeline,
        "backend_pid": session.info.backend_pid,
        "planned_after": images.to_json(done.after.values()),
        "statements": f"[{','.join(map(canonical.line, done.sent))}]",
    }
