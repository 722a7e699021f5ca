"""The verifier's own keys, and what it publishes of itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from reconciler.errors import SettingsError
from reconciler.kinds.keys import PrivateKey
from reconciler.verify.http import signing
from reconciler.verify.http.wellknown import metadata_path
from tests.verify.http.conftest import key_file
from tests.verify.http.kit import ISSUER, Site, flags, serving
from tests.verify.http.test_oauth import by_secret

MAKE: dict[str, Callable[[], PrivateKey]] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


@pytest.mark.parametrize("algorithm", MAKE)
def test_a_key_of_each_type_signs_what_verify_accepts_and_the_jwks_proves(
    asked: Site, tmp_path: Path, algorithm: str
) -> None:
    file = key_file(tmp_path, MAKE[algorithm]())
    with serving(asked.house, signing_keys=(file,)) as site:
        token = by_secret(site).json["access_token"]
        assert site.verify(token).status == 200
        (published,) = site.ask("GET", "/.well-known/jwks.json").json["keys"]
    assert (published["alg"], published["use"], published["key_ops"]) == (algorithm, "sig", ["verify"])
    assert "d" not in published
    assert jwt.get_unverified_header(token)["kid"] == published["kid"]
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    jwt.decode(token, jwt.PyJWK(published), audience=ISSUER, issuer=ISSUER, options=options)  # type: ignore[arg-type]


def test_the_kid_is_the_thumbprint_of_rfc_7638(tmp_path: Path) -> None:
    """The example of RFC 8037 §A.3."""
    private = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    file = key_file(tmp_path, ed25519.Ed25519PrivateKey.from_private_bytes(private))
    (found,) = signing.load([file])
    assert found.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_first_key_signs_and_all_are_published_and_accepted(asked: Site, tmp_path: Path) -> None:
    """So a key is rotated: the new one is published, then it signs, then the old one goes."""
    old, new = (key_file(tmp_path, MAKE["EdDSA"](), name) for name in ("old.pem", "new.pem"))
    with serving(asked.house, signing_keys=(old,)) as before:
        token = by_secret(before).json["access_token"]
    with serving(asked.house, signing_keys=(new, old)) as site:
        published = site.ask("GET", "/.well-known/jwks.json").json["keys"]
        assert site.verify(token).status == 200
        signed = by_secret(site).json["access_token"]
    assert [one["kid"] for one in published] == [one.kid for one in signing.load([new, old])]
    assert jwt.get_unverified_header(signed)["kid"] == published[0]["kid"]
    with serving(asked.house, signing_keys=(new,)) as site:
        assert site.verify(token).status == 401


def test_a_key_shows_itself_in_no_text(signing_key: Path) -> None:
    (found,) = signing.load([signing_key])
    secret = "".join(signing_key.read_text().splitlines()[1:-1])
    assert secret not in repr(found)
    assert "private" not in repr(found)
    assert secret not in json.dumps(found.jwk)


def pem(key: object, form: PrivateFormat = PrivateFormat.PKCS8, password: bytes | None = None) -> bytes:
    """A private key as text."""
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    assert isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, dsa.DSAPrivateKey))
    return key.private_bytes(Encoding.PEM, form, encryption)


def weak() -> bytes:
    """An RSA key of 1024 bits."""
    return pem(rsa.generate_private_key(public_exponent=65537, key_size=1024))  # noqa: S505 - that is the point


WRONG: dict[str, Callable[[], bytes]] = {
    "1024 bits": weak,
    "exponent 3": lambda: pem(rsa.generate_private_key(public_exponent=3, key_size=2048)),
    "of a type": lambda: pem(ec.generate_private_key(ec.SECP521R1())),
    "PKCS#8": lambda: pem(ec.generate_private_key(ec.SECP256R1()), PrivateFormat.TraditionalOpenSSL),
    "in PKCS#8 PEM": lambda: pem(ec.generate_private_key(ec.SECP256R1()), password=b"x"),
    "not a private key": lambda: (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    ),
    "cannot be read": lambda: b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
}


@pytest.mark.parametrize("says", WRONG)
def test_a_key_that_is_weak_or_none_is_refused_and_not_repeated(tmp_path: Path, says: str) -> None:
    file = tmp_path / "key.pem"
    file.touch(0o600)
    file.write_bytes(WRONG[says]())
    with pytest.raises(SettingsError) as raised:
        signing.load([file])
    assert says in str(raised.value)
    assert file.read_text().splitlines()[1] not in f"{raised.value} {raised.value.hint}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_can_read_is_refused(signing_key: Path, tmp_path: Path, mode: int) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(signing_key.read_bytes())
    file.chmod(mode)
    with pytest.raises(SettingsError, match="by others"):
        signing.load([file])


def test_a_key_that_is_not_there_or_named_twice_is_refused(signing_key: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        signing.load([tmp_path / "none.pem"])
    with pytest.raises(SettingsError, match="twice"):
        signing.load([signing_key, signing_key])


def test_the_metadata_says_what_there_is_and_nothing_else(asked: Site) -> None:
    found = asked.ask("GET", "/.well-known/oauth-authorization-server").json
    assert found["issuer"] == ISSUER
    assert found["grant_types_supported"] == ["client_credentials"]
    for endpoint in ("token_endpoint", "introspection_endpoint", "jwks_uri"):
        path = found[endpoint].removeprefix(ISSUER)
        method = "GET" if endpoint == "jwks_uri" else "POST"
        assert asked.ask(method, path).status not in (404, 405)
    methods = found["token_endpoint_auth_methods_supported"]
    assert methods == ["client_secret_basic", "client_secret_post", "private_key_jwt"]


def test_without_a_key_nothing_of_tokens_is_in_it(asked: Site) -> None:
    with serving(asked.house) as site:
        found = site.ask("GET", "/.well-known/oauth-authorization-server").json
        assert site.ask("GET", "/.well-known/jwks.json").json == {"keys": []}
    assert not {name for name in found if name.startswith("token_")}
    assert found["grant_types_supported"] == []


def test_an_issuer_with_a_path_has_its_metadata_where_rfc_8414_says(asked: Site) -> None:
    issuer = "https://example.com/auth/v1"
    assert metadata_path(issuer) == "/.well-known/oauth-authorization-server/auth/v1"
    with serving(asked.house, issuer=issuer) as site:
        assert site.ask("GET", metadata_path(issuer)).json["issuer"] == issuer


def test_keys_need_an_issuer(tmp_path: Path, signing_key: Path) -> None:
    from reconciler.readers.serving import setup
    from tests.apply.kit import House

    house = House(tmp_path / "bare", f"sqlite:///{tmp_path}/bare/live.db")
    house.declare()
    with pytest.raises(SettingsError, match="issuer"):
        setup(house.workspace(), flags(signing_keys=(signing_key,)), lambda: 0.0)
