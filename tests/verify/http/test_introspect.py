"""`/oauth/introspect`: what a token is, for callers who may ask (RFC 7662)."""

from __future__ import annotations

import pytest

from tests.verify.http.kit import ISSUER, Site, Told, documents, serving
from tests.verify.http.test_oauth import basic, by_assertion, by_secret

PATH = "/oauth/introspect"
INACTIVE = {"active": False}


def introspect(site: Site, token: str, **more: str) -> Told:
    """By a caller who may ask."""
    fields = site.fields("caller")
    header = basic(fields["token_id"], fields["secret_id"])
    return site.ask("POST", PATH, header, form={"token": token, **more})


def test_a_live_token_is_told_with_whose_it_is(asked: Site) -> None:
    told = introspect(asked, asked.fields("bridge")["secret_id"])
    assert told.status == 200
    ends = asked.house.live()["bridge"].credentials[0].not_after
    assert told.json == {
        "active": True,
        "scope": "device.read",
        "client_id": asked.id("bridge"),
        "sub": asked.id("bridge"),
        "token_type": "Bearer",
        "exp": ends,
        "iss": ISSUER,
        "aud": ISSUER,
        "name": "bridge",
        "kind": "JWTToken",
        "owner": "团队 MES",
    }


def test_an_issued_token_is_told_with_the_scope_that_it_has(asked: Site) -> None:
    token = by_assertion(asked, {"scope": "device.read"}, jti="introspected").json["access_token"]
    found = introspect(asked, token).json
    assert (found["active"], found["scope"], found["name"]) == (True, "device.read", "historian")
    assert (found["iat"], found["exp"]) == (asked.house.now, asked.house.now + 300)


def test_what_is_not_active_is_that_and_nothing_more(own: Site) -> None:
    token, issued = own.jwt("bridge"), by_secret(own).json["access_token"]
    own.fields("caller")
    own.apply(*(one for one in documents() if one["metadata"].get("name") != "bridge"))  # type: ignore[attr-defined]
    unknown = ["", "x", "x.y.z", "rcn_nothing", token, issued, own.ticket(), own.signed("historian", exp=1)]
    for text in unknown[1:]:
        told = introspect(own, text)
        assert (told.status, told.json) == (200, INACTIVE)
    assert introspect(own, "").status == 400


def test_a_token_that_is_limited_to_addresses_is_active_from_one_of_them(asked: Site) -> None:
    """Whoever introspects for a client says where the client is, or it is not active."""
    token = asked.jwt("console")
    assert introspect(asked, token).json == INACTIVE
    assert introspect(asked, token, address="10.1.2.3", device="scanner-1").json["active"] is True
    assert introspect(asked, token, address="10.2.2.3", device="scanner-1").json == INACTIVE


@pytest.mark.parametrize("scheme", ["bearer", "basic"])
def test_callers_authenticate_with_a_live_token_that_may(asked: Site, scheme: str) -> None:
    for name, status in (("caller", 200), ("bridge", 403)):
        fields = asked.fields(name)
        header = basic(fields["token_id"], fields["secret_id"])
        if scheme == "bearer":
            header = ("Authorization", f"Bearer {fields['jwt']}")
        told = asked.ask("POST", PATH, header, form={"token": "x"})
        assert told.status == status
        if status == 403:
            assert told.headers["www-authenticate"] == 'Bearer realm="acme", error="insufficient_scope"'


@pytest.mark.parametrize("header", [None, "Bearer x.y.z", "bearer x", "Basic eDp5", "Digest x", "Basic eA=="])
def test_nobody_else_is_told_anything(asked: Site, header: str | None) -> None:
    sent = [("Authorization", header)] if header else []
    told = asked.ask("POST", PATH, *sent, form={"token": asked.jwt("bridge")})
    assert told.status in (400, 401)
    assert "active" not in told.json


def test_the_api_that_callers_need_is_named_by_a_flag(asked: Site) -> None:
    with serving(asked.house, introspect_api="device.read") as site:
        fields = site.fields("bridge")
        header = basic(fields["token_id"], fields["secret_id"])
        assert site.ask("POST", PATH, header, form={"token": "x"}).json == INACTIVE
        assert introspect(site, "x").status == 403


def test_a_secret_id_counts_only_with_its_own_id(asked: Site) -> None:
    header = basic(asked.id("bridge"), asked.fields("caller")["secret_id"])
    assert asked.ask("POST", PATH, header, form={"token": "x"}).status == 401


def test_a_verifier_without_its_store_cannot_tell(asked: Site) -> None:
    with serving(asked.house, max_stale=0) as site:
        assert introspect(site, asked.jwt("bridge")).status == 503
