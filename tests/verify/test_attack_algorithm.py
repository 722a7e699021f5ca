"""The header's `alg` decides nothing: the credential's algorithm does (RFC 8725 §3.1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.kinds.checking import Reason
from reconciler.verify.interface import Verdict
from tests.verify.attacks import FORMS, HMACS, b64, claims_for, hmac_signed, keyed, refused, token, written
from tests.verify.kit import NOW, Desk, Owned, raw, signed

ASYMMETRIC = [
    ("RSAToken", "RS256"),
    ("RSAToken", "PS256"),
    ("JWTToken", "ES256"),
    ("JWTToken", "ES384"),
    ("JWTToken", "EdDSA"),
    ("TokenAuth", "RS256"),
    ("TokenAuth", "PS256"),
    ("TokenAuth", "ES256"),
]


def presented(of: Owned, text: str) -> Verdict:
    """As a bearer, or at the sign-in, as is meant for its kind."""
    desk = Desk([of])
    return desk.sign_in(of.live.name, text) if of.live.kind == "TokenAuth" else desk.check(text)


def header_of(of: Owned, algorithm: Any) -> dict[str, Any]:
    return {"alg": algorithm, "kid": of.id}


@pytest.mark.parametrize("none", ["none", "None", "NONE", "nOnE"])
@pytest.mark.parametrize("signature", [b"", b"\1" * 64])
def test_a_token_that_is_not_signed_is_refused_however_none_is_written(none: str, signature: bytes) -> None:
    for of in (token("RSAToken"), token("TokenAuth")):
        header, claims = (json.dumps(part).encode() for part in (header_of(of, none), claims_for(of)))
        refused(presented(of, raw(header, claims, signature)), Reason.ALG_NONE)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("hashed", ["HS256", "HS512"])
@pytest.mark.parametrize(("kind", "algorithm"), ASYMMETRIC)
def test_a_public_key_is_no_shared_secret_in_whatever_form(
    kind: str, algorithm: str, hashed: str, form: str
) -> None:
    of = token(kind, algorithm)
    public = of.live.credentials[0].public_key
    assert public is not None
    forged = hmac_signed(header_of(of, hashed), claims_for(of), written(public, form))
    refused(presented(of, forged), Reason.ALG_CONFUSED)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_shared_secret_is_not_checked_as_a_public_key(algorithm: str) -> None:
    of, other = token("TokenAuth", "HS256"), token("TokenAuth", algorithm)
    refused(presented(of, signed(claims_for(of), other.key, algorithm, {"kid": of.id})), Reason.ALG_CONFUSED)


@pytest.mark.parametrize(
    ("kind", "own", "other"),
    [
        ("RSAToken", "RS256", "RS384"),
        ("RSAToken", "RS256", "PS256"),
        ("RSAToken", "PS512", "PS256"),
        ("TokenAuth", "RS512", "RS256"),
        ("TokenAuth", "PS256", "RS256"),
        ("TokenAuth", "HS256", "HS384"),
        ("TokenAuth", "HS512", "HS256"),
    ],
)
def test_the_right_key_with_another_algorithm_is_refused(kind: str, own: str, other: str) -> None:
    of = token(kind, own)
    if other in HMACS:
        text = hmac_signed(header_of(of, other), claims_for(of), of.key)
    else:
        text = signed(claims_for(of), of.key, other, {"kid": of.id})
    refused(presented(of, text), Reason.ALG)


@pytest.mark.parametrize(("own", "other"), [("EdDSA", "ES256"), ("ES256", "EdDSA"), ("ES256", "RS256")])
def test_another_key_with_its_own_algorithm_is_refused(own: str, other: str) -> None:
    of, stranger = keyed("JWTToken", own), keyed("JWTToken", other)
    text = signed(claims_for(of), stranger.key, other, {"kid": of.id})
    refused(presented(of, text), Reason.ALG)


@pytest.mark.parametrize(
    "algorithm",
    [
        "RS1",
        "ES512",
        "ES256K",
        "HS1",
        "Ed25519",
        "rs256",
        " RS256",
        "RS256\0",
        "",
        "*",
        "A128KW",
        256,
        None,
        ["RS256"],
    ],
)
def test_an_algorithm_that_is_not_used_here_is_refused(algorithm: Any) -> None:
    of = token("RSAToken")
    header = json.dumps(header_of(of, algorithm)).encode()
    refused(presented(of, raw(header, json.dumps(claims_for(of)).encode())), Reason.ALG_UNKNOWN)


def test_a_header_without_alg_is_refused() -> None:
    of = token("RSAToken")
    for header in ({"kid": of.id}, {}):
        text = raw(json.dumps(header).encode(), json.dumps(claims_for(of)).encode())
        refused(presented(of, text), Reason.ALG_UNKNOWN)


def test_in_an_overlap_each_key_holds_for_its_own_algorithm_only() -> None:
    """A rotation from a shared secret to a key pair leaves both live; the new key is no secret."""
    of, new = token("TokenAuth", "HS256"), token("TokenAuth", "RS256")
    both = of.with_(
        credentials=(new.with_credential(generation=2).live.credentials[0], of.live.credentials[0]),
        last_generation=2,
    )
    public = new.live.credentials[0].public_key
    assert public is not None
    forged = hmac_signed(header_of(of, "HS256"), claims_for(of), public.encode())
    refused(presented(both, forged), Reason.SIGNATURE)
    assert presented(both, of.sign_in()).active
    assert presented(both, new.sign_in()).active


def test_the_algorithm_is_read_from_the_header_that_was_signed() -> None:
    """Swapping the header under a good signature is a change of what was signed."""
    of = token("RSAToken")
    _, claims, signature = of.signed().split(".")
    header = json.dumps({"typ": "JWT", "alg": "RS256", "kid": of.id, "exp": NOW}).encode()
    refused(presented(of, f"{b64(header)}.{claims}.{signature}"), Reason.SIGNATURE)
