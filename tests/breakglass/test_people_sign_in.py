"""Sign-in: two factors, a new session key at each, and a throttle that slows strangers and never the known device."""

import re

import pytest
from django.test import Client

from audit import events
from audit.models import Entry
from breakglass.pages import sign_in as sign_in_page
from breakglass.people import devices, sign_in, throttle
from breakglass.people.models import Account, Throttle
from breakglass.people.refusals import SignInRefused, SignInSlow
from breakglass.people.sign_in import Origin
from tests import cast

pytestmark = pytest.mark.django_db

PASSWORD = "a quiet harbour at dawn"
HOME = Origin("192.0.2.7")


@pytest.fixture
def sam() -> Account:
    account = cast.person("sam")
    account.set_password(PASSWORD)
    account.save(update_fields=["password"])
    return account


def first_factor(client: Client, password: str = PASSWORD, **more: str):
    return client.post("/sign-in/", {"username": "sam", "password": password, **more})


def told(event: str) -> list[dict]:
    return [entry.fields for entry in Entry.objects.filter(event=event).order_by("seq")]


def test_sign_in_page_works_without_scripts_and_on_a_phone(client, console):
    page = client.get("/sign-in/").content.decode()

    assert 'name="csrfmiddlewaretoken"' in page
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
    assert "style=" not in page


def test_code_page_asks_for_a_one_time_code(client, sam):
    first_factor(client)

    page = client.get("/sign-in/code/").content.decode()

    assert 'inputmode="numeric"' in page
    assert 'autocomplete="one-time-code"' in page


def test_both_factors_open_the_page_that_was_asked_for(client, sam):
    asked = client.get("/people/")
    first = first_factor(client, next="/people/")
    second = client.post(first.url, {"code": cast.code_for(sam), "next": "/people/"})

    assert asked.url == "/sign-in/?next=/people/"
    assert first.url == "/sign-in/code/?next=/people/"
    assert second.url == "/people/"
    assert client.get("/people/").status_code == 200
    assert [entry["by"] for entry in told(events.SIGN_IN_MADE)] == ["sam"]


@pytest.mark.parametrize("path", ["/people/", "/admin/", "/people/1/"])
def test_password_alone_opens_nothing(client, sam, path):
    first_factor(client)

    answer = client.get(path)

    assert answer.status_code == 302
    assert answer.url.startswith("/sign-in/code/")


def test_each_factor_gives_a_new_session_key_and_the_old_one_dies(client, sam):
    client.get("/sign-in/")
    first_factor(client)
    between = client.session.session_key
    client.post("/sign-in/code/", {"code": cast.code_for(sam)})
    after = client.session.session_key

    assert between != after
    client.cookies["sessionid"] = between
    assert client.get("/people/").url == "/sign-in/?next=/people/"


def test_unknown_wrong_and_disabled_get_the_same_answer(client, sam):
    simone = cast.person("simone")
    simone.set_password(PASSWORD)
    simone.is_active = False
    simone.save(update_fields=["password", "is_active"])

    answers = [
        client.post("/sign-in/", {"username": username, "password": password})
        for username, password in (("nobody", PASSWORD), ("sam", "wrong"), ("simone", PASSWORD))
    ]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert len({answer.context["refusal"].sentence for answer in answers}) == 1


def test_unknown_name_is_hashed_for_like_a_known_one(sam, monkeypatch):
    hashed = []
    monkeypatch.setattr(sign_in, "make_password", lambda password: hashed.append(password))

    with pytest.raises(SignInRefused):
        sign_in.with_password("nobody", "wrong", origin=HOME)

    assert hashed == ["wrong"]


def test_refusal_is_recorded_without_what_was_typed(client, sam):
    client.post("/sign-in/", {"username": "my-secret-typed-here", "password": "hunter2hunter2"})
    first_factor(client, "hunter2hunter2")

    lines = "".join(Entry.objects.values_list("entry", flat=True))

    assert [entry["account"] for entry in told(events.SIGN_IN_FAILED)] == ["", "sam"]
    assert {entry["by"] for entry in told(events.SIGN_IN_FAILED)} == {"stranger"}
    assert "hunter2" not in lines
    assert "my-secret" not in lines


def test_wrong_code_is_recorded_and_leaves_the_session_unverified(client, sam):
    first_factor(client)

    answer = client.post("/sign-in/code/", {"code": "000000"})

    assert answer.status_code == 422
    assert client.get("/people/").url == "/sign-in/code/"
    assert [(entry["factor"], entry["refusal"]) for entry in told(events.SIGN_IN_FAILED)] == [("code", "code_refused")]


def test_code_of_the_sign_in_is_spent(client, sam):
    code = cast.code_for(sam)
    first_factor(client)
    client.post("/sign-in/code/", {"code": code})
    other = Client()
    first_factor(other)

    answer = other.post("/sign-in/code/", {"code": code})

    assert answer.context["refusal"].code == "code_already_used"


def test_password_is_compared_exactly_as_typed(client, sam):
    answer = first_factor(client, PASSWORD + " ")

    assert answer.status_code == 422


def test_guessing_is_turned_away_before_hashing(sam, monkeypatch):
    for _guess in range(throttle.FREE["account"] + 1):
        with pytest.raises(SignInRefused):
            sign_in.with_password("sam", "guess", origin=HOME)
    monkeypatch.setattr(sign_in, "_is_right", pytest.fail)

    with pytest.raises(SignInSlow) as slow:
        sign_in.with_password("sam", PASSWORD, origin=HOME)

    assert 0 < slow.value.facts["wait"] <= 30


