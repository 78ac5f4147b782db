"""A change on paper: one script for the bastion's psql, and the platform's own rows decide what became of it."""

import json
from pathlib import Path

import pytest

from breakglass.procedure import access_refusals, evidence, execution, handover, jobs, papers, revocation
from breakglass.procedure.models import EvidenceItem, Incident
from recovery.bastion.paper_refusals import ReceiptAltered, ReceiptOfAnother, ReceiptUnreadable, ScriptGone
from recovery.hashing.passwords import verify
from recovery.models import AdminUser, PaperScript, Run, RunKind, RunState
from tests import builders, by_hand, cast
from tests.acme import Acme
from tests.breakglass import story
from tests.breakglass.runs_made import shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(platform: Acme) -> Acme:
    """Acme, where the console changes nothing itself."""
    return by_hand.without_doors(platform, "paper")


def out(acme: Acme, outcome: str = RunKind.RESET) -> Incident:
    """The script of an approved plan is made; nobody has run it."""
    incident = builders.window_open(acme, outcome).incident
    if outcome in handover.WITH_PASSWORD:
        row, token = shown(incident)
        run = story.hand_over(token, code=handover.code_of(row))
    else:
        by = incident.requester_account
        run = execution.execute(incident, by=by, code=cast.code_for(by))
    assert run.state == RunState.PREPARED, run.reason
    return incident


def script(incident: Incident) -> str:
    by = incident.requester_account
    return papers.show(incident, by=by, code=cast.code_for(by))


def run_by_dba(acme: Acme, incident: Incident) -> str:
    """The DBA runs the script once; what psql printed."""
    done = by_hand.run_script(acme, script(incident))
    assert done.returncode == 0, done.stderr
    return done.stdout


def bring(incident: Incident, printed: str) -> Run:
    return papers.bring(incident, by=incident.requester_account, text=printed)


@pytest.mark.parametrize("outcome", [RunKind.RESET, RunKind.ENABLE, RunKind.CREATE])
def test_change_made_by_the_script_is_recognised_by_its_receipt(acme, outcome):
    incident = out(acme, outcome)
    printed = run_by_dba(acme, incident)

    run = bring(incident, printed)

    assert run.state == RunState.COMMITTED, run.reason
    assert run.decided_by == "settle"
    assert builders.fresh(incident).state == "executed"


def test_new_password_counts_on_the_platform(acme):
    incident = out(acme)

    run_by_dba(acme, incident)

    assert verify(story.PASSWORD, acme.owner()["password_hash"])


def test_rows_reach_the_history_before_and_after(acme):
    incident = out(acme)

    bring(incident, run_by_dba(acme, incident))

    dana = AdminUser.objects.get(label="dana@acme.example")
    before, after = [json.loads(one.image) for one in dana.history.order_by("history_date", "history_id")]
    assert before["password_hash"] != after["password_hash"]
    assert after["failed_logins"] == 0


def test_receipt_whose_lines_a_terminal_has_broken_is_understood(acme):
    incident = out(acme)
    printed = run_by_dba(acme, incident)
    lines = [part for line in printed.splitlines() for part in (_folded(line) if line.startswith("{") else [line])]

    run = bring(incident, "\r\n".join(["some prompt=#", *lines]))

    assert run.state == RunState.COMMITTED, run.reason


def _folded(line: str) -> list[str]:
    return [line[start : start + 80] for start in range(0, len(line), 80)]


def test_rehearsal_keeps_nothing(acme):
    incident, before = out(acme), acme.owner()

    done = by_hand.run_script(acme, script(incident), "-v", "rehearse=1")

    assert done.returncode == 0, done.stderr
    assert "Rehearsed" in done.stdout
    assert acme.owner() == before


def test_script_runs_once(acme):
    incident = out(acme)
    text = script(incident)
    assert by_hand.run_script(acme, text).returncode == 0
    after = acme.owner()

    again = by_hand.run_script(acme, text)

    assert again.returncode == 3
    assert "changed since the plan was made" in again.stderr
    assert acme.owner() == after


def test_script_for_a_new_owner_adds_it_once(acme):
    incident = out(acme, RunKind.CREATE)
    text = script(incident)
    assert by_hand.run_script(acme, text).returncode == 0

    again = by_hand.run_script(acme, text)

    assert again.returncode == 3
    assert "already has a row" in again.stderr


