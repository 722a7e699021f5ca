"""`/oauth/token`: who gets an access token, of what form, and who does not (RFC 6749, 7523, 9068)."""

from __future__ import annotations

import base64
from itertools import count
from typing import Any

import jwt
import pytest

from reconciler.errors import StoreUnreadable
from reconciler.live.interface import LiveStore
from reconciler.live.sql import SqlStore
from reconciler.verify.http.oauth import scope_of
from tests.verify.http.kit import ISSUER, JWT_BEARER, TOKEN_URL, Site, Told, documents, serving

PATH = "/oauth/token"
_numbers = count()
GRANT = {"grant_type": "client_credentials"}


def by_secret(site: Site, name: str = "bridge", **more: str) -> Told:
    """With the secret id in the form."""
    fields = site.fields(name)
    client = {"client_id": fields["token_id"], "client_secret": fields["secret_id"]}
    return site.ask("POST", PATH, form={**GRANT, **client, **more})


def basic(client_id: str, secret: str) -> tuple[str, str]:
    """An Authorization header."""
    return "Authorization", "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def by_assertion(site: Site, form: dict[str, str] | None = None, **claims: Any) -> Told:
    """With a JWT that the key of the historian signed."""
    signed = site.signed("historian", **{"jti": f"j-{next(_numbers)}", "aud": TOKEN_URL, **claims})
    sent = {"client_assertion_type": JWT_BEARER, "client_assertion": signed}
    return site.ask("POST", PATH, form={**GRANT, **sent, **(form or {})})


def test_a_secret_id_gets_a_short_access_token_of_the_form_of_rfc_9068(asked: Site) -> None:
    told = by_secret(asked)
    now = asked.house.now
    assert told.status == 200
    assert told.headers["cache-control"] == "no-store"
    answer = told.json
    token = answer.pop("access_token")
    assert answer == {"token_type": "Bearer", "expires_in": 300, "scope": "device.read"}
    key = asked.setup.keys[0]
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "at+jwt", "kid": key.kid}
    claims = jwt.decode(
        token,
        key.public_pem,
        ["EdDSA"],
        options={
            "verify_signature": True,
            "verify_aud": False,
            "verify_iat": False,
            "verify_nbf": False,
            "verify_exp": False,
        },
    )
    assert len(claims.pop("jti")) == 32
    assert claims == {
        "iss": ISSUER,
        "sub": asked.id("bridge"),
        "client_id": asked.id("bridge"),
        "aud": ISSUER,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "gen": 1,
        "scope": "device.read",
    }


def test_the_access_token_is_good_at_verify_for_what_it_is_scoped_to(asked: Site) -> None:
    token = by_assertion(asked, {"scope": "device.read nothing.else"}, jti="scoped").json["access_token"]
    told = asked.verify(token)
    assert (told.status, told.headers["x-reconciler-name"]) == (200, "historian")
    told = asked.verify(token, uri="/v1/projects/plant-a/devices")
    assert (told.status, told.json["reason"]) == (403, "api-denied")


def test_an_access_token_ends_when_its_token_is_deleted(own: Site) -> None:
    token = by_secret(own).json["access_token"]
    assert own.verify(token).status == 200
    own.apply(*(one for one in documents() if one["metadata"].get("name") != "bridge"))  # type: ignore[attr-defined]
    assert own.verify(token).status == 401


def test_an_access_token_ends_with_the_secret_id_that_it_was_issued_for(own: Site) -> None:
    """`expires_in` says so."""
    credential = own.house.live()["bridge"].credentials[0]
    assert credential.not_after is not None
    own.fields("bridge")
    own.house.now = credential.not_after - 40
    own.house.apply()
    assert by_secret(own).json["expires_in"] == 40


def test_basic_credentials_are_taken_too_in_either_spelling(asked: Site) -> None:
    fields = asked.fields("bridge")
    header = basic(fields["token_id"], fields["secret_id"])
    assert asked.ask("POST", PATH, header, form=GRANT).status == 200
    lower = (header[0], header[1].replace("Basic", "basic"))
    assert asked.ask("POST", PATH, lower, form=GRANT).status == 200


@pytest.mark.parametrize("audience", [TOKEN_URL, [TOKEN_URL]])
def test_an_assertion_names_the_token_endpoint(asked: Site, audience: object) -> None:
    told = by_assertion(asked, aud=audience)
    assert told.json.get("scope") == "device.list device.read"


@pytest.mark.parametrize("audience", [ISSUER, TOKEN_URL, [ISSUER], [TOKEN_URL]])
def test_it_may_name_the_issuer_where_bearer_tokens_name_something_else(
    asked: Site, signing_key: Any, audience: object
) -> None:
    with serving(asked.house, signing_keys=(signing_key,), audience="https://api.example") as site:
        assert by_assertion(site, aud=audience).status == 200
        assert by_assertion(site, aud="https://api.example").status == 401


