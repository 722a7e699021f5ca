"""Keys come from the record and nowhere else, and a bad one on record is not used (RFC 8725 §3.5, §3.10)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import RSAAlgorithm

from reconciler.artifacts import age
from reconciler.kinds.checking import Reason
from reconciler.secret import Secret
from reconciler.verify.check import Rules
from reconciler.verify.signatures import ED25519_EIGHTH, ED25519_FIELD, public
from tests.kinds.odd_keys import ec_pem, ec_private, other_pem, pem, pem_of, rsa_private, spki
from tests.verify.attacks import claims_for, forged, hmac_signed, keyed, refused, token, with_signature
from tests.verify.kit import AUDIENCE, Desk, Owned, raw, rsa_key, signed, verifier_keys

ATTACKER = rsa_key(1)


def brought() -> dict[str, Any]:
    """A header member that brings or names the attacker's own key, for each that RFC 7515 §4.1 knows."""
    jwk = json.loads(RSAAlgorithm.to_jwk(ATTACKER.public_key()))
    return {
        "jwk": jwk,
        "jku": "https://attacker.example/jwks.json",
        "x5u": "https://attacker.example/chain.pem",
        "x5c": ["MIIB"],
        "x5t": "3q2-7w",
        "x5t#S256": "3q2-7w",
        "use": "enc",
        "key_ops": ["sign"],
    }


@pytest.mark.parametrize("member", brought())
@pytest.mark.parametrize("value", [True, None])
def test_a_header_that_brings_or_names_a_key_is_refused(member: str, value: object) -> None:
    """Even under the right key's signature, and even where the member means nothing."""
    of = token("RSAToken")
    header = {member: brought()[member] if value else None}
    refused(Desk([of]).check(of.signed(header=header)), Reason.KEY_INJECTED)
    of = token("TokenAuth")
    refused(Desk([of]).sign_in("tokenauth", of.sign_in(header=header)), Reason.KEY_INJECTED)


def test_the_attackers_key_in_the_header_does_not_make_his_signature_hold() -> None:
    of = token("RSAToken")
    for header in ({"jwk": brought()["jwk"]}, {}):
        text = forged(of, ATTACKER, header)
        refused(Desk([of]).check(text), Reason.KEY_INJECTED if header else Reason.SIGNATURE)


ODD_KIDS = [
    "../../../../dev/null",
    "/dev/null",
    "..\\..\\windows\\win.ini",
    "file:///dev/null",
    "https://attacker.example/key",
    "x' UNION SELECT 'key",
    "1; DROP TABLE token",
    "$(id)",
    "{{7*7}}",
    "a\0b",
    "\0",
    "",
    " ",
    "*",
    "a b",
    "a\n",
    "ｋid",
    "kıd",
    "a" * 65,
    5,
    True,
    None,
    ["a"],
    {"a": 1},
    1.5,
]


@pytest.mark.parametrize("kid", ODD_KIDS)
def test_a_kid_that_is_no_token_id_is_looked_up_nowhere(kid: object) -> None:
    """Path, SQL, NUL, device, template, look-alike: refused by its form, before anything is asked for it."""
    header = json.dumps({"alg": "RS256", "kid": kid}).encode()
    of, auth = token("RSAToken"), token("TokenAuth", "RS256")
    text = raw(header, json.dumps(claims_for(of)).encode())
    refused(Desk([of, auth]).check(text), Reason.KID)
    refused(Desk([of, auth]).sign_in("tokenauth", text), Reason.KID)


@pytest.mark.parametrize("spoil", [str.upper, lambda kid: kid[:-1], lambda kid: kid + "a", lambda _: "null"])
def test_an_unknown_kid_is_refused(spoil: Any) -> None:
    of = token("RSAToken")
    verdict = Desk([of]).check(of.signed(header={"kid": spoil(of.id)}))
    refused(verdict, Reason.UNKNOWN)
    assert verdict.claimed is None


def test_a_bearer_without_kid_is_refused() -> None:
    of = token("RSAToken")
    refused(Desk([of]).check(of.signed(header={"kid": ""})), Reason.KID)
    refused(Desk([of]).check(signed(claims_for(of), of.key, "RS256", {})), Reason.KID)


