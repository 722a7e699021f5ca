"""bearer --exchange: a credential is proven to a verifier that its user named, for a short-lived token."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from reconciler.cli import sending
from reconciler.errors import UsageError
from reconciler.kinds.bearing import JWT_ASSERTION
from reconciler.readers.exchanging import endpoint_of
from tests.cli.endpoint import GIVEN, Endpoint, certificate, saying, serving
from tests.cli.kit import RSA, Shop, on_terminal
from tests.cli.test_bearer import WORKSPACE, delivered


@pytest.fixture
def verifier() -> Iterator[Endpoint]:
    """A token endpoint that gives a token."""
    with serving() as endpoint:
        yield endpoint


def test_a_secret_id_is_proven_by_basic_authentication(stocked: Shop, verifier: Endpoint) -> None:
    """RFC 6749 §4.4.2 and §2.3.1: in a header, and not in the form."""
    ran = stocked.ok("bearer", "bridge", "--exchange", verifier.url)
    assert (ran.out, ran.err) == (GIVEN + "\n", "")
    ((path, headers, form),) = verifier.calls
    fields = delivered(stocked, "bridge")
    pair = f"{fields['token_id']}:{fields['secret_id']}".encode()
    assert path == "/oauth/token"
    assert headers["Authorization"] == "Basic " + base64.b64encode(pair).decode()
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert form == {"grant_type": ["client_credentials"]}


def test_a_key_signs_an_assertion_for_the_endpoint_alone(stocked: Shop, verifier: Endpoint) -> None:
    """RFC 7523 §3: whoever gets it can use it nowhere else, and not for long."""
    assert stocked.ok("bearer", "historian", "--exchange", verifier.url).out == GIVEN + "\n"
    ((_, headers, form),) = verifier.calls
    assert "Authorization" not in headers
    assert form["grant_type"] == ["client_credentials"]
    assert form["client_assertion_type"] == [JWT_ASSERTION]
    (assertion,) = form["client_assertion"]
    fields = delivered(stocked, "historian")
    claims = jwt.decode(assertion, fields["public_key"], ["RS256"], audience=f"{verifier.url}/oauth/token")
    assert claims["iss"] == claims["sub"] == fields["token_id"]
    assert claims["exp"] - claims["iat"] == 60
    assert claims["jti"]


def test_the_environment_names_the_verifier_and_a_flag_goes_before(
    stocked: Shop, verifier: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_VERIFIER", verifier.url + "/")
    assert stocked.ok("bearer", "bridge").out == GIVEN + "\n"
    monkeypatch.setenv("RECONCILER_VERIFIER", "https://nowhere.invalid")
    assert stocked.ok("bearer", "bridge", "--exchange", verifier.url).out == GIVEN + "\n"
    assert [path for path, *_ in verifier.calls] == ["/oauth/token", "/oauth/token"]


def test_specs_never_name_it(shop: Shop, verifier: Endpoint) -> None:
    """A pull request may say whom a token is for; where a secret goes, it may not."""
    shop.ok("keygen")
    settings = f'url: "{verifier.url}"'
    shop.spec(f"{RSA}---\n{WORKSPACE % settings}")
    shop.ok("apply", "--yes")
    assert shop.ok("bearer", "historian").out != GIVEN + "\n"
    assert verifier.calls == []


def test_a_login_token_is_not_exchanged(
    stocked: Shop, verifier: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for by flag that is an error; an environment for all tokens is no harm to it."""
    ran = stocked.run("bearer", "console", "--exchange", verifier.url)
    assert (ran.code, ran.out) == (64, "")
    assert "console is not exchanged" in ran.err
    monkeypatch.setenv("RECONCILER_VERIFIER", verifier.url)
    assert stocked.ok("bearer", "console").out.strip() == delivered(stocked, "console")["login_token"]
    assert verifier.calls == []


def test_how_long_it_lasts_is_for_the_verifier_to_say(stocked: Shop, verifier: Endpoint) -> None:
    ran = stocked.run("bearer", "historian", "--ttl", "5m", "--exchange", verifier.url)
    assert (ran.code, ran.out) == (64, "")
    assert verifier.calls == []


