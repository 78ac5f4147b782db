"""The log's pages as they are before the site guards them: what they show and what they hand out."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connections, transaction
from django.http import Http404, HttpResponse
from django.test import RequestFactory

from audit import blobs, events, views
from audit.models import Entry
from tests.audit.conftest import INCIDENT, add_evidence, append

pytestmark = [pytest.mark.usefixtures("console"), pytest.mark.urls("tests.audit.urls")]

Ask = Callable[..., HttpResponse]


@pytest.fixture
def ask(rf: RequestFactory) -> Ask:
    """Calls a view with a GET (or another method) and its arguments."""

    def run(view: Callable[..., HttpResponse], *arguments: Any, method: str = "GET", **query: str) -> HttpResponse:
        request = rf.generic(method, "/log/", QUERY_STRING="&".join(f"{key}={value}" for key, value in query.items()))
        request.user = AnonymousUser()
        return view(request, *arguments)

    return run


def shown(page: HttpResponse) -> list[int]:
    """The numbers of the entries that the page links to, in its order."""
    return [seq for seq in range(300, -1, -1) if f'href="/log/{seq}/"' in page.content.decode()]


def test_log_shows_newest_first_fifty_a_page(ask: Ask):
    for _ in range(52):
        append(events.SIGN_IN_MADE)

    first = ask(views.log_page)
    second = ask(views.log_page, before="2")

    assert shown(first) == list(range(51, 1, -1))
    assert shown(second) == [1, 0]
    assert "before=2" in first.content.decode()
    assert "Older entries" not in second.content.decode()


def test_link_to_older_entries_keeps_the_filter(ask: Ask):
    for _ in range(51):
        append(events.SIGN_IN_MADE)

    page = ask(views.log_page, by="olivia").content.decode()

    assert "by=olivia&amp;before=1" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [2, 1, 0]),
        ({"incident": INCIDENT}, [1, 0]),
        ({"event": events.PLAN_MADE}, [1]),
        ({"by": "sam"}, [2, 1]),
        ({"incident": INCIDENT, "by": "sam"}, [1]),
        ({"incident": "INC-0"}, []),
        ({"event": "no.event"}, []),
        ({"before": "-1"}, []),
        ({"before": "9" * 40}, []),
        ({"before": "x"}, []),
        ({"incident": "%00"}, []),
    ],
)
def test_filter_shows(ask: Ask, query: dict[str, str], found: list[int]):
    append(events.INCIDENT_OPENED)
    append(events.PLAN_MADE, by="sam")
    append(events.SIGN_IN_MADE, by="sam", incident="")

    page = ask(views.log_page, **query)

    assert page.status_code == HTTPStatus.OK
    assert shown(page) == found


def test_empty_log_says_so(ask: Ask):
    assert "No entry fits." in ask(views.log_page).content.decode()


def test_entry_page_shows_facts_and_the_exact_line(ask: Ask):
    entry = append(events.PLAN_MADE, reason="<script>alert(1)</script>", rows={"count": 1})

    page = ask(views.entry_page, entry.seq).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "&quot;count&quot;: 1" in page
    assert f"prev&quot;:&quot;{entry.fields['prev']}" in page


def test_entry_page_links_its_files(ask: Ask):
    add_evidence("logs/a.txt", "backend_log", b"content")
    entry = Entry.objects.get()

    page = ask(views.entry_page, entry.seq).content.decode()

    assert f'href="/log/blob/{entry.evidence[0]["sha256"]}/"' in page


@pytest.mark.parametrize("seq", [0, 2**63 - 1])
def test_unknown_entry_is_not_found(ask: Ask, seq: int):
    with pytest.raises(Http404):
        ask(views.entry_page, seq)


def test_file_is_handed_out_as_a_download_that_no_browser_runs(ask: Ask):
    with transaction.atomic():
        kept = blobs.keep(b"<script>", media_type="text/html", name='evil".html')

    answer = ask(views.blob_download, kept.sha256)

    assert answer.content == b"<script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="evil\\".html"'
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_name_of_a_file_cannot_break_the_header(ask: Ask):
    with transaction.atomic():
        kept = blobs.keep(b"x", media_type="text/plain", name="a\r\nSet-Cookie: b=c")

    answer = ask(views.blob_download, kept.sha256)

    assert "\n" not in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("number", ["0" * 64, "x", "..", "é"])
def test_unknown_file_is_not_found(ask: Ask, number: str):
    with pytest.raises(Http404):
        ask(views.blob_download, number)


def test_damaged_file_is_not_handed_out(ask: Ask):
    with transaction.atomic():
        kept = blobs.keep(b"true", media_type="text/plain", name="a.txt")
    owner = connections["owner"].cursor()
    owner.execute("ALTER TABLE audit.blob_chunk DISABLE TRIGGER blob_chunk_stays")
    owner.execute("UPDATE audit.blob_chunk SET data = 'lies'")

    answer = ask(views.blob_download, kept.sha256)

    assert answer.status_code == HTTPStatus.CONFLICT
    assert "no longer has the content" in answer.content.decode()
    assert "lies" not in answer.content.decode()


@pytest.mark.parametrize(
    ("view", "arguments"), [(views.log_page, ()), (views.entry_page, (0,)), (views.blob_download, ("0",))]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_pages_only_show(ask: Ask, view: Callable[..., HttpResponse], arguments: tuple[Any, ...], method: str):
    assert ask(view, *arguments, method=method).status_code == HTTPStatus.METHOD_NOT_ALLOWED