def test_a_bearer_token_gets_no_longer_one_and_an_assertion_opens_no_api(asked: Site) -> None:
    """Who sees the one at an API, or the other at the token endpoint, has no more by it."""
    assert asked.verify(asked.signed("historian", jti="bearer")).status == 200
    told = by_assertion(asked, aud=ISSUER)
    assert (told.status, told.json["error"]) == (401, "invalid_client")
    assert asked.verify(asked.signed("historian", jti="assertion", aud=TOKEN_URL)).status == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.example"},
        {"aud": ISSUER},
        {"aud": [TOKEN_URL, "https://elsewhere.example"]},
        {"aud": TOKEN_URL + "/"},
        {"aud": None},
        {"iss": None},
        {"sub": None},
        {"iss": "somebody"},
        {"exp": None},
        {"iat": None},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 129},
        {"exp": 1_700_000_000},
        {"exp": 1_800_000_601},
        {"nbf": 1_800_001_000},
    ],
)
def test_an_assertion_with_a_wrong_claim_is_no_client(asked: Site, claims: dict[str, Any]) -> None:
    told = by_assertion(asked, **claims)
    assert (told.status, told.json["error"]) == (401, "invalid_client")


def test_an_assertion_is_good_once(own: Site) -> None:
    """And a `jti` of one token says nothing about that of another."""
    assert by_assertion(own, jti="once").status == 200
    again = by_assertion(own, jti="once", exp=own.house.now + 200)
    assert (again.status, again.json["error"]) == (401, "invalid_client")
    assert own.log()[-1]["reason"] == "replayed"
    other = own.signed("spare", jti="once", aud=TOKEN_URL)
    form = {**GRANT, "client_assertion_type": JWT_BEARER, "client_assertion": other}
    assert own.ask("POST", PATH, form=form).status == 200


def test_an_assertion_is_good_once_for_all_verifiers_of_a_store(own: Site, signing_key: Any) -> None:
    assert by_assertion(own, jti="shared").status == 200
    with serving(own.house, signing_keys=(signing_key,)) as second:
        assert by_assertion(second, jti="shared").status == 401


