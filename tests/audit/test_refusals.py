"""Refusals and event names: closed lists whose wording is sound."""

import inspect
import re
import string

import pytest
from django.utils.functional import Promise

from audit import events, refusals

KINDS = [kind for _, kind in inspect.getmembers(refusals, inspect.isclass) if issubclass(kind, refusals.Refused)]


def facts_of(kind: type[refusals.Refused]) -> dict[str, str]:
    words = f"{kind.happened}{kind.undone}{kind.remedy}"
    return {name: "7" for _, name, _, _ in string.Formatter().parse(words) if name}


@pytest.mark.parametrize("kind", KINDS)
def test_sentence_says_what_happened_what_was_not_done_and_what_to_do(kind: type[refusals.Refused]):
    refusal = kind(**facts_of(kind))

    assert refusal.sentence == f"{refusal.happened} {refusal.undone} {refusal.remedy}"
    assert str(refusal) == refusal.sentence
    assert "{" not in refusal.sentence


@pytest.mark.parametrize("kind", KINDS)
def test_wording_is_translated_when_it_is_read(kind: type[refusals.Refused]):
    assert all(isinstance(words, Promise) for words in (kind.happened, kind.undone, kind.remedy))


def test_codes_are_unique():
    assert len({kind.code for kind in KINDS}) == len(KINDS)


def test_missing_fact_is_a_fault_at_once():
    with pytest.raises(KeyError):
        refusals.EntryTooLarge(size=1)


def test_facts_stay_with_the_refusal():
    assert refusals.BlobMissing(sha256="ab").facts == {"sha256": "ab"}


def test_events_are_namespaced_and_named_like_their_constants():
    names = {name: value for name, value in vars(events).items() if name.isupper() and name != "ALL"}

    assert set(names.values()) == events.ALL
    assert len(names) == len(events.ALL)
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", value) for value in events.ALL)
    assert all(name.lower() == value.replace(".", "_") for name, value in names.items())