def test_the_kid_of_another_token_names_nobody() -> None:
    mine, other = token("RSAToken"), token("RSAToken", "RS384")
    verdict = Desk([mine, other]).check(forged(other, mine.key))
    refused(verdict, Reason.SIGNATURE)
    assert verdict.claimed == other.id


def test_the_kid_of_another_application_is_refused_at_the_sign_in() -> None:
    of = token("TokenAuth")
    refused(Desk([of]).sign_in("tokenauth", of.sign_in(header={"kid": "other"})), Reason.KID)


@pytest.mark.parametrize("second", ["kid", "\\u006bid"])
def test_a_kid_that_stands_twice_is_refused(second: str) -> None:
    of = token("RSAToken")
    header = f'{{"alg":"RS256","kid":"{of.id}","{second}":"{of.id}"}}'.encode()
    refused(Desk([of]).check(raw(header, b'{"exp":1}')), Reason.DUPLICATE)


def on_record(algorithm: str, pem_text: str) -> Desk:
    """A desk at which a key stands on record that should not."""
    return Desk([keyed("JWTToken").with_credential(algorithm=algorithm, public_key=pem_text)])


def by(algorithm: str, length: int) -> str:
    """What names the token of `on_record`, under any signature of a length."""
    of = keyed("JWTToken")
    header = json.dumps({"alg": algorithm, "kid": of.id}).encode()
    return raw(header, json.dumps(claims_for(of)).encode(), b"\1" * length)


N = rsa_private().public_key().public_numbers().n
WEAK = {
    "RSA of 1024 bits": ("RS256", pem_of(rsa_private(0, 1024).public_key()), Reason.KEY_WEAK),
    "RSA of 2047 bits": ("RS256", pem(spki((1 << 2046) + 1)), Reason.KEY_WEAK),
    "RSA of 8193 bits": ("RS256", pem(spki((1 << 8192) + 1)), Reason.KEY_WEAK),
    "e = 3": ("PS256", pem(spki(N, 3)), Reason.KEY_WEAK),
    "e = 1": ("RS256", pem(spki(N, 1)), Reason.KEY_UNFIT),
    "e = 2": ("RS256", pem(spki(N, 2)), Reason.KEY_UNFIT),
    "P-384 for ES256": ("ES256", ec_pem("secp384r1"), Reason.KEY_UNFIT),
    "P-256 for ES384": ("ES384", ec_pem("secp256r1"), Reason.KEY_UNFIT),
    "secp256k1 for ES256": ("ES256", ec_pem("secp256k1"), Reason.KEY_UNFIT),
    "RSA for ES256": ("ES256", pem_of(rsa_private().public_key()), Reason.KEY_UNFIT),
    "EC for RS256": ("RS256", ec_pem(), Reason.KEY_UNFIT),
    "EC for EdDSA": ("EdDSA", ec_pem(), Reason.KEY_UNFIT),
    "Ed448 for EdDSA": ("EdDSA", other_pem("Ed448"), Reason.KEY_UNFIT),
    "X25519 for EdDSA": ("EdDSA", other_pem("X25519"), Reason.KEY_UNFIT),
    "RSA for EdDSA": ("EdDSA", pem_of(rsa_private().public_key()), Reason.KEY_UNFIT),
    "Ed25519 for RS256": ("RS256", other_pem("Ed25519"), Reason.KEY_UNFIT),
    "nothing": ("EdDSA", "", Reason.KEY_UNFIT),
    "no PEM": ("EdDSA", "x", Reason.KEY_UNFIT),
    "no DER": ("EdDSA", pem(b"\x30\x03\x02\x01"), Reason.KEY_UNFIT),
    "half a character": ("EdDSA", "\ud800", Reason.KEY_UNFIT),
}


@pytest.mark.parametrize("case", WEAK)
def test_a_weak_or_unfit_key_on_record_is_not_used(case: str) -> None:
    algorithm, text, reason = WEAK[case]
    refused(on_record(algorithm, text).check(by(algorithm, 256)), reason)


def test_a_record_without_its_key_is_not_used() -> None:
    of = keyed("JWTToken").with_credential(public_key=None)
    refused(Desk([of]).check(by("EdDSA", 64)), Reason.KEY_UNFIT)


def test_the_keys_that_the_cases_spoil_are_used_where_they_fit() -> None:
    for algorithm, key in (("ES256", ec_private()), ("ES384", ec_private("secp384r1")), ("PS256", rsa_key())):
        of = keyed("JWTToken")
        desk = on_record(algorithm, pem_of(key.public_key()))
        assert desk.check(signed(claims_for(of), key, algorithm, {"kid": of.id})).active