def test_a_verifier_whose_issuer_is_another_address_gets_the_audience_that_it_wants(
    stocked: Shop, verifier: Endpoint
) -> None:
    audience = "https://tokens.example/oauth/token"
    stocked.ok("bearer", "historian", "--exchange", verifier.url, "--audience", audience)
    ((_, _, form),) = verifier.calls
    (assertion,) = form["client_assertion"]
    assert jwt.decode(assertion, options={"verify_signature": False})["aud"] == audience


def test_what_was_exchanged_is_shown_on_a_terminal(stocked: Shop, verifier: Endpoint) -> None:
    code, shown = on_terminal(["bearer", "bridge", "--exchange", verifier.url])
    assert (code, shown.strip()) == (0, GIVEN)


# addresses


@pytest.mark.parametrize(
    "url",
    [
        "http://verify.acme.example",
        "http://127.0.0.1.acme.example",
        "http://localhost.acme.example",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://0177.0.0.1",
        "http://[2001:db8::1]:8080",
        "HTTP://acme.example",
    ],
)
def test_http_is_for_this_machine(url: str) -> None:
    with pytest.raises(UsageError, match="over http, the network would see the credential"):
        endpoint_of(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "verify.acme.example",
        "ftp://acme.example",
        "file:///etc/passwd",
        "https://",
        "https://user@acme.example",
        "https://user:pw@acme.example",
        "http://127.0.0.1@acme.example",
        "https://acme.example?x=y",
        "https://acme.example#x",
        "https://acme.example/a b",
        "https://acme.example/\n",
        "https://acme.example:99999",
        "https://acme.example:0",
        "https://acme.example:",
        "https://acme.example\\@evil.example",
        "https://[::g]",
        "https://[::::]",
        "https://工厂.example",
        "https://acme.example//",
    ],
)
def test_what_is_no_address_of_a_verifier_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is not of the form"):
        endpoint_of(url)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("https://verify.acme.example", False),
        ("https://verify.acme.example:8443/v/", False),
        ("http://127.0.0.1:8080", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:8080", True),
        ("http://localhost:8080", True),
        ("https://127.0.0.1", True),
    ],
)
def test_an_address_is_https_or_of_this_machine(url: str, *, loopback: bool) -> None:
    found = endpoint_of(url)
    assert (found.url, found.loopback) == (url.rstrip("/") + "/oauth/token", loopback)


def test_a_wrong_address_is_told_before_anything_is_opened(stocked: Shop) -> None:
    (stocked.root / "artifacts").rename(stocked.root / "lost")
    ran = stocked.run("bearer", "bridge", "--exchange", "http://verify.acme.example")
    assert (ran.code, ran.out) == (64, "")


# answers


def failed(shop: Shop, verifier: Endpoint, name: str = "bridge") -> str:
    """What is said where it does not work; never with the secret in it."""
    ran = shop.run("--debug", "bearer", name, "--exchange", verifier.url)
    assert (ran.code, ran.out) == (1, "")
    assert "[exchange-failed, exit 1]" in ran.err
    fields = delivered(shop, name)
    (hidden,) = (fields[field] for field in ("secret_id", "private_key") if field in fields)
    pair = base64.b64encode(f"{fields['token_id']}:{hidden}".encode()).decode()
    assert hidden not in ran.err
    assert pair not in ran.err
    return ran.err


@pytest.mark.parametrize("name", ["bridge", "historian"])
@pytest.mark.parametrize("status", [400, 401])
def test_a_credential_that_is_not_taken_is_told(
    status: int, name: str, stocked: Shop, verifier: Endpoint
) -> None:
    verifier.status, verifier.body = status, b'{"error": "invalid_client"}'
    said = failed(stocked, verifier, name)
    assert f"{verifier.url}/oauth/token does not take this credential ({status}, invalid_client)" in said


def test_an_answer_that_repeats_what_it_was_sent_is_not_repeated(stocked: Shop, verifier: Endpoint) -> None:
    """Neither as an error, nor as its description."""
    secret = delivered(stocked, "bridge")["secret_id"]
    verifier.status = 401
    verifier.body = f'{{"error": "{secret}", "error_description": "{secret}"}}'.encode()
    assert "does not take this credential (401)" in failed(stocked, verifier)