def test_turned_away_attempts_are_recorded_once_per_wait(sam):
    _hammer("sam")

    for _guess in range(3):
        with pytest.raises(SignInSlow):
            sign_in.with_password("sam", "guess", origin=HOME)

    assert len(told(events.SIGN_IN_THROTTLED)) == 1


def test_page_says_how_long_to_wait(client, sam):
    _hammer("sam", Origin("127.0.0.1"))

    answer = first_factor(client)

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) == answer.context["refusal"].facts["wait"]


def test_attacker_does_not_delay_the_known_device(sam):
    device = Origin("198.51.100.1", devices.remember(sam))
    _hammer("sam")

    assert sign_in.with_password("sam", PASSWORD, origin=device) == sam


def test_attacker_does_not_delay_other_people_elsewhere(sam):
    _hammer("sam")
    simone = cast.person("simone")
    simone.set_password(PASSWORD)
    simone.save(update_fields=["password"])

    assert sign_in.with_password("simone", PASSWORD, origin=Origin("198.51.100.1")) == simone


def test_known_device_of_somebody_else_or_forged_is_worth_nothing(sam):
    simone = cast.person("simone")

    assert devices.known(devices.remember(simone), sam) == ""
    assert devices.known(devices.remember(sam)[:-2] + "xx", sam) == ""
    assert devices.known(devices.remember(sam), None) == ""
    assert re.fullmatch("[0-9a-f]{32}", devices.known(devices.remember(sam), sam))


def test_delay_grows_to_thirty_seconds_and_no_further(sam):
    lane = throttle.lane("account", "sam")
    Throttle.objects.create(lane=lane, failures=900)

    throttle.enter([lane])
    with pytest.raises(SignInSlow) as slow:
        throttle.enter([lane])

    assert slow.value.facts["wait"] == throttle.LONGEST_WAIT


def test_right_password_gives_its_attempt_back(sam):
    for _round in range(throttle.FREE["account"] + 3):
        sign_in.with_password("sam", PASSWORD, origin=HOME)

    assert set(Throttle.objects.values_list("failures", flat=True)) == {0}


def test_second_factor_hands_out_the_known_device_cookie(client, sam):
    first_factor(client)
    answer = client.post("/sign-in/code/", {"code": cast.code_for(sam)})

    cookie = answer.cookies[devices.COOKIE]

    assert devices.known(cookie.value, sam)
    assert cookie["httponly"]
    assert cookie["path"] == "/sign-in/"


@pytest.mark.parametrize("typed", ["sam\0", "\ud800sam"])
def test_what_is_no_text_gets_a_sentence(client, sam, typed):
    client.get("/sign-in/")

    answer = client.post(
        "/sign-in/",
        b"username=" + typed.encode(errors="surrogatepass") + b"&password=x",
        content_type="application/x-www-form-urlencoded",
    )

    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_sign_in_never_leads_elsewhere(client, sam, wanted):
    first_factor(client)

    answer = client.post("/sign-in/code/", {"code": cast.code_for(sam), "next": wanted})

    assert answer.url == "/"


def test_sign_out_ends_the_session_on_the_server(client, sam):
    cast.signed_in(client, sam)
    key = client.session.session_key

    client.post("/sign-out/")
    client.cookies["sessionid"] = key

    assert client.get("/people/").status_code == 302
    assert [entry["by"] for entry in told(events.SIGN_IN_ENDED)] == ["sam"]


def test_sign_out_is_a_press_and_not_a_link(client, sam):
    cast.signed_in(client, sam)

    assert client.get("/sign-out/").status_code == 405
    assert client.get("/people/").status_code == 200


def test_forged_press_without_token_is_refused(sam):
    client = Client(enforce_csrf_checks=True)

    assert client.post("/sign-in/", {"username": "sam", "password": PASSWORD}).status_code == 403


def test_disabled_account_is_out_at_the_next_request(client, sam):
    cast.signed_in(client, sam)

    Account.objects.filter(pk=sam.pk).update(is_active=False)

    assert client.get("/people/").url.startswith("/sign-in/")


def test_address_is_read_behind_trusted_proxies_only(rf, settings):
    from_page = {"REMOTE_ADDR": "10.0.0.1", "headers": {"X-Forwarded-For": "203.0.113.9, 192.0.2.1"}}
    settings.TRUSTED_PROXIES = 0

    direct = _origin(rf.get("/", **from_page))
    settings.TRUSTED_PROXIES = 1
    behind = _origin(rf.get("/", **from_page))
    six = _origin(rf.get("/", REMOTE_ADDR="2001:db8::1234", headers={"X-Forwarded-For": "2001:db8:0:1:2:3:4:5"}))

    assert direct.address == "10.0.0.1"
    assert behind.address == "192.0.2.1"
    assert six.address == "2001:db8:0:1::/64"


def _origin(request):
    return sign_in_page.origin(request)


def _hammer(username: str, origin: Origin = HOME) -> None:
    """Guess from one address until the lanes are slow for a good while."""
    lanes = [throttle.lane("address", origin.address), throttle.lane("account", username)]
    for lane in lanes:
        Throttle.objects.create(lane=lane, failures=50)
    throttle.enter(lanes)
