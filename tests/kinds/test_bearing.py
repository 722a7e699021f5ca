"""What the holder of each kind sends, out of the fields of its artifact."""

from __future__ import annotations

from typing import get_args

import jwt
import pytest

from reconciler.errors import CannotOpen
from reconciler.kinds import all_kinds, keys
from reconciler.kinds.bearing import Order, Signing
from reconciler.kinds.interface import Draft
from reconciler.kinds.rsa import KIND as RSA
from reconciler.kinds.rsa import RSASpec
from reconciler.secret import Secret
from tests.specs.samples import least

ALGORITHMS = get_args(RSASpec.model_fields["algorithm"].annotation)
KEY = keys.generate("RS256", 2048)
ASKED = Order("aud", 1_800_000_000, 60, lambda count: bytes(range(count)))


def signing() -> Signing:
    assert RSA.bearer is not None
    assert RSA.bearer.signing is not None
    return RSA.bearer.signing


def fields(algorithm: str, private_key: Secret | None = None) -> dict[str, Secret]:
    return {
        "token_id": Secret("id"),
        "algorithm": Secret(algorithm),
        "private_key": private_key or keys.private_pem(KEY),
    }


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_signs_what_an_owner_is_told_to_sign(algorithm: str) -> None:
    """PyJWT takes it by the public key, and header and claims are those of `unsigned`."""
    token = signing().sign(fields(algorithm), ASKED).open()
    told = signing().unsigned("id", algorithm, ASKED)
    assert jwt.get_unverified_header(token) == told.header
    found = jwt.decode(
        token,
        keys.public_pem(KEY),
        [algorithm],
        audience="aud",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert found == told.claims
    assert len(str(found["jti"])) == 22


@pytest.mark.parametrize(
    "pem", ["", "hunter2", "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n"]
)
def test_a_key_that_cannot_be_read_is_an_error_without_its_text(pem: str) -> None:
    with pytest.raises(CannotOpen, match="no private key that can be read") as caught:
        signing().sign(fields("RS256", Secret(pem)), ASKED)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("name", all_kinds())
def test_a_bearer_token_is_made_of_what_the_artifact_holds(name: str) -> None:
    """A field that is renamed in minting is renamed here too."""
    kind = all_kinds()[name]
    draft = Draft("abcdefgh", 1, ASKED.now, None, ASKED.entropy)
    spec = least(name)["spec"]
    minted = kind.mint(kind.spec.model_validate(spec), draft).secret
    held = {field: value if isinstance(value, Secret) else Secret(value) for field, value in minted.items()}
    bearer = kind.bearer
    assert (bearer is None) == (name == "TokenAuth")
    if bearer is None:
        return
    assert (bearer.delivered is None) == (bearer.signing is not None)
    token = held[bearer.delivered] if bearer.delivered else signing().sign(held, ASKED)
    assert jwt.get_unverified_header(token.open())["kid"] == "abcdefgh"
    if bearer.client is not None:
        client = bearer.client(held, ASKED)
        assert (client.basic is None) != (client.assertion is None)
        assert client.basic in (None, (held["token_id"], held.get("secret_id")))
