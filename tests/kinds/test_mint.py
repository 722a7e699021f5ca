"""What is minted works: each secret with its public half, and nothing shows it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from reconciler.kinds import all_kinds, keys
from reconciler.kinds.interface import Draft, Minted
from reconciler.kinds.jwt import JWTSpec
from reconciler.kinds.login import LoginSpec
from reconciler.kinds.rsa import RSASpec
from reconciler.kinds.tokenauth import TokenAuthSpec
from reconciler.secret import Secret

NOW = 1_795_000_000
DAY = 86_400


def counting() -> Callable[[int], bytes]:
    """Entropy that a test can repeat, and that never gives the same twice."""
    calls = iter(range(1, 1000))
    return lambda size: (next(calls).to_bytes(2) * size)[:size]


def draft(**changes: Any) -> Draft:
    given = {"token_id": "tok1", "generation": 3, "now": NOW, "expires_at": None, "entropy": counting()}
    return Draft(**{**given, **changes})


def opened(minted: Minted, field: str) -> str:
    value = minted.secret[field]
    assert isinstance(value, Secret)
    return value.open()


def public(minted: Minted) -> Any:
    assert minted.public_key is not None
    return load_pem_public_key(minted.public_key.encode())


def checked(minted: Minted, token: str) -> dict[str, Any]:
    """The claims, as PyJWT reads them with the public half alone."""
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    claims: dict[str, Any] = jwt.decode(token, public(minted), [minted.algorithm], options=options)
    assert jwt.get_unverified_header(token) == {"alg": minted.algorithm, "kid": "tok1", "typ": "JWT"}
    return claims


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
def test_an_rsa_key_signs_what_its_public_half_verifies(algorithm: str) -> None:
    spec = RSASpec.model_validate({"apis": ["a"], "projects": ["p"], "algorithm": algorithm, "keySize": 2048})
    minted = all_kinds()["RSAToken"].mint(spec, draft())
    assert list(minted.secret) == ["token_id", "algorithm", "private_key", "public_key"]
    assert (minted.secret["token_id"], minted.secret["algorithm"]) == ("tok1", algorithm)
    assert minted.secret["public_key"] == minted.public_key
    pem = opened(minted, "private_key")
    assert pem.startswith("-----BEGIN PRIVATE KEY-----\n")
    token = jwt.encode({"sub": "x"}, pem, algorithm=algorithm, headers={"kid": "tok1"})
    assert checked(minted, token) == {"sub": "x"}
    assert (minted.secret_hash, minted.shared, minted.not_after) == (None, None, None)


@pytest.mark.parametrize("size", [2048, 3072, 4096])
def test_an_rsa_key_has_the_size_that_the_spec_asks_for(size: int) -> None:
    spec = RSASpec.model_validate({"apis": ["a"], "projects": ["p"], "keySize": size})
    minted = all_kinds()["RSAToken"].mint(spec, draft())
    key = load_pem_private_key(opened(minted, "private_key").encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert (key.key_size, key.public_key().public_numbers().e) == (size, 65537)
    assert key.public_key() == public(minted)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "ES384", "RS256", "PS256"])
def test_a_signed_jwt_verifies_with_the_public_half_and_carries_its_times(algorithm: str) -> None:
    spec = JWTSpec.model_validate({"apis": ["a"], "users": ["u"], "algorithm": algorithm, "lifetime": "30d"})
    minted = all_kinds()["JWTToken"].mint(spec, draft())
    assert list(minted.secret) == ["token_id", "secret_id", "jwt"]
    assert checked(minted, opened(minted, "jwt")) == {
        "sub": "tok1", "gen": 3, "iat": NOW, "nbf": NOW, "exp": NOW + 30 * DAY,
    }  # fmt: skip
    assert minted.not_after == NOW + 30 * DAY
    secret_id = opened(minted, "secret_id")
    assert keys.is_secret_id(secret_id)
    assert minted.secret_hash == keys.hash_of(Secret(secret_id))


def test_a_signed_jwt_ends_with_the_token_at_the_latest() -> None:
    spec = JWTSpec.model_validate({"apis": ["a"], "users": ["u"], "lifetime": "30d"})
    minted = all_kinds()["JWTToken"].mint(spec, draft(expires_at=NOW + DAY))
    assert minted.not_after == NOW + DAY
    assert checked(minted, opened(minted, "jwt"))["exp"] == NOW + DAY


LOGIN = {"aud": "A", "sap": "*", "jti": "1", "api": "*", "shop": "s", "role": ["r2", "r1"], "rule": "x"}


@pytest.mark.parametrize("end", [None, NOW + DAY])
def test_a_login_token_carries_its_claims_one_as_text_and_several_as_a_list(end: int | None) -> None:
    spec = LoginSpec.model_validate({**LOGIN, "ipm": "10.0.0.0/8"})
    minted = all_kinds()["LoginToken"].mint(spec, draft(expires_at=end))
    assert list(minted.secret) == ["token_id", "login_token"]
    options: Any = dict.fromkeys(
        ("verify_aud", "verify_exp", "verify_nbf", "verify_iat", "verify_jti"), False
    )
    claims = jwt.decode(opened(minted, "login_token"), public(minted), ["EdDSA"], options=options)
    assert claims == {
        "typ": "L", "aud": "A", "sap": "*", "jti": "1", "ipm": "10.0.0.0/8", "dvm": "*", "tag": "*",
        "api": "*", "bug": "*", "shop": "s", "role": ["r1", "r2"], "rule": "x",
        "gen": 3, "iat": NOW, "nbf": NOW,
        **({} if end is None else {"exp": end}),
    }  # fmt: skip
    assert (minted.algorithm, minted.not_after) == ("EdDSA", end)


@pytest.mark.parametrize(("algorithm", "size"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_shared_secret_has_as_many_random_bytes_as_its_hash(algorithm: str, size: int) -> None:
    spec = TokenAuthSpec.model_validate({"name": "ERP", "token_name": "jwt", "algorithm": algorithm})
    asked: list[int] = []

    def entropy(count: int) -> bytes:
        asked.append(count)
        return bytes(range(count))

    minted = all_kinds()["TokenAuth"].mint(spec, draft(entropy=entropy))
    shared = opened(minted, "secret")
    assert asked == [size]
    assert base64.urlsafe_b64decode(shared + "==") == bytes(range(size))
    assert minted.shared == Secret(shared)
    assert minted.public_key is None
    assert minted.secret["application"] == "ERP"
    assert minted.secret["sign_in"] == (
        f"add ?jwt=<JWT signed with this key, {algorithm}> to the page's address"
    )
    assert jwt.decode(jwt.encode({"a": 1}, shared, algorithm), shared, [algorithm]) == {"a": 1}


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "ES256", "ES384", "PS256"])
def test_a_sign_in_key_signs_what_its_public_half_verifies(algorithm: str) -> None:
    spec = TokenAuthSpec.model_validate({"name": "ERP", "algorithm": algorithm})
    minted = all_kinds()["TokenAuth"].mint(spec, draft())
    token = jwt.encode({"a": 1}, opened(minted, "private_key"), algorithm, headers={"kid": "tok1"})
    assert checked(minted, token) == {"a": 1}
    assert minted.shared is None
    assert minted.secret["public_key"] == minted.public_key


EXAMPLES = {name: kind.spec.model_validate(kind.example) for name, kind in all_kinds().items()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_was_minted_shows_no_secret(name: str) -> None:
    minted = all_kinds()[name].mint(EXAMPLES[name], draft())
    secrets = [value.open() for value in minted.secret.values() if isinstance(value, Secret)]
    assert secrets
    for shown in (repr(minted), str(minted), f"{minted}", repr(minted.secret), repr(vars_of(minted))):
        for secret in secrets:
            assert secret not in shown
            assert secret.splitlines()[len(secret.splitlines()) // 2] not in shown


def vars_of(minted: Minted) -> dict[str, object]:
    return {field: getattr(minted, field) for field in Minted.__slots__}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_kind_says_truly_what_it_gives_and_takes(name: str) -> None:
    kind, spec = all_kinds()[name], EXAMPLES[name]
    minted = kind.mint(spec, draft())
    assert any(field in minted.secret for field in kind.copied)
    assert kind.pem(spec) == ("private_key" in minted.secret)
    assert kind.reissued_by <= set(kind.spec.model_fields)
    assert set(kind.catalog) <= set(kind.spec.model_fields)
    assert (kind.renewal(spec) is not None) == (minted.not_after is not None)
    grants = kind.grants(spec)
    assert all(names == tuple(sorted(names)) for names in grants.values())
    assert kind.enabled(spec)
    pattern = r"[A-Za-z0-9]{8}" if name == "LoginToken" else r"[a-z2-7]{20}"
    assert re.fullmatch(pattern, kind.new_id(counting()))


def test_grants_are_what_the_verifier_enforces() -> None:
    assert all_kinds()["RSAToken"].grants(EXAMPLES["RSAToken"]) == {
        "apis": ("device.list", "device.read"), "projects": ("plant-a",),
    }  # fmt: skip
    assert all_kinds()["JWTToken"].grants(EXAMPLES["JWTToken"]) == {
        "apis": ("telemetry.write",), "users": ("svc-mes",),
    }  # fmt: skip
    assert all_kinds()["LoginToken"].grants(EXAMPLES["LoginToken"])["aud"] == ("AdmManHu",)
    assert all_kinds()["TokenAuth"].grants(EXAMPLES["TokenAuth"]) == {"initroles": ("SYS_Reader",)}
    off = TokenAuthSpec.model_validate({"name": "ERP", "enable": "0"})
    assert not all_kinds()["TokenAuth"].enabled(off)
    assert all_kinds()["TokenAuth"].grants(off) == {"initroles": ()}


MEET = [
    ("apis", ("*",), ("a",), ("a",)),
    ("apis", ("a", "b"), ("*",), ("a", "b")),
    ("apis", ("a", "b"), ("b", "c"), ("b",)),
    ("apis", ("a",), ("b",), ()),
    ("ipm", ("*",), ("10.0.0.0/8",), ("10.0.0.0/8",)),
    ("ipm", ("10.0.0.0/8",), ("*",), ("10.0.0.0/8",)),
    ("ipm", ("10.0.0.0/8",), ("10.1.0.0/16", "11.0.0.0/8"), ("10.1.0.0/16",)),
    ("ipm", ("10.1.2.3/32",), ("10.0.0.0/8", "::/0"), ("10.1.2.3/32",)),
    ("ipm", ("10.0.0.0/8",), ("::/0",), ()),
]


@pytest.mark.parametrize(("dimension", "held", "wanted", "left"), MEET)
def test_what_is_left_of_a_grant_at_once_is_what_was_held_and_is_wanted(
    dimension: str, held: tuple[str, ...], wanted: tuple[str, ...], left: tuple[str, ...]
) -> None:
    assert all_kinds()["LoginToken"].meet(dimension, held, wanted) == left
