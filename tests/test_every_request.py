"""What every request passes: headers, both factors, well-formed text; and the checks before a console serves."""

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connections
from django.test import Client

from breakglass import checks
from tests import cast

pytestmark = pytest.mark.django_db
STRICT = "default-src 'none'"


@pytest.fixture
def olivia():
    return cast.signed_in(Client(), cast.person("olivia", ["ops"]))


@pytest.mark.parametrize("path", ["/healthz", "/", "/sign-in/", "/no-such-page/", "/admin/", "/static/no-such-file"])
def test_every_answer_forbids_foreign_code_and_copies(client, path):
    answer = client.get(path)

    assert answer["Content-Security-Policy"].startswith(STRICT)
    assert "camera=()" in answer["Permissions-Policy"]
    assert answer["Cache-Control"] == "no-store"


def test_static_file_may_be_kept_and_still_forbids_foreign_code(client):
    answer = client.get("/static/admin/css/base.css")

    answer.close()
    assert answer.status_code == 200
    assert "no-store" not in answer["Cache-Control"]
    assert answer["Content-Security-Policy"].startswith(STRICT)


@pytest.mark.parametrize("path", ["/", "/admin/", "/no-such-page/"])
def test_stranger_is_led_to_the_sign_in(client, path):
    assert client.get(path)["Location"].startswith("/sign-in/")


def test_stranger_who_posts_is_led_to_the_sign_in(client):
    assert client.post("/incidents/BG-2026-0001/window/open/")["Location"] == "/sign-in/"


@pytest.mark.parametrize("path", ["/", "/admin/"])
def test_password_alone_opens_no_page(client, path):
    client.force_login(cast.person("olivia", ["ops"]))

    assert client.get(path)["Location"].startswith("/sign-in/code/")


def test_both_factors_open_the_first_page(olivia):
    assert olivia.get("/").status_code == 200


@pytest.mark.parametrize("text", ["a\0b", "\0"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_nul_is_answered_with_a_sentence(client, method, text):
    answer = getattr(client, method)("/sign-in/", {"username": text})

    assert answer.status_code == 400
    assert "Nothing was changed" in answer.content.decode()


def test_nul_in_the_address_is_answered_with_a_sentence(client):
    assert client.get("/incidents/a%00b/").status_code == 400


def test_nul_in_the_session_cookie_is_answered_with_a_sentence(client):
    assert client.get("/", HTTP_COOKIE='sessionid="a\\000b"').status_code == 400


def test_nul_in_the_name_of_an_upload_is_answered_with_a_sentence(olivia):
    body = b'--x\r\nContent-Disposition: form-data; name="file\0"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n1\r\n--x--\r\n'

    assert olivia.post("/", body, content_type="multipart/form-data; boundary=x").status_code == 400


def test_ten_megabytes_in_a_field_are_answered_with_a_sentence(client):
    answer = client.post("/sign-in/", {"username": "x" * 10_000_000})

    assert answer.status_code == 413
    assert "shorten the text" in answer.content.decode()


def test_a_thousand_fields_are_answered_with_a_sentence(client):
    assert client.post("/sign-in/", {f"field{n}": "" for n in range(1000)}).status_code == 413


def test_broken_multipart_is_answered_with_a_sentence(client):
    answer = client.post("/sign-in/", b"no parts", content_type="multipart/form-data; boundary=")

    assert answer.status_code == 400


def test_health_needs_no_session_and_no_query_but_its_own(client, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert client.get("/healthz").content == b"ok\n"


def test_health_says_when_the_database_is_away(client, monkeypatch):
    connections["default"].close()
    monkeypatch.setitem(connections["default"].settings_dict, "NAME", "no_such_database")

    assert client.get("/healthz").status_code == 503
    connections["default"].close()


def test_console_passes_its_own_checks():
    assert run_checks(databases=["default"]) == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("BASE_URL", "http://console.example", {"breakglass.E001", "breakglass.E002"}),
        ("BASE_URL", "https://elsewhere.example", {"breakglass.E002"}),
        ("SECRET_KEY", "short", {"breakglass.E003"}),
    ],
)
def test_unfit_setting_is_named(settings, name, value, expected):
    settings.PRACTICE = False
    settings.BASE_URL = "http://127.0.0.1:8000"
    setattr(settings, name, value)

    assert {problem.id for problem in checks.settings_fit(None)} == expected


def test_owner_login_may_not_serve_pages(monkeypatch):
    monkeypatch.setitem(connections.databases, "default", connections.databases["owner"])
    connections["default"].close()
    del connections["default"]

    assert [problem.id for problem in checks.app_login_is_weak(None, ["default"])] == ["breakglass.E004"]
    connections["default"].close()
    del connections["default"]


def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
