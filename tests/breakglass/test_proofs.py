"""Proof of recovery: seen on the platform, or confirmed by somebody."""

import pytest

from breakglass.procedure import change_refusals, proofs, refusals
from breakglass.procedure.models import SignInProof
from breakglass.procedure.states import State
from tests import builders
from tests.breakglass import story

pytestmark = pytest.mark.django_db


def test_nobody_has_signed_in_yet(platform):
    incident = story.executed(platform)

    assert proofs.look(incident, by=builders.people().olivia) is None
    assert builders.fresh(incident).state == State.EXECUTED


def test_sign_in_on_the_platform_is_seen_once(platform):
    incident = story.executed(platform)
    with platform.connect() as dba:
        dba.execute("UPDATE adminuser SET last_login_at = now() WHERE email = %s", [_login(incident)])

    proof = proofs.look(incident)
    again = proofs.look(incident)

    assert (proof.how, again.pk) == (SignInProof.How.SEEN, proof.pk)
    assert builders.fresh(incident).state == State.PROVEN


def _login(incident) -> str:
    return incident.plans.latest("number").choice.login


def test_somebody_confirms_in_words(platform):
    incident = story.executed(platform)

    proof = proofs.confirm(incident, by=builders.people().olivia, detail="Dana called back.")

    assert (proof.how, proof.account.username) == (SignInProof.How.CONFIRMED, "olivia")


def test_confirmation_without_words_is_refused(platform):
    incident = story.executed(platform)

    with pytest.raises(refusals.TextMissing):
        proofs.confirm(incident, by=builders.people().olivia, detail="  ")


def test_nothing_is_proven_before_the_change(platform):
    incident = builders.planned(platform).incident

    with pytest.raises(change_refusals.ChangeNotMade):
        proofs.look(incident)
    with pytest.raises(refusals.NotNow):
        proofs.confirm(incident, by=builders.people().olivia, detail="Yes.")
