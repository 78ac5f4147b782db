"""The console's own sign-in after the change: what it proves, what it does not, and that it never costs the run."""

import json
import threading
from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from audit import blobs, events
from audit.models import Entry
from breakglass.procedure import evidence, login_proofs, proofs
from breakglass.procedure.models import EvidenceItem, LoginCheck, SignInProof
from breakglass.procedure.states import State
from recovery.models import RunKind, RunState
from recovery.sign_in import login_checks
from tests import acme_site, builders, cast
from tests.acme import Acme
from tests.breakglass import story
from tests.recovery import sites
from tests.recovery.sites import Site

pytestmark = pytest.mark.django_db

DANA = "dana@acme.example"


@pytest.fixture
def acme(platform: Acme, monkeypatch: pytest.MonkeyPatch) -> Iterator[Acme]:
    """Acme, with its own sign-in site."""
    with acme_site.serving(platform, monkeypatch) as url:
        acme_site.lead_to(platform, url)
        yield platform


@pytest.fixture
def foreign(platform: Acme) -> Iterator[Site]:
    """Acme's database behind a site that answers as the test wants it to."""
    with sites.running() as site:
        acme_site.lead_to(platform, f"{site.url}/")
        site.replies_with("POST", "/sign-in", 200, {"signed_in": True})
        yield site


def test_new_password_and_owners_page_are_tried_and_prove_the_recovery(acme):
    incident = story.executed(acme)

    proof = incident.sign_in_proofs.get()

    assert (proof.how, builders.fresh(incident).state) == (SignInProof.How.CHECKED, State.PROVEN)
    assert login_proofs.result_of(incident.login_checks.get()).is_recovered


def test_a_new_account_is_tried_too(acme):
    incident = story.executed(acme, RunKind.CREATE)

    assert incident.login_checks.get().verdict == login_checks.Verdict.RECOVERED


def test_the_consoles_sign_in_is_not_taken_for_the_persons(acme):
    incident = story.executed(acme)

    assert acme.owner(DANA)["last_login_at"] is not None, "the console's own"
    assert proofs.look(incident) is None


def test_the_persons_sign_in_after_the_check_is_seen(acme):
    incident = story.executed(acme)
    with acme.connect() as dba:
        dba.execute("UPDATE adminuser SET last_login_at = clock_timestamp() WHERE email = %s", [DANA])

    proof = proofs.look(incident)

    assert proof.how == SignInProof.How.SEEN
    assert [one.how for one in incident.sign_in_proofs.order_by("id")] == ["checked", "seen"]


def test_the_log_tells_each_step_and_no_table_holds_the_password(acme):
    incident = story.executed(acme)

    entry = json.loads(Entry.objects.get(incident=incident.reference, event=events.PROOF_CHECKED).entry)

    assert "open the platform settings, which only an owner sees" in json.dumps(entry)
    assert story.tables_with(story.PASSWORD) == []


def test_the_bundle_gets_what_was_tried_and_seen(acme):
    incident = story.revoked(acme)

    evidence.collect(incident, by=incident.requester_account)

    assert incident.evidence_items.filter(kind=EvidenceItem.Kind.PROOF).count() == 1


def test_evidence_says_so_when_nobody_was_seen_to_sign_in(platform, tmp_path):
    (tmp_path / "silent.toml").write_text(sites.profile_with(""))
    acme_site.lead_to(platform, acme_site.NOBODY, profile="silent.toml")
    incident = story.executed(platform)

    evidence.collect(incident, by=incident.requester_account)

    kept = incident.evidence_items.get(kind=EvidenceItem.Kind.PROOF)
    assert json.loads(blobs.read(kept.sha256)) == {"login_checks": [], "proofs": []}


def test_a_refused_owners_action_is_no_recovery_and_the_page_says_which_step(platform, foreign):
    foreign.replies_with("GET", "/platform-settings", 403)

    incident = story.executed(platform)
    page = cast.signed_in(Client(), incident.requester_account).get(f"/incidents/{incident.reference}/proof/").text

    assert incident.state == State.EXECUTED
    assert "dana@acme.example is not recovered yet" in page
    assert "The sign-in works, but the owner&#x27;s action was refused: not recovered yet." in page
    assert "Answer 403." in page


