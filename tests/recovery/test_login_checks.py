"""A declared sign-in over HTTP, as real software wants it; and that a sign-in alone is no recovery."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from recovery.sign_in import login_checks
from recovery.sign_in.login_checks import Result, Verdict
from tests.recovery import sites
from tests.recovery.sites import Asked, Handler, Site

LOGIN, PASSWORD = "olga@acme.example", 'p%ss"word & mòre'
PLAIN = """
[[login_check.step]]
name = "sign in"
method = "POST"
path = "/sign-in"
json = { email = "%(login)s", password = "%(password)s" }

[[login_check.step]]
name = "open the owner's page"
path = "/owner"
owner = true
"""


@pytest.fixture
def site() -> Iterator[Site]:
    with sites.running() as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.PLATFORMS_FILE = str(tmp_path / "platforms.toml")
    return tmp_path


def play(folder: Path, site: Site, check: str = PLAIN, *, sign_in_url: str = "") -> Result:
    platform = sites.platform_with(folder, check, url=sign_in_url or f"{site.url}/admin/login?next=/")
    return login_checks.play(platform, login=LOGIN, password=PASSWORD, seconds=5)


def test_a_sign_in_and_an_owners_action_are_a_recovery(folder, site):
    site.replies_with("POST", "/sign-in")
    site.replies_with("GET", "/owner")

    result = play(folder, site)

    assert result.verdict == Verdict.RECOVERED
    assert [(step.name, step.status, step.is_ok) for step in result.steps] == [
        ("sign in", 200, True),
        ("open the owner's page", 200, True),
    ]
    assert site.asked[0].json == {"email": LOGIN, "password": PASSWORD}


def test_a_sign_in_alone_is_no_recovery(folder, site):
    site.replies_with("POST", "/sign-in")
    site.replies_with("GET", "/owner", 403)

    result = play(folder, site)

    assert result.verdict == Verdict.OWNER_REFUSED
    assert result.failed.name == "open the owner's page"
    assert result.failed.status == 403
    assert "not recovered yet" in result.sentence


def test_a_refused_sign_in_is_named_and_nothing_more_is_tried(folder, site):
    site.replies_with("POST", "/sign-in", 401)

    result = play(folder, site)

    assert result.verdict == Verdict.SIGN_IN_REFUSED
    assert [step.is_tried for step in result.steps] == [True, False]
    assert len(site.asked) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_platform_that_is_busy_or_down_says_neither_yes_nor_no(folder, site, status):
    site.replies_with("POST", "/sign-in", status)

    assert play(folder, site).verdict == Verdict.UNKNOWN


def test_a_sign_in_that_is_not_at_its_address_says_neither_yes_nor_no(folder, site):
    assert play(folder, site).failed.status == 404
    assert play(folder, site).verdict == Verdict.UNKNOWN


def test_nobody_at_the_address_says_neither_yes_nor_no(folder):
    with sites.running() as gone:
        pass

    result = play(folder, gone)

    assert (result.verdict, result.failed.found) == (Verdict.UNKNOWN, "unreachable")


def test_facts_survive_the_way_through_the_log(folder, site):
    site.replies_with("POST", "/sign-in", 401)

    result = play(folder, site)

    assert Result.from_facts(result.as_facts()) == result


def test_nested_json_and_a_token_from_a_header_as_keystone_has_them(folder, site):
    roles = {"token": {"roles": [{"id": "1", "name": "reader"}, {"id": "2", "name": "admin"}]}}
    site.replies_with("POST", "/v3/auth/tokens", 201, roles, X_Subject_Token="gAAAA-token")
    site.replies_with("GET", "/v3/users", 200, {"users": []})

    result = play(
        *(folder, site),
        """
        [[login_check.step]]
        name = "get a system-scoped token"
        method = "POST"
        path = "/v3/auth/tokens"
        status = 201
        includes = { "token.roles.*.name" = "admin" }
        keep = { token = { header = "x-subject-token" } }
        [login_check.step.json.auth.identity]
        methods = ["password"]
        password.user = { name = "%(login)s", domain = { id = "default" }, password = "%(password)s" }
        [login_check.step.json.auth.scope]
        system = { all = true }

        [[login_check.step]]
        name = "list the users"
        path = "/v3/users"
        headers = { X-Auth-Token = "%(token)s" }
        owner = true
        """,
    )

    assert result.is_recovered
    assert site.asked[0].json["auth"]["scope"] == {"system": {"all": True}}
    assert site.asked[0].json["auth"]["identity"]["password"]["user"]["password"] == PASSWORD
    assert site.asked[1].headers["x-auth-token"] == "gAAAA-token"


def test_a_form_with_cookies_and_a_bearer_as_superset_has_them(folder, site):
    site.replies_with("POST", "/login/", 302, Location="/superset/welcome/", Set_Cookie="session=s1; HttpOnly; Path=/")
    site.replies_with("GET", "/superset/welcome/")
    site.replies_with("GET", "/api/v1/me/roles/", 200, {"result": {"roles": {"Admin": [["can_read", "User"]]}}})
    site.replies_with("POST", "/api/v1/security/login", 200, {"access_token": "jwt"})
    site.replies_with("GET", "/api/v1/security/users/", 200, {"count": 2})

    result = play(
        *(folder, site),
        """
        [[login_check.step]]
        name = "sign in"
        method = "POST"
        path = "/login/"
        form = { username = "%(login)s", password = "%(password)s" }
        not_at = "/login/"
        [[login_check.step]]
        name = "is Admin"
        path = "/api/v1/me/roles/"
        includes = { "result.roles" = "Admin" }
        [[login_check.step]]
        name = "sign in to the API"
        method = "POST"
        path = "/api/v1/security/login"
        json = { username = "%(login)s", password = "%(password)s", provider = "db" }
        keep = { token = "access_token" }
        [[login_check.step]]
        name = "list the users"
        path = "/api/v1/security/users/"
        headers = { Authorization = "Bearer %(token)s" }
        owner = true
        """,
    )

    assert result.is_recovered
    assert site.asked[2].headers["cookie"] == "session=s1"
    assert site.asked[4].headers["authorization"] == "Bearer jwt"


def test_a_bearer_and_a_boolean_as_directus_has_them(folder, site):
    site.replies_with("POST", "/auth/login", 200, {"data": {"access_token": "jwt"}})
    site.replies_with("GET", "/policies/me/globals", 200, {"data": {"admin_access": 1}})

    result = play(
        *(folder, site),
        """
        [[login_check.step]]
        name = "sign in"
        method = "POST"
        path = "/auth/login"
        json = { email = "%(login)s", password = "%(password)s" }
        keep = { token = "data.access_token" }
        [[login_check.step]]
        name = "has admin access"
        path = "/policies/me/globals"
        headers = { Authorization = "Bearer %(token)s" }
        equals = { "data.admin_access" = true }
        owner = true
        """,
    )

    assert result.verdict == Verdict.OWNER_REFUSED, "1 is not true"
    assert result.failed.place == "data.admin_access"
    assert result.failed.wanted == "200, data.admin_access = true"


DJANGO = """
[[login_check.step]]
name = "open the form"
path = "/admin/login/"
keep = { csrf = { pattern = 'name="csrfmiddlewaretoken" value="([^"]+)"' } }
[[login_check.step]]
name = "sign in"
method = "POST"
path = "/admin/login/?next=/admin/"
headers = { Referer = "%(base)s/admin/login/" }
form = { csrfmiddlewaretoken = "%(csrf)s", username = "%(login)s", password = "%(password)s", next = "/admin/" }
at = "/admin/"
not_at = "/admin/login/"
[[login_check.step]]
name = "open the users"
path = "/admin/auth/user/"
not_at = "/admin/login/"
owner = true
"""


def django_site(site: Site, *, is_let_in: bool) -> None:
    def sign_in(handler: Handler, asked: Asked) -> None:
        assert "csrftoken=c1" in asked.headers["cookie"]
        assert asked.headers["referer"] == f"{site.url}/admin/login/"
        if is_let_in:
            handler.send(302, Location="/admin/", Set_Cookie="sessionid=s1; Path=/")
        else:
            handler.send(200, "Please enter the correct username and password")

    field = '<input type="hidden" name="csrfmiddlewaretoken" value="tok/en+1">'
    site.replies_with("GET", "/admin/login/", 200, field, Set_Cookie="csrftoken=c1; Path=/")
    site.replies["POST", "/admin/login/?next=/admin/"] = sign_in
    site.replies_with("GET", "/admin/", 200, "Site administration")
    site.replies_with("GET", "/admin/auth/user/", 200, "Users")


def test_a_form_with_csrf_and_referer_as_django_has_them(folder, site):
    django_site(site, is_let_in=True)

    result = play(folder, site, DJANGO)

    assert result.is_recovered
    assert "csrfmiddlewaretoken=tok%2Fen%2B1" in site.asked[1].body


def test_the_form_shown_again_is_a_refused_sign_in(folder, site):
    django_site(site, is_let_in=False)

    result = play(folder, site, DJANGO)

    assert result.verdict == Verdict.SIGN_IN_REFUSED
    assert (result.failed.found, result.failed.place) == ("place", "not_at")


def test_an_owners_page_that_leads_back_to_the_sign_in_is_no_owners_page(folder, site):
    django_site(site, is_let_in=True)
    site.replies_with("GET", "/admin/auth/user/", 302, Location="/admin/login/?next=/admin/auth/user/")
    site.replies_with("GET", "/admin/login/?next=/admin/auth/user/", 200, "sign in")

    result = play(folder, site, DJANGO)

    assert result.verdict == Verdict.OWNER_REFUSED


def test_a_kept_number_leads_to_an_address_and_a_kept_cookie_into_a_header(folder, site):
    site.replies_with("POST", "/sign-in", 200, {"user": "ÖLGA", "org": 7}, Set_Cookie="csrftoken=c9; Path=/")
    site.replies_with("POST", "/api/orgs/7/projects", 201, "made for olga@acme.example")

    result = play(
        *(folder, site),
        """
        [[login_check.step]]
        name = "sign in"
        method = "POST"
        path = "/sign-in"
        form = { email = "%(login)s", password = "%(password)s", tenant = "100%%" }
        equals = { user = "ÖLGA" }
        keep = { org = "org", csrf = { cookie = "csrftoken" } }
        [[login_check.step]]
        name = "make a project"
        method = "POST"
        path = "/api/orgs/%(org)s/projects"
        headers = { X-CSRFToken = "%(csrf)s" }
        json = { title = "probe" }
        status = [200, 201]
        contains = "for %(login)s"
        absent = "denied"
        owner = true
        """,
    )

    assert result.is_recovered
    assert "tenant=100%25" in site.asked[0].body
    assert site.asked[1].headers["x-csrftoken"] == "c9"


def test_the_base_is_the_origin_of_the_sign_in_address(folder):
    platform = sites.platform_with(folder, PLAIN, url="https://user:pass@acme.example:8443/a/b?c#d")

    assert login_checks.base_of(platform) == "https://acme.example:8443"


def test_an_interface_that_stands_elsewhere_is_checked_there(folder, site):
    more = f'check_url = "{site.url}/behind/"'

    login_checks.play(
        sites.platform_with(folder, PLAIN, url="https://acme.example/", more=more), login=LOGIN, password=PASSWORD
    )

    assert site.asked[0].path.startswith("/behind/")


def test_without_an_address_nothing_is_played(folder):
    assert not login_checks.is_declared(sites.platform_with(folder, PLAIN, url=""))
    assert not login_checks.is_declared(sites.platform_with(folder, "", url="https://acme.example/"))


@pytest.mark.parametrize("url", ["http://acme.example/", "http://10.0.0.7/", "http://localhost.evil.example/"])
def test_no_password_is_sent_over_plain_http_to_another_host(folder, url):
    platform = sites.platform_with(folder, PLAIN, url=url)

    result = login_checks.play(platform, login=LOGIN, password=PASSWORD)

    assert (result.verdict, result.failed.found) == (Verdict.UNKNOWN, "plain")


@pytest.mark.parametrize(
    "url", ["https://acme.example/", "http://127.0.0.1:8001/", "http://localhost/", "http://[::1]/"]
)
def test_https_and_this_very_host_are_private(url):
    assert login_checks.is_private(url)


def test_who_prepares_a_recovery_is_told_why_a_declared_check_will_not_be_played(folder):
    def told(check: str, url: str) -> str:
        return login_checks.note(sites.platform_with(folder, check, url=url))

    assert "has no sign_in_url" in told(PLAIN, "")
    assert "is no https" in told(PLAIN, "http://acme.example/")
    assert told(PLAIN, "https://acme.example/") == told("", "") == ""
