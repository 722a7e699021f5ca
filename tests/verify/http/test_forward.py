"""`/verify`: what a gateway is told, and that no client can make it be told anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.kinds.checking import Call, Reason
from reconciler.secret import Secret
from reconciler.verify.http.forward import Gateways, answer
from reconciler.verify.http.message import Request
from reconciler.verify.http.peers import trusted
from reconciler.verify.interface import Identity, Verdict
from tests.verify.http.kit import PLANT, Site, documents, network, serving

IDENTITY = {
    f"x-reconciler-{name}"
    for name in ("token", "name", "kind", "owner", "generation", "api", "project", "user")
}


def test_a_call_that_is_granted_gets_200_and_every_identity_header(asked: Site) -> None:
    told = asked.verify(asked.signed("historian"))
    assert (told.status, told.body) == (200, b"")
    assert {name: value for name, value in told.headers.items() if name in IDENTITY} == {
        "x-reconciler-token": asked.id("historian"),
        "x-reconciler-name": "historian",
        "x-reconciler-kind": "RSAToken",
        "x-reconciler-owner": "",
        "x-reconciler-generation": "1",
        "x-reconciler-api": "device.read",
        "x-reconciler-project": "plant-a",
        "x-reconciler-user": "",
    }
    assert told.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("what", ["jwt", "secret_id"])
def test_a_signed_token_and_its_secret_id_are_the_same_token(asked: Site, what: str) -> None:
    """An owner in any script fits in a header, and can be decoded again."""
    told = asked.verify(asked.fields("bridge")[what])
    assert told.headers["x-reconciler-name"] == "bridge"
    assert told.headers["x-reconciler-owner"] == "%E5%9B%A2%E9%98%9F MES"


def test_envoy_asks_with_the_method_and_the_path_of_the_request_itself(asked: Site) -> None:
    bearer = ("Authorization", f"Bearer {asked.signed('historian')}")
    told = asked.ask("GET", f"/verify/path{PLANT}?fields=name", bearer)
    assert (told.status, told.headers["x-reconciler-api"]) == (200, "device.read")
    assert asked.ask("DELETE", f"/verify/path{PLANT}", bearer).json["reason"] == "api-unknown"


def test_with_the_path_in_the_address_forwarded_headers_of_the_client_mean_nothing(asked: Site) -> None:
    """Envoy passes them on as they came."""
    spoofed = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/v1/projects/plant-a/devices")]
    bearer = ("Authorization", f"Bearer {asked.jwt('bridge')}")
    told = asked.ask("GET", f"/verify/path{PLANT}?api=device.list", bearer, *spoofed)
    assert told.headers["x-reconciler-api"] == "device.read"
    told = asked.ask("GET", "/verify/path/v1/users/u?api=device.read", bearer, *spoofed)
    assert (told.status, told.json["reason"]) == (403, "api-denied")


def test_the_gateway_may_name_the_api_itself(asked: Site) -> None:
    bearer = ("Authorization", f"Bearer {asked.signed('historian')}")
    told = asked.ask("POST", "/verify?api=device.list&project=plant-a", bearer)
    assert (told.status, told.headers["x-reconciler-api"]) == (200, "device.list")
    told = asked.ask("POST", "/verify?api=device.list&project=plant-b", bearer)
    assert (told.status, told.json["reason"]) == (403, "project-denied")


@pytest.mark.parametrize(
    ("target", "uri", "reason"),
    [
        ("/verify?project=plant-b", PLANT, "project-denied"),
        ("/verify?device=d2", PLANT, "device-denied"),
        ("/verify?project=plant-b&device=d2", PLANT, "project-denied"),
        ("/verify?device=scanner", PLANT, "device-denied"),
    ],
)
def test_where_the_gateways_word_and_the_path_differ_nothing_passes(
    asked: Site, target: str, uri: str, reason: str
) -> None:
    """The token is good for either: which of the two the service will act on, nobody knows."""
    told = asked.verify(asked.jwt("bridge"), target=target, uri=uri)
    assert (told.status, told.json["reason"]) == (403, reason)
    assert asked.verify("x.y.z", target=target, uri=uri).status == 401


def test_where_the_gateways_word_and_the_path_agree_it_is_as_if_one_had_said_it(asked: Site) -> None:
    told = asked.verify(asked.jwt("bridge"), target="/verify?project=plant-a&device=d1&user=u")
    assert (told.status, told.headers["x-reconciler-user"]) == (200, "u")
    told = asked.verify(asked.signed("historian"), target="/verify?user=u&api=device.read&project=plant-b")
    assert told.json["reason"] == "project-denied"


def test_a_user_in_a_header_and_another_in_the_path_or_in_a_word_are_refused(asked: Site) -> None:
    with serving(asked.house, user_header=b"x-user", device_header=b"x-device") as site:
        token = site.jwt("bridge")
        assert site.verify(token, ("X-Device", "d1"), ("X-User", "u"), target="/verify?user=u").status == 200
        assert site.verify(token, ("X-Device", "d2")).json["reason"] == "device-denied"
        told = site.verify(token, ("X-User", "a"), target="/verify?user=b")
        assert (told.status, told.json["reason"]) == (403, "user-denied")


@pytest.mark.parametrize("query", ["apis=device.read", "api=", "api=a&api=b", "project=plant-a&pretty=1"])
def test_a_word_that_is_not_known_is_a_limit_that_nobody_applies_so_it_is_refused(
    asked: Site, query: str
) -> None:
    told = asked.verify(asked.signed("historian"), target=f"/verify?{query}")
    assert (told.status, told.json["error"]) == (400, "invalid_request")


def test_without_an_api_and_without_a_uri_nobody_knows_what_is_called(asked: Site) -> None:
    """A gateway that forgets the header does not open the door; nor does a project alone."""
    bearer = ("Authorization", f"Bearer {asked.signed('historian')}")
    assert asked.ask("GET", "/verify", bearer).json["reason"] == "api-unknown"
    assert asked.ask("GET", "/verify?project=plant-a", bearer).json["reason"] == "api-unknown"
    assert asked.ask("GET", "/verify?app=X", bearer).json["reason"] == "api-unknown"
    told = asked.verify(asked.signed("historian"), target="/verify?app=X", uri="/nowhere")
    assert (told.status, told.json["reason"]) == (403, "api-unknown")


@pytest.mark.parametrize("target", ["/verify/", "/verify/path", "/verify/paths/x", "/verify//path/x"])
def test_nothing_else_is_below_verify(asked: Site, target: str) -> None:
    """A gateway with a wrong address is told so, whatever else it sends."""
    assert asked.verify(asked.signed("historian"), target=target).status == 404


@pytest.mark.parametrize(
    ("headers", "status", "error", "reason"),
    [
        ([], 401, "unauthorized", "token-missing"),
        ([("Authorization", "")], 401, "unauthorized", "token-missing"),
        ([("Authorization", "bearer x.y.z")], 401, "invalid_request", "scheme"),
        ([("Authorization", "BEARER x.y.z")], 401, "invalid_request", "scheme"),
        ([("Authorization", "Bearer")], 401, "invalid_request", "scheme"),
        ([("Authorization", "Bearer  x.y.z")], 401, "invalid_request", "scheme"),
        ([("Authorization", "Basic eDp5")], 401, "invalid_request", "scheme"),
        ([("Authorization", "Bearer a, Bearer b")], 401, "invalid_request", "scheme"),
        (
            [("Authorization", "Bearer x"), ("Authorization", "Bearer x")],
            401,
            "invalid_request",
            "several-tokens",
        ),
        ([("Authorization", "Bearer x.y.z")], 401, "invalid_token", None),
    ],
)
def test_what_is_wrong_with_the_request_is_told_and_what_is_wrong_with_a_strange_token_is_not(
    asked: Site, headers: list[tuple[str, str]], status: int, error: str, reason: str | None
) -> None:
    told = asked.verify(None, *headers)
    assert (told.status, told.json["error"], told.json.get("reason")) == (status, error, reason)
    assert told.headers.get("x-reconciler-reason") == reason
    bare = reason == "token-missing"
    wanted = 'Bearer realm="acme"' + ("" if bare else f', error="{error}"')
    assert told.headers["www-authenticate"] == wanted


@pytest.mark.parametrize("name", ["access_token", "access%5Ftoken", "a=1&access_token", "a;access_token"])
def test_a_token_in_the_address_beside_the_header_is_one_too_many(asked: Site, name: str) -> None:
    told = asked.verify(asked.signed("historian"), uri=f"{PLANT}?{name}=x")
    assert (told.status, told.json["reason"]) == (401, "several-tokens")
    told = asked.ask(
        "GET", f"/verify/path{PLANT}?{name}=x", ("Authorization", f"Bearer {asked.signed('historian')}")
    )
    assert told.json["reason"] == "several-tokens"


def test_a_value_that_only_looks_like_it_is_no_token(asked: Site) -> None:
    assert (
        asked.verify(asked.signed("historian"), uri=f"{PLANT}?q=access_token&my_access_token=1").status == 200
    )


def test_a_wrong_api_of_a_good_token_is_403_with_its_reason(asked: Site) -> None:
    told = asked.verify(asked.jwt("bridge"), uri="/v1/projects/plant-a/devices")
    assert (told.status, told.json) == (403, {"error": "insufficient_scope", "reason": "api-denied"})
    assert told.headers["www-authenticate"] == 'Bearer realm="acme", error="insufficient_scope"'
    assert told.headers["x-reconciler-reason"] == "api-denied"


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("/nowhere", "api-unknown"),
        ("", "api-unknown"),
        ("/v1/projects/plant-a%2Fx/devices/d1", "path-ambiguous"),
        ("/v1/projects/../projects/plant-a/devices/d1", "path-ambiguous"),
        ("//v1/projects/plant-a/devices/d1", "path-ambiguous"),
    ],
)
def test_a_path_that_is_no_api_is_403_for_a_good_token_and_401_for_any_other(
    asked: Site, uri: str, reason: str
) -> None:
    """Nobody learns the routes without a token."""
    told = asked.verify(asked.jwt("bridge"), uri=uri)
    assert told.status == 403
    assert told.json["reason"] == reason
    assert asked.verify("x.y.z", uri=uri).json == {"error": "invalid_token"}


def test_only_a_gateway_that_is_trusted_may_ask(asked: Site) -> None:
    told = asked.verify(asked.signed("historian"), peer="192.0.2.7")
    assert (told.status, told.json) == (403, {"error": "access_denied", "reason": "gateway-unknown"})
    for peer in ("127.9.9.9", "::1", "::ffff:127.0.0.1"):
        assert asked.verify(asked.signed("historian"), peer=peer).status == 200


@pytest.mark.parametrize("name", ["X-Forwarded-Uri", "X-Forwarded-Method"])
def test_a_header_that_the_gateway_sets_and_the_client_too_is_refused(asked: Site, name: str) -> None:
    """A gateway that adds instead of overwriting lets the client choose."""
    told = asked.verify(asked.signed("historian"), (name, "/v1/projects/plant-a/devices"))
    assert told.status == 400


def login(site: Site, *headers: tuple[str, str]) -> str:
    """The reason for a login token, which is limited to addresses and devices."""
    told = site.verify(
        site.jwt("console"), *headers, target="/verify?api=shop.read&app=SvKerneL&device=scanner-1"
    )
    return "accepted" if told.status == 200 else str(told.json["reason"])


@pytest.mark.parametrize(
    ("forwarded", "reason"),
    [
        (["10.1.2.3"], "accepted"),
        (["2001:db8::7"], "accepted"),
        (["::ffff:10.1.2.3"], "accepted"),
        (["10.2.2.3"], "address-denied"),
        # The client wrote the first one itself; the gateway added where it saw it come from.
        (["10.1.2.3, 192.0.2.9"], "address-denied"),
        (["10.1.2.3", "192.0.2.9"], "address-denied"),
        (["192.0.2.9, 10.1.2.3"], "accepted"),
        # Behind two gateways, of which the inner is trusted.
        (["10.1.2.3, 127.0.0.2"], "accepted"),
        (["10.1.2.3, 192.0.2.9, 127.0.0.2"], "address-denied"),
        (["10.1.2.3, unknown"], "address-denied"),
        (["10.1.2.3:443"], "address-denied"),
        (["10.1.2.3,"], "address-denied"),
        (["fe80::1%eth0"], "address-denied"),
        ([""], "address-denied"),
        ([], "address-denied"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_gateway(
    asked: Site, forwarded: list[str], reason: str
) -> None:
    assert login(asked, *(("X-Forwarded-For", value) for value in forwarded)) == reason


def test_headers_for_device_and_user_are_believed_only_where_they_are_named(asked: Site) -> None:
    said = [("X-Device", "scanner-2"), ("X-User", "somebody")]
    assert login(asked, ("X-Forwarded-For", "10.1.2.3"), *said) == "accepted"
    named = {"device_header": b"x-device", "user_header": b"x-user"}
    with serving(asked.house, **named) as site:
        assert login(site, ("X-Forwarded-For", "10.1.2.3"), *said) == "device-denied"
        told = site.verify(site.jwt("bridge"), ("X-User", "li.wei"))
        assert told.headers["x-reconciler-user"] == "li.wei"
        assert site.verify(site.jwt("bridge"), ("X-User", "a"), ("X-User", "b")).status == 400


def test_trust_and_app_are_as_the_flags_say(asked: Site) -> None:
    with serving(asked.house, trust=(network("192.0.2.0/24"),), app="Other") as site:
        assert site.verify(site.signed("historian"), peer="127.0.0.1").status == 403
        assert site.verify(site.signed("historian"), peer="192.0.2.1").status == 200
        told = site.verify(site.jwt("console"), target="/verify?api=shop.read", peer="192.0.2.1")
        assert told.json["reason"] == "app-denied"


def test_what_a_client_puts_into_a_path_comes_out_on_one_line(asked: Site) -> None:
    """A header that is split in two would be an identity of the client's own making."""
    with serving(asked.house) as site:
        told = site.ask(
            "GET",
            "/verify?api=device.read&user=a%0d%0aX-Reconciler-Name:%20root%2541",
            ("Authorization", f"Bearer {site.jwt('bridge')}"),
        )
    assert told.headers["x-reconciler-user"] == "a%0D%0AX-Reconciler-Name: root%2541"
    assert told.headers["x-reconciler-name"] == "bridge"


