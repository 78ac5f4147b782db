"""Acme's own sign-in site: whom it lets in, what it records, and that only an owner sees the settings."""

import io
import json
import time
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from breakglass.practice.acme import HASHER
from breakglass.practice.codes import code_at
from breakglass.practice.platform import is_locked_out, lock_out
from breakglass.practice.site import application

DANA, ROOT, MEMBER = "dana@acme.example", "root@acme.example", "user3@customer-01.example"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class Visitor:
    """A browser, as far as cookies go."""

    def __init__(self):
        self.cookies = {}

    def get(self, path, **headers):
        return self._send("GET", path, b"", headers)

    def post(self, path, fields):
        return self._send("POST", path, urlencode(fields).encode(), {})

    def post_json(self, path, fields):
        return self._send("POST", path, json.dumps(fields).encode(), {"CONTENT_TYPE": "application/json"})

    def sign_in(self, email, password, **more):
        return self.post_json("/sign-in", {"email": email, "password": password, **more})

    def _send(self, method, path, body, headers):
        address, _mark, query = path.partition("?")
        environ = {"REQUEST_METHOD": method, "PATH_INFO": address, "QUERY_STRING": query, "SCRIPT_NAME": ""}
        environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
        environ |= {"CONTENT_TYPE": "application/x-www-form-urlencoded"} | headers
        environ["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        setup_testing_defaults(environ)
        told = []
        chunks = validator(application)(environ, lambda status, sent: told.extend([status, sent]))
        self.body = b"".join(chunks).decode()
        chunks.close()
        for name, value in told[1]:
            if name == "Set-Cookie":
                key, _equals, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
        return int(told[0].split()[0])


@pytest.fixture
def visitor(platform, monkeypatch, tmp_path):
    monkeypatch.setenv("ACME_DATABASE_URL", platform.app_url)
    monkeypatch.setenv("ACME_LOG", str(tmp_path / "acme.log"))
    return Visitor()


def give_password(platform, email, password, **columns):
    columns |= {"password_hash": HASHER.hash(password)}
    changes = ", ".join(f"{name} = %s" for name in columns)
    with platform.connect() as connection:
        connection.execute(f"UPDATE adminuser SET {changes} WHERE email = %s", [*columns.values(), email])


@pytest.mark.parametrize("email", [DANA, ROOT, "lee@acme.example"])
def test_no_owner_can_sign_in(visitor, platform, email):
    assert visitor.sign_in(email, platform.passwords.root) == 401


def test_locked_out_owner_with_a_new_password_still_meets_the_counter(visitor, platform):
    give_password(platform, DANA, "a brand new password")

    assert visitor.sign_in(DANA, "a brand new password") == 401


def test_recovered_owner_sees_the_platform_settings(visitor, platform):
    give_password(platform, DANA, "a brand new password", failed_logins=0)

    assert visitor.sign_in(DANA, "a brand new password") == 200
    assert visitor.get("/platform-settings") == 200
    assert "38 tenants" in visitor.body


def test_re_enabled_owner_signs_in_with_the_old_password(visitor, platform):
    with platform.connect() as connection:
        connection.execute("UPDATE adminuser SET is_active = true WHERE email = %s", [ROOT])

    assert visitor.sign_in(ROOT, platform.passwords.root) == 200


def test_member_signs_in_but_sees_no_platform_settings(visitor, platform):
    assert visitor.sign_in(MEMBER, platform.passwords.member) == 200
    assert visitor.get("/platform-settings") == 403


def test_stranger_is_led_to_the_sign_in_page(visitor):
    assert visitor.get("/platform-settings") == 303


@pytest.mark.parametrize("email", ["user3@customer-13.example", "user11@customer-01.example"])
def test_suspended_tenant_and_disabled_member_stay_out(visitor, platform, email):
    assert visitor.sign_in(email, platform.passwords.member) == 401


def test_second_factor_is_asked_for_where_it_is_set(visitor, platform):
    email = "user2@customer-01.example"

    assert visitor.sign_in(email, platform.passwords.member) == 401
    assert visitor.sign_in(email, platform.passwords.member, code=code_at(SEED, time.time())) == 200


def test_code_fits_the_published_vector():
    assert code_at("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 1111111109) == "081804"


def test_password_that_must_be_changed_is_changed_at_the_sign_in(visitor, platform):
    give_password(platform, MEMBER, "the first password", must_change_password=True)

    assert visitor.sign_in(MEMBER, "the first password") == 401
    assert visitor.sign_in(MEMBER, "the first password", new_password="the second password") == 200
    assert visitor.sign_in(MEMBER, "the second password") == 200


def test_sign_in_leaves_time_session_audit_row_and_log_line(visitor, platform, tmp_path):
    visitor.sign_in(MEMBER, platform.passwords.member)

    request = json.loads(visitor.body)["request_id"]
    row = platform.rows("SELECT actor, action FROM audit_log WHERE request_id = %s", request)
    line = json.loads((tmp_path / "acme.log").read_text().splitlines()[-1])
    assert row == [{"actor": MEMBER, "action": "sign_in"}]
    assert (line["request_id"], line["event"], line["actor"]) == (request, "sign_in", MEMBER)
    assert platform.rows("SELECT count(*) FROM session")[0]["count"] == 1
    assert platform.rows(
        "SELECT now() - last_login_at < interval '1 minute' AS is_new FROM adminuser WHERE email = %s", MEMBER
    )[0]["is_new"]


def test_failed_sign_in_is_counted_and_recorded_with_its_reason(visitor, platform):
    visitor.sign_in(DANA, "wrong")

    row = platform.rows("SELECT action, detail FROM audit_log ORDER BY id DESC LIMIT 1")[0]
    assert platform.owner()["failed_logins"] == 13
    assert row == {"action": "sign_in.failed", "detail": {"reason": "too many failed sign-ins"}}


def test_page_tells_a_visitor_no_reason(visitor):
    visitor.get("/sign-in")

    visitor.post("/sign-in", {"email": ROOT, "password": "x", "token": visitor.cookies["acme_token"]})

    assert "may not sign in" in visitor.body
    assert "disabled" not in visitor.body


def test_form_from_a_foreign_page_is_refused(visitor, platform):
    visitor.get("/sign-in")

    assert visitor.post("/sign-in", {"email": MEMBER, "password": platform.passwords.member, "token": "other"}) == 403


def test_sign_out_ends_the_session(visitor, platform):
    visitor.sign_in(MEMBER, platform.passwords.member)
    session = visitor.cookies["acme_session"]
    visitor.get("/")

    visitor.post("/sign-out", {"token": visitor.cookies["acme_token"]})
    visitor.cookies["acme_session"] = session

    assert visitor.get("/") == 303


def test_owner_exports_the_audit_log_of_a_time_window(visitor, platform):
    give_password(platform, DANA, "a brand new password", failed_logins=0)
    visitor.sign_in(DANA, "a brand new password")

    assert visitor.get("/audit-log.csv?since=2020-01-01T00:00:00Z") == 200
    assert visitor.body.startswith("id,at,actor,action,target,request_id,detail")
    assert visitor.body.count("sign_in.failed") == 12


@pytest.mark.parametrize("fields", [{"email": "a\0b", "password": "x"}, ["no", "object"], {"email": 7}])
def test_malformed_fields_are_refused(visitor, fields):
    assert visitor.post_json("/sign-in", fields) == 400


def test_recovered_platform_is_locked_out_again_for_a_drill(visitor, platform):
    give_password(platform, DANA, "a brand new password", failed_logins=0)
    with platform.connect() as connection:
        assert not is_locked_out(connection)

        lock_out(connection, platform.passwords)

        assert is_locked_out(connection)
    assert visitor.sign_in(DANA, "a brand new password") == 401
