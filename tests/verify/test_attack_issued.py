"""An access token that the verifier issued (RFC 9068), presented where or when it must not be."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from reconciler.kinds import keys
from reconciler.kinds.checking import Reason
from reconciler.live.interface import CredentialState, TokenState
from reconciler.verify.check import Rules
from reconciler.verify.interface import IssuerKey, Verdict
from tests.kinds.odd_keys import pem_of, rsa_private
from tests.verify.attacks import hmac_signed, refused, rotated, token, with_signature, written
from tests.verify.kit import AUDIENCE, NOW, Desk, Owned, opens, rsa_key, signed, without_none

ISSUER = "https://verifier.acme.example"


@cache
def issuer_key(number: int = 0) -> ec.EllipticCurvePrivateKey:
    """The n-th key that a verifier signs with."""
    assert number >= 0
    return ec.generate_private_key(ec.SECP256R1())


RULES = Rules(
    AUDIENCE,
    issuer=ISSUER,
    issuer_keys={"issuer-1": IssuerKey("issuer-1", "ES256", keys.public_pem(issuer_key()))},
    unseal=opens(),
)


def issued(
    of: Owned,
    changes: dict[str, Any] | None = None,
    header: dict[str, Any] | None = None,
    key: Any = None,
    algorithm: str = "ES256",
) -> str:
    """As the verifier issues it, but for what a test changes; a member of None is left out."""
    claims = {
        "iss": ISSUER,
        "sub": of.id,
        "aud": AUDIENCE,
        "gen": 1,
        "scope": "*",
        "jti": "j1",
        "client_id": of.id,
    }
    whole = without_none({**claims, "iat": NOW, "exp": NOW + 300, **(changes or {})})
    members = without_none({"typ": "at+jwt", "kid": "issuer-1", **(header or {})})
    return signed(whole, key or issuer_key(), algorithm, members)


def checked(of: Owned, text: str, rules: Rules = RULES, **call: str) -> Verdict:
    return Desk([of], rules=rules).check(text, **call)


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt"])
@pytest.mark.parametrize("kind", ["RSAToken", "JWTToken"])
def test_what_the_tests_spoil_is_accepted(kind: str, typ: str) -> None:
    of = token(kind)
    verdict = checked(of, issued(of, header={"typ": typ}))
    assert verdict.reason is Reason.ACCEPTED
    assert verdict.token is not None
    assert (verdict.token.id, verdict.token.generation) == (of.id, 1)


@pytest.mark.parametrize("kid", ["issuer-2", "ISSUER-1", None])
def test_under_a_kid_that_is_no_key_of_this_verifier_it_is_refused(kid: str | None) -> None:
    of = token("RSAToken")
    refused(checked(of, issued(of, header={"kid": kid})), Reason.UNKNOWN)
    refused(checked(of, issued(of), Rules(AUDIENCE)), Reason.UNKNOWN)


def test_the_id_of_a_token_is_no_key_of_the_verifier() -> None:
    """Else whoever holds a token could issue itself any other one."""
    of = token("RSAToken")
    refused(checked(of, of.signed({"scope": "*"}, {"typ": "at+jwt"})), Reason.UNKNOWN)


def test_another_key_or_algorithm_than_the_issuers_is_refused() -> None:
    of = token("RSAToken")
    refused(checked(of, issued(of, key=issuer_key(1))), Reason.SIGNATURE)
    refused(checked(of, issued(of, key=rsa_key(), algorithm="RS256")), Reason.ALG)
    refused(checked(of, with_signature(issued(of), bytes(64))), Reason.SIGNATURE_RANGE)
    refused(checked(of, with_signature(issued(of), b"\1")), Reason.SIGNATURE_LENGTH)


@pytest.mark.parametrize("form", ["pem", "der", "jwk", "ssh"])
def test_the_issuers_public_key_is_no_shared_secret(form: str) -> None:
    of = token("RSAToken")
    secret = written(RULES.issuer_keys["issuer-1"].public_key, form)
    claims = {
        "iss": ISSUER,
        "sub": of.id,
        "aud": AUDIENCE,
        "gen": 1,
        "scope": "*",
        "iat": NOW,
        "exp": NOW + 300,
    }
    text = hmac_signed({"alg": "HS256", "typ": "at+jwt", "kid": "issuer-1"}, claims, secret)
    refused(checked(of, text), Reason.ALG_CONFUSED)


def test_a_weak_key_of_the_issuer_is_not_used() -> None:
    of, weak = token("RSAToken"), rsa_private(0, 1024)
    for pem, reason in ((pem_of(weak.public_key()), Reason.KEY_WEAK), ("", Reason.KEY_UNFIT)):
        rules = Rules(AUDIENCE, issuer=ISSUER, issuer_keys={"issuer-1": IssuerKey("issuer-1", "RS256", pem)})
        refused(checked(of, issued(of, key=rsa_key(), algorithm="RS256"), rules), reason)


@pytest.mark.parametrize("sub", [None, "somebody", "", 1, ["x"], True])
def test_for_a_sub_that_is_no_token_it_is_refused(sub: object) -> None:
    of = token("RSAToken")
    refused(checked(of, issued(of, {"sub": sub})), Reason.SUB)


@pytest.mark.parametrize("generation", [None, 0, 2, "1", True, 1.0])
def test_for_a_generation_that_is_not_live_it_is_refused(generation: object) -> None:
    of = token("RSAToken")
    refused(checked(of, issued(of, {"gen": generation})), Reason.RETIRED)


def test_after_a_rotation_it_lives_as_long_as_the_credential_that_it_was_given_for() -> None:
    of = token("RSAToken")
    assert checked(rotated(of), issued(of)).active
    refused(checked(rotated(of, not_after=NOW), issued(of)), Reason.ENDED, proven=True)
    refused(checked(rotated(of, CredentialState.RETIRED), issued(of)), Reason.RETIRED)


def test_it_ends_with_its_token() -> None:
    of = token("RSAToken")
    refused(checked(of.with_(state=TokenState.DELETED), issued(of)), Reason.DELETED)
    refused(checked(of.with_(state=TokenState.DISABLED), issued(of)), Reason.DISABLED, proven=True)
    refused(checked(of.with_(expires_at=NOW), issued(of)), Reason.EXPIRED, proven=True)


def test_for_a_token_that_signs_users_in_it_is_refused() -> None:
    """It has no grants of APIs that could limit it."""
    of = token("TokenAuth")
    refused(checked(of, issued(of), api="device.read"), Reason.PURPOSE)


CLAIMS: dict[str, tuple[dict[str, Any], Reason]] = {
    "iss of another": ({"iss": "https://other.example"}, Reason.ISS),
    "iss with a slash": ({"iss": ISSUER + "/"}, Reason.ISS),
    "iss a prefix": ({"iss": ISSUER[:-1]}, Reason.ISS),
    "no iss": ({"iss": None}, Reason.ISS),
    "aud of another": ({"aud": "other"}, Reason.AUD),
    "aud of two": ({"aud": [AUDIENCE, "other"]}, Reason.AUD),
    "no aud": ({"aud": None}, Reason.AUD_MISSING),
    "exp past": ({"exp": NOW}, Reason.EXP),
    "no exp": ({"exp": None}, Reason.EXP_MISSING),
    "too long": ({"exp": NOW + 601}, Reason.EXP_FAR),
    "no iat": ({"iat": None}, Reason.IAT_MISSING),
    "iat ahead": ({"iat": NOW + 31}, Reason.IAT),
    "no scope": ({"scope": None}, Reason.CLAIM),
    "scope a list": ({"scope": ["*"]}, Reason.CLAIM),
    "scope of another API": ({"scope": "device.list telemetry.read"}, Reason.API),
    "scope empty": ({"scope": ""}, Reason.API),
    "scope a prefix": ({"scope": "device"}, Reason.API),
    "* within a scope": ({"scope": "device.*"}, Reason.API),
    "* beside a name": ({"scope": "* device.list"}, Reason.API),
    "scope parted by a tab": ({"scope": "device.list\tdevice.read"}, Reason.API),
}


@pytest.mark.parametrize("case", CLAIMS)
def test_with_wrong_claims_it_is_refused(case: str) -> None:
    changes, reason = CLAIMS[case]
    of = token("RSAToken")
    refused(checked(of, issued(of, changes), api="device.read"), reason, proven=True)


def test_its_scope_limits_and_never_widens_the_grants() -> None:
    of = token("RSAToken")
    text = issued(of, {"scope": "device.read admin.all"})
    assert checked(of, text, api="device.read", project="plant-a").active
    refused(checked(of, text, api="device.list"), Reason.API, proven=True)
    refused(checked(of, text, api="admin.all"), Reason.API, proven=True)
    refused(checked(of, issued(of), api="admin.all"), Reason.API, proven=True)
    refused(checked(of, text, api="device.read", project="plant-b"), Reason.PROJECT, proven=True)