def test_row_that_was_changed_in_between_stops_the_script(acme):
    incident = out(acme)
    text = script(incident)
    acme.rows("UPDATE adminuser SET display_name = 'Somebody else' WHERE email = 'dana@acme.example' RETURNING id")

    done = by_hand.run_script(acme, text)

    assert done.returncode == 3
    assert "display_name" in done.stderr
    assert acme.owner()["display_name"] == "Somebody else"


def test_password_that_was_changed_in_between_stops_the_script(acme):
    incident = out(acme)
    text = script(incident)
    acme.rows("UPDATE adminuser SET password_hash = 'stolen' WHERE email = 'dana@acme.example' RETURNING id")

    done = by_hand.run_script(acme, text)

    assert "password_hash" in done.stderr
    assert acme.owner()["password_hash"] == "stolen"


def test_failed_sign_ins_in_between_do_not_stop_the_script(acme):
    incident = out(acme)
    acme.rows("UPDATE adminuser SET failed_logins = 99 WHERE email = 'dana@acme.example' RETURNING id")

    assert bring(incident, run_by_dba(acme, incident)).state == RunState.COMMITTED


def test_script_refuses_after_its_end_by_the_platforms_clock(acme):
    incident, before = out(acme), acme.owner()
    until = PaperScript.objects.get().until.strftime("%Y-%m-%d %H:%M:%S+00")
    text = script(incident).replace(until, "2020-01-01 00:00:00+00")

    done = by_hand.run_script(acme, text)

    assert done.returncode == 3
    assert "time of this script is over" in done.stderr
    assert acme.owner() == before


def test_script_looks_at_the_clock_once_more_before_its_commit(acme):
    incident = out(acme)

    text = script(incident)

    assert text.rindex("clock_timestamp() >=") > text.index("UPDATE adminuser")
    assert text.rindex("clock_timestamp() >=") < text.rindex("COMMIT;")


def test_script_refuses_another_database(acme):
    incident = out(acme)
    text = script(incident).replace(f"<> '{acme.dbname}'", "<> 'another'")

    done = by_hand.run_script(acme, text)

    assert "This is the database" in done.stderr


def test_trigger_that_writes_another_table_stops_the_script(acme):
    incident, before = out(acme), acme.owner()
    with acme.connect() as dba:
        dba.execute("CREATE TABLE noted (at timestamptz)")
        dba.execute(
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN INSERT INTO noted VALUES (now()); RETURN NEW; END $$"
        )
        dba.execute("CREATE TRIGGER note BEFORE UPDATE ON adminuser FOR EACH ROW EXECUTE FUNCTION note()")

    done = by_hand.run_script(acme, script(incident))

    assert "public.noted (1 added" in done.stderr
    assert acme.owner() == before


def test_trigger_that_writes_another_value_stops_the_script(acme):
    incident, before = out(acme), acme.owner()
    with acme.connect() as dba:
        dba.execute(
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN NEW.password_hash := OLD.password_hash; RETURN NEW; END $$"
        )
        dba.execute("CREATE TRIGGER keep BEFORE UPDATE ON adminuser FOR EACH ROW EXECUTE FUNCTION keep()")

    done = by_hand.run_script(acme, script(incident))

    assert "not as it was approved: password_hash" in done.stderr
    assert acme.owner() == before


def altered(printed: str) -> str:
    return printed.replace('"is_active": true', '"is_active": false', 1)


def test_altered_receipt_is_refused(acme):
    incident = out(acme, RunKind.ENABLE)
    printed = run_by_dba(acme, incident)

    with pytest.raises(ReceiptAltered):
        bring(incident, altered(printed))


def test_receipt_of_another_run_is_refused(acme):
    incident = out(acme)
    printed = run_by_dba(acme, incident)
    run = Run.objects.get()

    with pytest.raises(ReceiptOfAnother, match="run"):
        bring(incident, printed.replace(str(run.pk), "00000000-0000-0000-0000-000000000000"))


def test_text_without_a_receipt_is_refused(acme):
    incident = out(acme)

    with pytest.raises(ReceiptUnreadable):
        bring(incident, "ERROR:  the time of this script is over")


def test_receipt_of_a_script_that_was_rolled_back_does_not_count(acme):
    incident, before = out(acme), acme.owner()
    forged = script(incident).replace("\nCOMMIT;\n", "\nROLLBACK;\n")
    done = by_hand.run_script(acme, forged)

    run = bring(incident, done.stdout)

    assert acme.owner() == before
    assert run.state == RunState.PREPARED