def test_a_deleted_token_is_refused_once_apply_has_committed(own: Site) -> None:
    token = own.signed("historian")
    assert own.verify(token).status == 200
    own.apply(*(one for one in documents() if one["metadata"] != {"name": "historian"}))
    told = own.verify(token)
    assert (told.status, told.json) == (401, {"error": "invalid_token"})
    assert own.log()[-1]["reason"] == "token-deleted"


def test_a_verifier_without_its_store_says_503_and_no(tmp_path: Path, asked: Site) -> None:
    with serving(asked.house, max_stale=0) as site:
        told = site.verify(asked.signed("historian"))
    assert (told.status, told.json) == (503, {"error": "temporarily_unavailable", "reason": "store-lost"})
    assert "www-authenticate" not in told.headers


def test_the_answer_is_a_pure_function_of_request_settings_and_verdict() -> None:
    """No server, no store: values in, values out, and the same twice."""
    identity = Identity("id", "n", "K", None, 3, {})
    seen: list[tuple[str | Secret, Call | None]] = []

    def check(token: str | Secret, call: Call | None = None, **_: object) -> Verdict:
        seen.append((token, call))
        return Verdict(Reason.ACCEPTED, call or Call(), identity)

    headers = ((b"authorization", b"Bearer t"), (b"x-forwarded-uri", b"/a"))
    request = Request("GET", "/verify", "", headers, "10.0.0.1")
    gateways = Gateways(trusted(("10.0.0.0/8",)), "acme")
    told = [answer(request, gateways, lambda *_: Call(api="a"), check) for _ in range(2)]
    assert told[0] == told[1]
    assert told[0].status == 200
    assert seen == [(Secret("t"), Call(api="a"))] * 2
    assert "Bearer t" not in repr(seen)


def test_a_fault_of_ours_refuses_and_tells_nobody_what_it_had_in_hand(
    asked: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = asked.signed("historian")

    def broken(*_: object, **__: object) -> Verdict:
        raise RuntimeError(token)

    monkeypatch.setattr(type(asked.serving.verifier), "check", broken)
    told = asked.verify(token, uri=f"{PLANT}?asked=by-nobody-before")
    assert (told.status, told.json) == (500, {"error": "server_error"})
    text = asked.lines.getvalue()
    assert "RuntimeError" in text
    assert token not in text