def test_a_platform_that_does_not_answer_leaves_the_run_as_it_is(platform):
    incident = story.executed(platform)

    check = incident.login_checks.get()

    assert (incident.state, check.verdict) == (State.EXECUTED, login_checks.Verdict.UNKNOWN)


def test_a_platform_that_hangs_is_given_up_and_the_run_stays(platform, foreign, monkeypatch):
    monkeypatch.setattr(login_checks, "SECONDS", 0.3)
    is_over = threading.Event()
    foreign.replies["POST", "/sign-in"] = lambda _handler, _asked: is_over.wait()

    made = story.run(platform)

    is_over.set()
    assert made.state == RunState.COMMITTED
    assert LoginCheck.objects.get().verdict == login_checks.Verdict.UNKNOWN


def test_a_profile_that_breaks_meanwhile_is_a_refusal_in_the_log_and_the_run_stays(acme):
    incident = story.executed(acme)
    acme_site.lead_to(acme, acme_site.NOBODY, profile="gone")

    found = login_proofs.play(incident.executions.get().run, password=story.PASSWORD, by="handover")

    assert found is None
    assert Entry.objects.filter(event=events.STEP_REFUSED, entry__contains="login_proofs.play").exists()


def test_nothing_is_tried_where_nothing_is_declared(platform, tmp_path):
    (tmp_path / "silent.toml").write_text(sites.profile_with(""))
    acme_site.lead_to(platform, acme_site.NOBODY, profile="silent.toml")

    incident = story.executed(platform)

    assert not incident.login_checks.exists()


def test_nothing_is_tried_after_enable_where_nobody_has_typed_a_password(acme):
    incident = story.executed(acme, RunKind.ENABLE)

    assert not incident.login_checks.exists()


def test_nothing_is_tried_where_a_second_factor_would_be_asked_for(acme):
    with acme.connect() as dba:
        dba.execute("UPDATE adminuser SET totp_secret = 'JBSWY3DPEHPK3PXP' WHERE email = %s", [DANA])

    incident = story.executed(acme)

    assert incident.login_checks.get().verdict == login_checks.Verdict.NOT_TRIED
    assert acme.owner(DANA)["failed_logins"] == 0


def test_nothing_is_tried_while_it_is_not_known_whether_the_change_was_made(acme):
    run = story.run(acme)
    run.state = RunState.PREPARED

    assert login_proofs.play(run, password=story.PASSWORD, by="handover") is None
    assert LoginCheck.objects.count() == 1, "the one of the run itself"


@pytest.mark.parametrize(
    "statement", ["UPDATE procedure_logincheck SET verdict = 'recovered'", "DELETE FROM procedure_logincheck"]
)
def test_what_a_check_said_stays(platform, statement):
    story.executed(platform)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_beneficiary_reads_whether_the_password_was_tried(acme):
    made = story.run(acme)

    page = Client().get(f"/handover/done/{made.pk}/").text

    assert "The console has signed in once with it, and it works." in page


def test_proof_page_tells_the_consoles_sign_in_from_the_persons(acme):
    incident = story.executed(acme)
    olivia = cast.signed_in(Client(), incident.requester_account)

    waiting = olivia.get(f"/incidents/{incident.reference}/proof/").text
    proofs.confirm(incident, by=incident.requester_account, detail="Dana called back.")
    confirmed = olivia.get(f"/incidents/{incident.reference}/proof/").text

    assert "dana@acme.example works again" in waiting
    assert "not seen yet" in waiting
    assert "Go on to revoke" in waiting
    assert "dana@acme.example is in" in confirmed


def test_security_finds_the_checks_in_the_admin(platform):
    story.executed(platform)
    simone = cast.signed_in(Client(), builders.people().simone)

    assert "unknown" in simone.get("/admin/procedure/logincheck/").text
