"""Every foreseen "no" of the product: what happened, what was not done, what to do now; and the pages show all three."""

import html
import importlib
import re
import string
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from django.test import Client
from django.utils.functional import Promise
from django.utils.translation import override

from audit.refusals import Refused
from breakglass.procedure import approvals, execution
from tests import builders, cast
from tests.acme import Acme

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("happened", "undone", "remedy")
MARKUP = "7 & <b>seven</b> {x}"  # what a fact may hold: it is shown as text, and not filled in again
# Facts that are whole sentences themselves; all others stand within a sentence.
SENTENCES = {
    ("password_unfit", "reasons"),
    ("mandate_refused", "reason"),
    ("setup_missing", "what"),
    ("nothing_to_undo", "why"),
    ("result_unrecorded", "why"),
}


def modules() -> list[ModuleType]:
    files = [file for room in ("audit", "recovery", "breakglass") for file in (ROOT / room).rglob("*refusals.py")]
    return [importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts)) for file in files]


MODULES = modules()


def kinds(of: type[Refused] = Refused) -> Iterator[type[Refused]]:
    for kind in of.__subclasses__():
        if not kind.__module__.startswith("tests"):
            yield kind
            yield from kinds(kind)


def said(kind: type[Refused], fact: str = "7") -> Refused:
    """The refusal with every fact that its sentences name."""
    words = "".join(str(getattr(kind, part)) for part in PARTS)
    names = {name for _text, name, _format, _conversion in string.Formatter().parse(words) if name}
    return kind(**{name: f"{fact}." if (kind.code, name) in SENTENCES else fact for name in names})


ALL = sorted({*kinds()}, key=lambda kind: (kind.__module__, kind.__name__))


def named(kind: type[Refused]) -> str:
    return f"{kind.__module__}.{kind.__name__}"


each = pytest.mark.parametrize("kind", ALL, ids=named)


def test_wording_stands_in_modules_of_refusals_alone() -> None:
    assert {kind.__module__ for kind in ALL} == {module.__name__ for module in MODULES}


@each
def test_says_what_happened_what_was_not_done_and_what_to_do_now(kind: type[Refused]) -> None:
    refusal = said(kind)

    # None may be empty: there is no refusal after which something was done.
    assert all(str(getattr(refusal, part)).strip() for part in PARTS)
    assert refusal.sentence == " ".join(str(getattr(refusal, part)) for part in PARTS)


@each
def test_each_part_is_a_sentence(kind: type[Refused]) -> None:
    parts = [str(getattr(said(kind), part)) for part in PARTS]

    assert [part for part in parts if not part.endswith(".") or part.endswith("..")] == []
    assert [part for part in parts if not (part[0].isupper() or part[0] in "7“")] == []


@each
def test_facts_are_filled_in_once(kind: type[Refused]) -> None:
    assert not re.search(r"[{}]", said(kind).sentence)
    assert "{x}" in said(kind, MARKUP).sentence or said(kind).facts == {}


@each
def test_wording_is_translated_when_it_is_read(kind: type[Refused]) -> None:
    assert all(isinstance(getattr(kind, part), Promise) for part in PARTS)
    with override("de"):
        assert said(kind).sentence


@each
def test_code_is_the_name_of_the_kind(kind: type[Refused]) -> None:
    assert kind.code != Refused.code
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
    assert {other.happened for other in ALL if other is not kind and other.code == kind.code} <= same_name(kind)


def same_name(kind: type[Refused]) -> set[object]:
    """Rooms that know the same refusal by the same name: people and procedure, procedure and platform."""
    return {other.happened for other in ALL if other.__module__ != kind.__module__}


def shown(text: str) -> str:
    """What a reader of the page reads in the alert, without the markup."""
    (alert,) = re.findall(r'role="alert">(.*?)</div>', text, re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", alert)).split())


def missing(answers: Iterator[tuple[Refused, object]]) -> list[str]:
    """The refusals of which a page did not show all three sentences, as text, with a status that says no."""
    return [
        refusal.code
        for refusal, answer in answers
        if answer.status_code not in (403, 409, 422, 429) or shown(answer.text) != " ".join(refusal.sentence.split())
    ]


def refuse_by(refusal: Refused):
    def step(*_subjects: object, **_given: object) -> None:
        raise refusal

    return step


@pytest.mark.django_db
def test_approvals_page_shows_all_three_of_every_refusal(platform: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = builders.planned(platform)
    client = cast.signed_in(Client(), builders.people().sam)
    address = f"/incidents/{plan.incident.reference}/approval/approve/"

    def answers() -> Iterator[tuple[Refused, object]]:
        for refusal in (said(kind, MARKUP) for kind in ALL):
            monkeypatch.setattr(approvals, "give", refuse_by(refusal))
            yield refusal, client.post(address, {"plan": plan.pk, "code": "000000", "duty": "security"})

    assert missing(answers()) == []


@pytest.mark.django_db
def test_execute_page_shows_all_three_of_every_refusal(platform: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = builders.window_open(platform, "enable").incident
    client = cast.signed_in(Client(), incident.requester_account)
    address = f"/incidents/{incident.reference}/execute/run/"

    def answers() -> Iterator[tuple[Refused, object]]:
        for refusal in (said(kind, MARKUP) for kind in ALL):
            monkeypatch.setattr(execution, "execute", refuse_by(refusal))
            yield refusal, client.post(address, {"code": "000000"})

    assert missing(answers()) == []