def test_a_store_that_cannot_remember_gives_503_and_no_token(
    own: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> bool:
        raise StoreUnreadable("it is gone")

    monkeypatch.setattr(SqlStore, "first_use", lost)
    told = by_assertion(own)
    assert (told.status, told.json["error"]) == (503, "temporarily_unavailable")
    assert told.headers["retry-after"] == "1"
    assert "access_token" not in told.json
    monkeypatch.undo()
    assert by_assertion(own).status == 200


def test_a_verifier_that_lost_its_store_issues_nothing(asked: Site, signing_key: Any) -> None:
    with serving(asked.house, max_stale=0, signing_keys=(signing_key,)) as site:
        told = by_secret(site)
    assert (told.status, told.json["error"]) == (503, "temporarily_unavailable")


def test_a_token_that_was_signed_once_is_no_assertion(asked: Site) -> None:
    """It would be good for ever, and for anybody who saw it."""
    issued = by_secret(asked).json["access_token"]
    for token in (asked.jwt("bridge"), asked.jwt("console"), asked.ticket(jti="j"), issued):
        form = {**GRANT, "client_assertion_type": JWT_BEARER, "client_assertion": token}
        told = asked.ask("POST", PATH, form=form)
        assert (told.status, told.json["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
        (GRANT, 401, "invalid_client"),
        ({**GRANT, "client_id": "x"}, 401, "invalid_client"),
        ({**GRANT, "client_id": "x", "client_secret": "y"}, 401, "invalid_client"),
        ({**GRANT, "client_assertion": "x.y.z"}, 400, "invalid_request"),
        ({**GRANT, "client_assertion": "x.y.z", "client_assertion_type": JWT_BEARER}, 401, "invalid_client"),
        ({**GRANT, "client_assertion": "x.y.z", "client_secret": "y"}, 400, "invalid_request"),
    ],
)
def test_errors_are_those_of_rfc_6749(asked: Site, form: dict[str, str], status: int, error: str) -> None:
    told = asked.ask("POST", PATH, form=form)
    assert (told.status, told.json["error"]) == (status, error)
    assert told.headers["cache-control"] == "no-store"
    assert "www-authenticate" not in told.headers


def test_who_tries_the_authorization_header_is_told_the_scheme(asked: Site) -> None:
    told = asked.ask("POST", PATH, basic("x", "y"), form=GRANT)
    assert (told.status, told.headers["www-authenticate"]) == (401, 'Basic realm="token"')
    told = asked.ask("POST", PATH, ("Authorization", f"Bearer {asked.jwt('bridge')}"), form=GRANT)
    assert (told.status, told.json["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ***",
        "Basic " + base64.b64encode(b"nocolon").decode(),
        "Basic w6k6eA== extra",
        "Basic /w==",
    ],
)
def test_basic_credentials_that_cannot_be_read_are_refused(asked: Site, header: str) -> None:
    told = asked.ask("POST", PATH, ("Authorization", header), form=GRANT)
    assert told.status == 400


def test_the_right_secret_with_another_id_is_no_client(asked: Site) -> None:
    fields = asked.fields("bridge")
    form = {**GRANT, "client_id": asked.id("caller"), "client_secret": fields["secret_id"]}
    assert asked.ask("POST", PATH, form=form).json["error"] == "invalid_client"
    form = {**GRANT, "client_id": fields["token_id"], "client_secret": fields["jwt"]}
    assert asked.ask("POST", PATH, form=form).json["error"] == "invalid_client"


def test_a_scope_of_which_nothing_is_granted_is_refused(asked: Site) -> None:
    told = by_secret(asked, scope="device.manage")
    assert (told.status, told.json["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize(
    ("held", "wanted", "granted"),
    [
        (("a", "b"), None, "a b"),
        (("a", "b"), "b c", "b"),
        (("a", "b"), "b b", "b"),
        (("a", "b"), "c", None),
        (("a", "b"), " ", None),
        (("a", "b"), "*", "a b"),
        (("*",), None, "*"),
        (("*",), "a b", "a b"),
        (("*",), "*", "*"),
        ((), None, None),
        ((), "a", None),
    ],
)
def test_a_scope_never_grows(held: tuple[str, ...], wanted: str | None, granted: str | None) -> None:
    assert scope_of(held, wanted) == granted


def test_a_form_says_each_thing_once_in_one_encoding_and_briefly(asked: Site) -> None:
    fields = asked.fields("bridge")
    client = [("client_id", fields["token_id"]), ("client_secret", fields["secret_id"])]
    once = [("grant_type", "client_credentials"), *client]
    assert asked.ask("POST", PATH, form=once).status == 200
    for wrong in (
        [*once, once[0]],
        [*once, ("scope", "a"), ("scope", "b")],
        [*once, ("grant_type", "password")],
    ):
        assert asked.ask("POST", PATH, form=wrong).json["error"] == "invalid_request"
    json_type = ("Content-Type", "application/json")
    assert asked.ask("POST", PATH, json_type, body=b'{"grant_type": "client_credentials"}').status == 400
    assert asked.ask("POST", PATH, body=b"grant_type=client_credentials").status == 400
    form_type = ("Content-Type", "application/x-www-form-urlencoded")
    assert asked.ask("POST", PATH, form_type, body=b"grant_type=%ff").status == 400
    assert asked.ask("POST", PATH, form_type, body="grant_type=é".encode()).status == 400
    assert asked.ask("POST", PATH, form_type, body=b"a=1&" * 40).status == 400
    assert asked.ask("POST", PATH, form_type, body=b"a" * 16_385).status == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_only_post_gets_a_token(asked: Site, method: str) -> None:
    told = asked.ask(method, f"{PATH}?grant_type=client_credentials")
    assert (told.status, told.headers["allow"]) == (405, "POST")


def test_without_a_signing_key_there_are_no_tokens(asked: Site) -> None:
    with serving(asked.house) as site:
        told = by_secret(site)
    assert (told.status, told.json["error"]) == (404, "unsupported")


def test_a_token_of_another_issuer_key_is_refused(asked: Site, own: Site) -> None:
    """The same key and another store: the record behind it is asked."""
    assert own.verify(by_secret(asked).json["access_token"]).status == 401


def test_nothing_that_a_client_sends_comes_back_or_is_logged(asked: Site) -> None:
    told = [by_secret(asked), by_assertion(asked, jti="canary"), by_secret(asked, scope="device.manage")]
    text = asked.lines.getvalue()
    for canary in (asked.fields("bridge")["secret_id"], "canary", told[0].json["access_token"]):
        assert canary not in text
    assert all(asked.fields("bridge")["secret_id"].encode() not in one.body for one in told)
    assert {line["name"] for line in asked.log()} == {"bridge", "historian"}


def test_the_store_is_what_remembers(own: Site) -> None:
    """What it is told is a digest: neither the token's id nor the `jti`."""
    seen: list[str] = []
    store: LiveStore = own.setup.store()
    real = type(store).first_use

    def watched(self: LiveStore, digest: str, expires_at: int, now: int) -> bool:
        seen.append(digest)
        return real(self, digest, expires_at, now)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(store), "first_use", watched)
        assert by_assertion(own, jti="watched").status == 200
    store.close()
    assert len(seen) == 1
    assert seen[0].startswith("sha256:")
