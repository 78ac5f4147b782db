"""A login check against answers that mean harm: it ends, it stays at its own address, and the password stays inside."""

import gzip
import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from recovery.sign_in import login_checks
from recovery.sign_in.login_checks import Result, Verdict
from tests.recovery import sites
from tests.recovery.sites import Asked, Handler, Site

LOGIN, PASSWORD = "olga@acme.example", "correct horse battery"
PLAIN = """
[[login_check.step]]
name = "sign in"
method = "POST"
path = "/sign-in"
json = { email = "%(login)s", password = "%(password)s" }
EXTRA
[[login_check.step]]
name = "owner"
path = "/owner"
owner = true
"""
SIGN_IN = ("POST", "/sign-in")


@pytest.fixture
def site() -> Iterator[Site]:
    with sites.running() as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path, settings) -> Path:
    settings.PLATFORMS_FILE = str(tmp_path / "platforms.toml")
    return tmp_path


def play(folder: Path, site: Site, extra: str = "", *, seconds: float = 5) -> Result:
    platform = sites.platform_with(folder, PLAIN.replace("EXTRA", extra), url=site.url)
    return login_checks.play(platform, login=LOGIN, password=PASSWORD, seconds=seconds)


def assert_unknown(result: Result, found: str) -> None:
    assert (result.verdict, result.steps[0].found) == (Verdict.UNKNOWN, found)


def test_a_huge_answer_is_given_up(folder, site):
    site.replies_with(*SIGN_IN, 200, "x" * 3_000_000)

    assert_unknown(play(folder, site), "large")


def test_an_answer_without_end_is_given_up(folder, site):
    def pour(handler: Handler, _asked: Asked) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            try:
                handler.wfile.write(b"x" * 65536)
            except OSError:
                return

    site.replies[SIGN_IN] = pour

    assert_unknown(play(folder, site), "large")


def test_an_answer_that_swells_when_unpacked_is_given_up(folder, site):
    packed = gzip.compress(b"\0" * 50_000_000)

    def swell(handler: Handler, _asked: Asked) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", str(len(packed)))
        handler.end_headers()
        handler.wfile.write(packed)

    site.replies[SIGN_IN] = swell

    assert_unknown(play(folder, site), "large")


def test_headers_that_drip_are_cut_off(folder, site):
    is_over = threading.Event()

    def drip(handler: Handler, _asked: Asked) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not is_over.is_set():
            try:
                handler.wfile.write(b"x")
            except OSError:
                return
            is_over.wait(0.1)

    site.replies[SIGN_IN] = drip

    result = play(folder, site, seconds=0.5)

    is_over.set()
    assert_unknown(result, "slow")


def test_an_answer_that_never_comes_is_cut_off(folder, site):
    is_over = threading.Event()
    site.replies[SIGN_IN] = lambda _handler, _asked: is_over.wait()

    result = play(folder, site, seconds=0.5)

    is_over.set()
    assert_unknown(result, "slow")


def test_a_pattern_that_never_ends_is_cut_off(folder, site):
    site.replies_with(*SIGN_IN, 200, "a" * 60)

    result = play(folder, site, "keep = { word = { pattern = '(?:a+)+(b)' } }", seconds=1)

    assert_unknown(result, "slow")


def test_a_redirect_to_another_origin_is_not_followed(folder, site):
    with sites.running() as thief:
        site.replies_with(*SIGN_IN, 307, Location=f"{thief.url}/sign-in")

        result = play(folder, site)

    assert_unknown(result, "elsewhere")
    assert thief.asked == []


@pytest.mark.parametrize("target", ["//evil.example/", "https://127.0.0.1/", "file:///etc/passwd", "http://[::1"])
def test_no_redirect_leaves_the_platform(folder, site, target):
    site.replies_with(*SIGN_IN, 302, Location=target)

    result = play(folder, site)

    assert result.verdict == Verdict.UNKNOWN
    assert len(site.asked) == 1


def test_redirects_in_a_circle_end(folder, site):
    site.replies_with(*SIGN_IN, 302, Location="/again")
    site.replies_with("GET", "/again", 302, Location="/again")

    assert_unknown(play(folder, site), "redirects")
    assert len(site.asked) == 6


@pytest.mark.parametrize(
    "body", ["{", "<html>", "[" * 100_000, '{"a": NaN', "\udcff".encode("utf-8", "replace").decode()]
)
def test_garbage_instead_of_json_is_an_answer_that_is_not_as_expected(folder, site, body):
    site.replies_with(*SIGN_IN, 200, body)

    result = play(folder, site, "equals = { signed_in = true }")

    assert (result.verdict, result.steps[0].found) == (Verdict.SIGN_IN_REFUSED, "json")


def test_a_heap_of_cookies_is_given_up(folder, site):
    def bake(handler: Handler, _asked: Asked) -> None:
        handler.send_response(200)
        for number in range(50):
            handler.send_header("Set-Cookie", f"c{number}={'x' * 4000}; Path=/")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    site.replies[SIGN_IN] = bake

    assert_unknown(play(folder, site), "cookies")


def test_no_http_at_all_is_no_answer(folder, site):
    site.replies[SIGN_IN] = lambda handler, _asked: handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")

    assert play(folder, site).verdict == Verdict.UNKNOWN


def test_a_kept_value_cannot_add_a_header(folder, site):
    site.replies_with(*SIGN_IN, 200, {"token": "a\r\nX-Evil: 1"})

    result = play(folder, site, 'keep = { token = "token" }')

    assert result.steps[0].found == "keep"


def test_a_proxy_of_the_environment_is_never_asked(folder, site, monkeypatch):
    site.replies_with(*SIGN_IN)
    site.replies_with("GET", "/owner")
    with sites.running() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)

        result = play(folder, site)

    assert result.is_recovered
    assert proxy.asked == []


def test_the_password_is_in_no_fact_even_if_the_platform_sends_it_back(folder, site):
    echo = f"/{PASSWORD.replace(' ', '+')}/{PASSWORD}"
    site.replies_with(*SIGN_IN, 302, PASSWORD, Location=echo, Set_Cookie=f"p={PASSWORD}", X_Password=PASSWORD)

    facts = json.dumps(play(folder, site).as_facts())

    assert "horse" not in facts


def test_the_password_is_in_no_command_line_and_in_no_environment(folder, site):
    seen: list[str] = []

    def look(handler: Handler, _asked: Asked) -> None:
        for part in ("cmdline", "environ"):
            for file in Path("/proc").glob(f"[0-9]*/{part}"):
                try:
                    seen.append(file.read_text(errors="replace"))
                except OSError:
                    continue  # gone, or another user's
        handler.send(200)

    site.replies[SIGN_IN] = look

    play(folder, site)

    assert any("login_visit.py" in text for text in seen)
    assert not any(PASSWORD in text for text in seen)


def certificate_for(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that nobody has signed but itself, with its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        *(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    file = folder / "certificate.pem"
    file.write_bytes(signed + secret)
    return file


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return certificate_for(tmp_path)


@pytest.fixture
def secure_site(certificate: Path) -> Iterator[Site]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with sites.running(context) as found:
        found.replies_with(*SIGN_IN)
        found.replies_with("GET", "/owner")
        yield found


def test_a_certificate_that_nobody_signed_ends_the_check_before_anything_is_sent(folder, secure_site):
    assert_unknown(play(folder, secure_site), "certificate")
    assert secure_site.asked == []


def test_a_certificate_that_the_host_trusts_is_good(folder, secure_site, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    assert play(folder, secure_site).is_recovered