def test_change_without_its_receipt_is_recognised_by_the_password_hash(acme):
    incident = out(acme)
    run_by_dba(acme, incident)

    jobs.ask_again(timestamp=0)

    run = Run.objects.get()
    assert run.state == RunState.COMMITTED, run.reason
    assert builders.fresh(incident).state == "executed"


def test_script_that_nobody_ran_is_known_when_its_time_is_over(acme, script_over):
    out(acme)
    script_over()

    jobs.ask_again(timestamp=0)

    assert Run.objects.get().state == RunState.ABORTED


def test_nothing_is_decided_while_the_script_may_still_be_run(acme):
    out(acme)

    jobs.ask_again(timestamp=0)

    assert Run.objects.get().state == RunState.PREPARED


def test_enabled_account_without_receipt_needs_a_human(acme, script_over):
    incident = out(acme, RunKind.ENABLE)
    run_by_dba(acme, incident)
    script_over()

    jobs.ask_again(timestamp=0)

    run = Run.objects.get()
    assert run.state == RunState.NEEDS_HUMAN
    assert "Bring the receipt" in run.reason


def test_receipt_that_comes_late_still_decides(acme, script_over):
    incident = out(acme, RunKind.ENABLE)
    printed = run_by_dba(acme, incident)
    script_over()
    jobs.ask_again(timestamp=0)

    run = bring(incident, printed)

    assert run.state == RunState.COMMITTED, run.reason


def test_worker_does_not_settle_paper_as_it_settles_other_runs(acme, pass_time):
    out(acme)
    pass_time(minutes=2)

    jobs.settle_unfinished(timestamp=0)

    assert Run.objects.get().state == RunState.PREPARED


def test_hash_in_the_script_is_in_no_table_of_the_console(acme, console):
    incident = out(acme)
    run_by_dba(acme, incident)

    assert story.tables_with(acme.owner()["password_hash"]) == []
    assert story.tables_with(story.PASSWORD) == []


def test_script_is_wiped_when_the_run_is_decided(acme):
    incident = out(acme)

    bring(incident, run_by_dba(acme, incident))

    kept = PaperScript.objects.get()
    assert kept.wiped_at is not None
    assert bytes(kept.sealed) == b""
    with pytest.raises(access_refusals.NoPaper):
        script(incident)


def test_approver_is_not_shown_the_script(acme):
    incident = out(acme)
    sam = builders.people().sam

    with pytest.raises(Exception, match="approve"):
        papers.show(incident, by=sam, code=cast.code_for(sam))


def test_script_whose_key_was_lost_is_gone_and_says_so(acme):
    incident = out(acme)
    by_hand.lose_seal_key(incident)

    with pytest.raises(ScriptGone):
        script(incident)


def test_platform_that_answers_leaves_nothing_to_a_person(acme):
    incident = out(acme)

    with pytest.raises(access_refusals.PlatformAnswers):
        papers.put_to_a_person(incident, by=incident.requester_account, text="")


def test_where_the_console_cannot_connect_a_person_decides_and_it_is_marked_so(acme):
    incident = out(acme)
    printed = run_by_dba(acme, incident)
    _cut_off(acme.file.parent)
    papers.put_to_a_person(incident, by=incident.requester_account, text=printed)
    simone = builders.people().simone

    run = execution.judge(
        incident, by=simone, code=cast.code_for(simone), changed=True, reason="I saw psql print COMMIT with the DBA."
    )

    assert (run.state, run.decided_by) == (RunState.COMMITTED, "person")
    assert AdminUser.objects.filter(label="dana@acme.example", moment="after").exists()


def _cut_off(folder: Path) -> None:
    (folder / "acme-reader").write_text("host=127.0.0.1 port=1 dbname=nowhere user=nobody password=none")


def test_evidence_says_that_no_login_was_opened_and_which_script_was_given_out(acme):
    incident = out(acme)
    bring(incident, run_by_dba(acme, incident))
    olivia = incident.requester_account
    for item in revocation.prepare(builders.fresh(incident), by=olivia):
        revocation.done(item, by=olivia, output="rule removed: 0 left")
    revocation.finish(incident, by=olivia)

    evidence.collect(incident, by=olivia)

    (kept,) = EvidenceItem.objects.filter(incident=incident, kind="access")
    assert "paper" in kept.name
