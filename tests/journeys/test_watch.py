"""The watch itself: a page with everything wrong on it is not passed over."""

import pytest
from playwright.sync_api import Browser

from tests.journeys.watch import Watch

POLICY = {"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src *"}
WRONG = """<!doctype html><html lang="en"><title>Wrong</title><style>h1 { color: red }</style><script src="/throws.js"></script>
<main><h1>One</h1><h1>Two</h1><a class="primary" href="#">Yes</a><a class="primary" href="#">No</a>
<table width="2000"><tr><td>wide</td></tr></table><input name="unlabelled"></main></html>"""
BASE = "http://127.0.0.1:9"
SEEN = (
    "not exactly one h1",
    "more than one primary action",
    "wider than the screen",
    "Form elements must have labels",
    "securitypolicyviolation: style-src",
    "script: ",
    "404 for GET",
    "asks a stranger: https://else.example/",
    "failed: https://else.example/",
)


@pytest.fixture
def faults(browser: Browser) -> str:
    """What a watch says about that page."""
    watch, context = Watch((BASE,)), browser.new_context()
    watch.follow(context)
    context.route(
        f"{BASE}/", lambda route: route.fulfill(status=404, headers=POLICY, body=WRONG, content_type="text/html")
    )
    context.route(
        f"{BASE}/throws.js", lambda route: route.fulfill(body="fetch('https://else.example/'); throw Error('oh')")
    )
    context.route("https://else.example/", lambda route: route.abort("connectionrefused"))
    page = context.new_page()
    page.goto(f"{BASE}/")
    watch.look_at(page, "wrong")
    context.close()
    return "\n".join(watch.faults)


def test_page_with_everything_wrong_is_told_on(faults):
    missed = [fault for fault in SEEN if fault not in faults]

    assert missed == [], faults
