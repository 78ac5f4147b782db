"""The pages where a database administrator opens a login or runs a script by hand, pressed as a browser presses them."""

import re

import pytest
from django.test import Client

from breakglass.procedure import accesses, handover
from breakglass.procedure.models import Incident
from recovery.doors import openings
from recovery.models import Access, Run, RunKind, RunState
from tests import builders, by_hand, cast, keepers
from tests.acme import Acme
from tests.breakglass import story
from tests.breakglass.runs_made import shown
from tests.breakglass.test_query_counts import MOST, asked, pages_of, said

pytestmark = pytest.mark.django_db
STATEMENT = re.compile(r'<pre tabindex="0" class="statement">(.*?)</pre>', re.DOTALL)


@pytest.fixture
def premade(platform: Acme) -> Acme:
    return by_hand.without_doors(platform, "premade")


@pytest.fixture
def on_paper(platform: Acme) -> Acme:
    return by_hand.without_doors(platform, "paper")


class Desk:
    """One person at the pages of one incident."""

    def __init__(self, incident: Incident, who: str = "olivia") -> None:
        self.incident, self.account = incident, getattr(builders.people(), who)
        self.client = cast.signed_in(Client(), self.account)

    def page(self, step: str = "execute") -> str:
        return self.client.get(self.address(step)).content.decode()

    def press(self, step: str, *, code: bool = False, **sent: object) -> str:
        """Press a button; the page that follows."""
        given = {**sent, **({"code": cast.code_for(self.account)} if code else {})}
        return self.client.post(self.address(step), given, follow=True).content.decode()

    def address(self, step: str) -> str:
        return f"/incidents/{self.incident.reference}/{step}/"


def statement_in(page: str) -> str:
    """The one line that the page shows, as somebody copies it."""
    (found,) = STATEMENT.findall(page)
    return found.replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&")


def test_whole_story_with_a_login_that_the_dba_opens_and_closes(premade):
    desk = Desk(builders.window_open(premade, RunKind.ENABLE).incident)
    assert "First the database administrator opens a login" in desk.page()
    with keepers.running():
        page = desk.press("execute/access/prepare", code=True)
    assert desk.incident.reference in page
    by_hand.run_as_dba(premade, statement_in(page))
    assert "open exactly as asked" in desk.press("execute/access/look")

    page = desk.press("execute/run", code=True)

    assert Run.objects.get().state == RunState.COMMITTED
    by_hand.run_as_dba(premade, statement_in(page))
    assert "proven closed" in desk.press("execute/access/closed")
    assert "Whose turn" not in desk.page()


def test_login_that_is_not_open_yet_is_said_in_a_sentence(premade):
    desk = Desk(builders.window_open(premade, RunKind.ENABLE).incident)
    with keepers.running():
        desk.press("execute/access/prepare", code=True)

    page = desk.press("execute/access/look")

    assert "still closed" in page
    assert "Look whether it is open" in page


def test_link_is_shown_only_once_the_login_is_open(premade):
    incident = builders.window_open(premade).incident
    desk = Desk(incident)
    with keepers.running():
        desk.press("execute/access/prepare", code=True)
    assert "Show the link" not in desk.page()
    by_hand.run_as_dba(premade, by_hand.statements(by_hand.access_of(incident)).open)

    page = desk.press("execute/access/look")

    assert "Show the link" in page


def test_statement_is_not_shown_before_the_keeper_has_agreed(premade):
    desk = Desk(builders.window_open(premade, RunKind.ENABLE).incident)

    page = desk.press("execute/access/prepare", code=True)

    assert not STATEMENT.findall(page)
    assert "keeper" in page


def test_access_that_a_crash_left_half_prepared_can_be_given_up(premade, monkeypatch):
    incident = builders.window_open(premade, RunKind.ENABLE).incident
    monkeypatch.setattr(openings, "_answer", _die)
    desk = Desk(incident)
    with pytest.raises(KeyboardInterrupt):
        accesses.prepare(incident, by=desk.account, code=cast.code_for(desk.account))
    page = desk.page()
    assert "not prepared to the end" in page
    assert not STATEMENT.findall(page)

    desk.press("execute/access/give-up")

    assert Run.objects.get().state == RunState.ABORTED