def test_a_redirect_is_not_followed(stocked: Shop, verifier: Endpoint) -> None:
    with serving() as other:
        for status in (301, 302, 303, 307, 308):
            verifier.status, verifier.headers = status, {"Location": f"{other.url}/oauth/token"}
            assert f"sends on to another address ({status}), and no credential follows" in failed(
                stocked, verifier
            )
        assert other.calls == []
    assert len(verifier.calls) == 5


@pytest.mark.parametrize("status", [500, 503])
def test_a_verifier_that_cannot_tell_now_is_told(status: int, stocked: Shop, verifier: Endpoint) -> None:
    verifier.status, verifier.body = status, b"<html>"
    assert f"cannot answer now ({status})" in failed(stocked, verifier)


@pytest.mark.parametrize("status", [404, 405, 418, 204])
def test_what_is_no_token_endpoint_is_told(status: int, stocked: Shop, verifier: Endpoint) -> None:
    verifier.status, verifier.body = status, b""
    assert f"gives no token ({status})" in failed(stocked, verifier)


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", b"[]", b"\xff", b'"x"', b"[" * 60_000, b'{"access_token": "' + b"a" * 100_000 + b'"}'],
)
def test_what_is_no_json_object_is_told(body: bytes, stocked: Shop, verifier: Endpoint) -> None:
    """Nor does a body that is too long or too deep do any harm."""
    verifier.body = body
    assert "answers with something that is not JSON" in failed(stocked, verifier)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"access_token": 1, "token_type": "Bearer"}',
        b'{"access_token": "", "token_type": "Bearer"}',
        b'{"access_token": "a\\u001b[31m", "token_type": "Bearer"}',
        b'{"access_token": "a\\nb", "token_type": "Bearer"}',
        b'{"access_token": "a b", "token_type": "Bearer"}',
        b'{"access_token": "a"}',
        b'{"access_token": "a", "token_type": "mac"}',
        b'{"access_token": "a", "token_type": ["Bearer"]}',
    ],
)
def test_what_is_no_bearer_token_is_not_printed(body: bytes, stocked: Shop, verifier: Endpoint) -> None:
    verifier.body = body
    assert "/oauth/token gave " in failed(stocked, verifier)


def test_the_type_of_a_token_may_be_in_small_letters(stocked: Shop, verifier: Endpoint) -> None:
    """RFC 6749 §5.1: its case means nothing."""
    verifier.body = b'{"access_token": "a", "token_type": "bearer"}'
    assert stocked.ok("bearer", "bridge", "--exchange", verifier.url).out == "a\n"


# the way there


def test_a_verifier_that_is_not_there_is_told(stocked: Shop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert "cannot be reached: Connection refused" in failed(stocked, Endpoint(url))


def test_a_host_that_nobody_knows_is_told(stocked: Shop) -> None:
    assert "cannot be reached: " in failed(stocked, Endpoint(f"https://{'a' * 64}.invalid"))


def test_a_verifier_that_says_nothing_is_not_waited_for(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "does not answer within 0.2 seconds" in failed(stocked, Endpoint(url))


def test_what_is_no_http_is_told_without_its_words(stocked: Shop) -> None:
    with saying(b"SSH-2.0-hunter2\r\n\r\n") as url:
        said = failed(stocked, Endpoint(url))
    assert "does not speak as it should (BadStatusLine)" in said
    assert "hunter2" not in said


def test_a_proxy_is_not_asked_for_this_machine(
    stocked: Shop, verifier: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert stocked.ok("bearer", "bridge", "--exchange", verifier.url).out == GIVEN + "\n"


def test_a_certificate_is_checked(stocked: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that nobody vouches for gets nothing; one that its user trusts gets the credential."""
    pem = certificate(tmp_path / "verifier.pem")
    with serving(pem) as verifier:
        assert f"the certificate of {verifier.url}/oauth/token is not trusted" in failed(stocked, verifier)
        assert verifier.calls == []
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert stocked.ok("bearer", "bridge", "--exchange", verifier.url).out == GIVEN + "\n"