HEIGHTS = [
    0,
    1,
    ED25519_FIELD - 1,
    ED25519_EIGHTH,
    ED25519_FIELD - ED25519_EIGHTH,
    ED25519_FIELD,
    ED25519_FIELD + 1,
]


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("height", HEIGHTS)
def test_a_point_of_small_order_on_record_is_not_used(height: int, sign: int) -> None:
    """Under such a key, signatures that need no private half hold: under 1, one holds for every text."""
    point = (height | sign << 255).to_bytes(32, "little")
    key = ed25519.Ed25519PublicKey.from_public_bytes(point)
    of, desk = keyed("JWTToken"), on_record("EdDSA", pem_of(key))
    text = with_signature(by("EdDSA", 64), (1).to_bytes(32, "little") + bytes(32))
    if point == (1).to_bytes(32, "little"):
        key.verify((1).to_bytes(32, "little") + bytes(32), b"whatever text, it does not raise")
    refused(desk.check(text), Reason.KEY_WEAK)
    assert Desk([of]).check(of.signed({"gen": 1})).active


def test_the_height_of_a_point_of_order_eight_is_one() -> None:
    """Doubling (RFC 8032 §5.1.4): the height of twice the point is 0, and then -1, and then 1."""
    p, d = ED25519_FIELD, -121665 * pow(121666, -1, ED25519_FIELD)
    y = ED25519_EIGHTH
    heights = []
    for _ in range(3):
        x2 = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
        y = (y * y + x2) * pow(1 - d * x2 * y * y, -1, p) % p
        heights.append(y)
    assert heights == [0, p - 1, 1]


@pytest.mark.parametrize(("algorithm", "length"), [("HS256", 31), ("HS384", 47), ("HS512", 63), ("HS256", 0)])
def test_a_shared_secret_that_is_shorter_than_the_hash_is_not_used(algorithm: str, length: int) -> None:
    """RFC 7518 §3.2; and one that is as long is."""
    of = token("TokenAuth", algorithm)
    for size, reason in ((length, Reason.KEY_WEAK), (int(algorithm[2:]) // 8, Reason.ACCEPTED)):
        secret = "s" * size
        sealed = age.seal_text([verifier_keys()[0]], Secret(secret))
        text = hmac_signed({"alg": algorithm}, claims_for(of), secret.encode())
        desk = Desk([of.with_credential(sealed_secret=sealed)])
        assert desk.sign_in("tokenauth", text).reason is reason


def closed(of: Owned, rules: Rules) -> None:
    refused(Desk([of], rules=rules).sign_in("tokenauth", token("TokenAuth").sign_in()), Reason.KEY_CLOSED)


def test_a_shared_secret_that_cannot_be_opened_proves_nothing() -> None:
    """503: it is the verifier that lacks something."""
    of = token("TokenAuth")
    closed(of, Rules(AUDIENCE))
    closed(of.with_credential(sealed_secret=None), Desk([of]).rules)
    closed(of.with_credential(sealed_secret="no age file"), Desk([of]).rules)
    assert Reason.KEY_CLOSED.status == 503


def test_one_bad_key_does_not_shut_out_a_good_one() -> None:
    """In an overlap, whichever of two credentials is bad, the other still holds."""
    of = token("RSAToken")
    good = of.live.credentials[0]
    weak = token("RSAToken").with_credential(public_key=pem_of(rsa_private(0, 1024).public_key()))
    bad = weak.with_credential(generation=2).live.credentials[0]
    assert Desk([of.with_(credentials=(bad, good), last_generation=2)]).check(of.signed()).active


def test_a_key_is_of_the_type_that_was_asked_for() -> None:
    """The types of `cryptography` are what the check tells keys apart by."""
    fit = {"RS256": rsa.RSAPublicKey, "ES256": ec.EllipticCurvePublicKey, "EdDSA": ed25519.Ed25519PublicKey}
    pems = {"RS256": pem_of(rsa_key().public_key()), "ES256": ec_pem(), "EdDSA": other_pem("Ed25519")}
    for algorithm, kind in fit.items():
        found = public(algorithm, pems[algorithm])
        assert not isinstance(found, Reason)
        assert isinstance(found.key, kind)