def _die(request: object) -> None:
    raise KeyboardInterrupt


def test_revoke_shows_what_the_dba_has_to_run(premade):
    incident = builders.window_open(premade, RunKind.ENABLE).incident
    by_hand.opened(premade, incident)
    desk = Desk(incident)
    desk.press("execute/run", code=True)
    desk.press("revoke/prepare")

    assert statement_in(desk.page("revoke")) == by_hand.statements(Access.objects.get()).close


def test_whole_story_on_paper(on_paper):
    incident = builders.window_open(on_paper).incident
    row, token = shown(incident)
    done = Client().post(f"/handover/{token}/", _typed(handover.code_of(row)), follow=True).content.decode()
    assert "sets it by hand within the next minutes" in done
    desk = Desk(incident)
    assert "The script is out" in desk.page()
    text = _downloaded(desk)
    printed = by_hand.run_script(on_paper, text).stdout

    page = desk.press("execute/receipt", text=printed)

    assert "the change was made" in page
    assert Run.objects.get().state == RunState.COMMITTED
    assert builders.fresh(incident).state == "executed"


def _typed(code: str) -> dict[str, str]:
    return {"code": code, "password": story.PASSWORD, "repeated": story.PASSWORD}


def _downloaded(desk: Desk) -> str:
    sent = {"code": cast.code_for(desk.account), "download": "1"}
    answer = desk.client.post(desk.address("execute/script"), sent)
    assert answer["Content-Disposition"].startswith("attachment")
    return answer.content.decode()


def paper_out(acme: Acme) -> Desk:
    desk = Desk(builders.window_open(acme, RunKind.ENABLE).incident)
    desk.press("execute/run", code=True)
    return desk


def test_script_is_shown_for_a_fresh_code_and_not_again(on_paper):
    desk = paper_out(on_paper)

    page = desk.press("execute/script", code=True)

    assert statement_in(page).startswith("-- Break-glass")
    assert not STATEMENT.findall(desk.page())


def test_script_is_not_shown_without_a_code(on_paper):
    desk = paper_out(on_paper)

    answer = desk.client.post(desk.address("execute/script"), {"download": "1"})

    assert answer.status_code == 422
    assert b"UPDATE" not in answer.content.partition(b"_run")[0].partition(b"statements")[0]


def test_approver_gets_no_script(on_paper):
    desk = Desk(paper_out(on_paper).incident, "sam")

    answer = desk.client.post(desk.address("execute/script"), {"code": cast.code_for(desk.account)})

    assert answer.status_code == 403


def test_empty_receipt_is_asked_for_again(on_paper):
    desk = paper_out(on_paper)

    assert "Paste what psql printed" in desk.press("execute/receipt", text=" ")


def test_wrong_receipt_is_refused_in_a_sentence(on_paper):
    desk = paper_out(on_paper)

    page = desk.press("execute/receipt", text="COMMIT")

    assert "not the receipt of the script" in page
    assert Run.objects.get().state == RunState.PREPARED


@pytest.mark.parametrize("mode", ["premade", "paper"])
def test_pages_of_both_modes_ask_at_most_twelve_questions(platform, mode):
    acme = by_hand.without_doors(platform, mode)
    incident = builders.window_open(acme, RunKind.ENABLE).incident
    desks = [Desk(incident, who) for who in ("olivia", "omar", "simone")]
    too_many = [one for desk in desks for one in _too_many(desk, "window open")]
    if mode == "premade":
        by_hand.opened(acme, incident)
        too_many += [one for desk in desks for one in _too_many(desk, "login open")]
    desks[0].press("execute/run", code=True)

    too_many += [one for desk in desks for one in _too_many(desk, "made")]

    assert not too_many, "\n".join(too_many)


def _too_many(desk: Desk, where: str) -> list[str]:
    found = [(address, asked(desk.client, address)) for address in pages_of(desk.incident)]
    return [said(where, address, queries) for address, queries in found if len(queries) > MOST]
