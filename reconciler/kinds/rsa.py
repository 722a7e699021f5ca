"""RSAToken: the owner signs short-lived JWTs with an RSA key of its own."""

from __future__ import annotations

from typing import Literal

from pydantic import ValidationInfo, field_validator

from reconciler.kinds import checking, keys, ownkeys
from reconciler.kinds.bearing import Bearing, Client, Fields, Order, Signing, Unsigned
from reconciler.kinds.checking import OWNER_SIGNED_SECONDS, Accepted, Call, Proof, Reason
from reconciler.kinds.fields import Model, Names
from reconciler.kinds.interface import Draft, Grants, Kind, Minted
from reconciler.secret import Secret

USUAL_SECONDS = 300
"""How long a JWT that the owner signs lasts, where nobody says."""


class RSASpec(Model):
    """What an RSA open token may call, and the key it is checked with."""

    apis: Names
    """APIs it may call, or `["*"]`."""
    projects: Names
    """Platform projects it may reach, or `["*"]`."""
    algorithm: Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] = "RS256"
    """JOSE algorithm of the JWTs that the owner signs."""
    keySize: Literal[2048, 3072, 4096] = 3072
    """Bits of the RSA modulus; of one in `publicKey`, the least."""
    publicKey: ownkeys.PublicKey | None = None
    """The owner's own public key (PEM): its owner keeps the private half, and there is no artifact."""

    @field_validator("publicKey")
    @classmethod
    def _fits(cls, key: str | None, info: ValidationInfo) -> str | None:
        return ownkeys.fitting(cls, key, info.data)


def grants(spec: RSASpec) -> Grants:
    """The APIs and projects that the verifier lets it use."""
    return {"apis": spec.apis, "projects": spec.projects}


def mint(spec: RSASpec, draft: Draft) -> Minted:
    """A new key pair, or the owner's own key. Its owner keeps the private half; `kid` is the token id."""
    if spec.publicKey is not None:
        return Minted(secret={}, algorithm=spec.algorithm, public_key=spec.publicKey)
    key = keys.generate(spec.algorithm, spec.keySize)
    public = keys.public_pem(key)
    return Minted(
        secret={
            "token_id": draft.token_id,
            "algorithm": spec.algorithm,
            "private_key": keys.private_pem(key),
            "public_key": public,
        },
        algorithm=spec.algorithm,
        public_key=public,
    )


def claims(proof: Proof) -> Accepted | Reason:
    """The owner signed it a short while ago, for this verifier (RFC 7519, RFC 8725 §3.8 and §3.9)."""
    signed = proof.claims or {}
    return (
        checking.end(signed, OWNER_SIGNED_SECONDS)
        or checking.audience(signed, proof.audience)
        or checking.about(signed, proof.token_id)
        or Accepted()
    )


def allows(held: Grants, call: Call) -> Reason | None:
    """By API and project."""
    if not checking.grants(held.get("apis", ()), call.api):
        return Reason.API
    return None if checking.grants(held.get("projects", ()), call.project) else Reason.PROJECT


def unsigned(token_id: str, algorithm: str, asked: Order) -> Unsigned:
    """The JWT that the owner signs: short, for one audience, and never the same twice."""
    claims = {
        "iss": token_id,
        "sub": token_id,
        "aud": asked.audience,
        "iat": asked.now,
        "nbf": asked.now,
        "exp": asked.now + asked.ttl,
        "jti": keys.single_use(asked.entropy),
    }
    return Unsigned({"alg": algorithm, "kid": token_id, "typ": "JWT"}, claims)


def signed(fields: Fields, asked: Order) -> Secret:
    """The same, signed with the key of an artifact. Raises CannotOpen."""
    token_id, algorithm = fields["token_id"].open(), fields["algorithm"].open()
    key = keys.private_key(fields["private_key"])
    return keys.sign(unsigned(token_id, algorithm, asked).claims, key, algorithm, token_id)


KIND = Kind(
    name="RSAToken",
    summary="an RSA key with which the owner signs short-lived JWTs",
    spec=RSASpec,
    reissued_by=frozenset({"algorithm", "keySize", "publicKey"}),
    grants=grants,
    new_id=keys.token_id,
    mint=mint,
    claims=claims,
    allows=allows,
    copied=("private_key",),
    bearer=Bearing(
        signing=Signing(longest=OWNER_SIGNED_SECONDS, usual=USUAL_SECONDS, unsigned=unsigned, sign=signed),
        client=lambda fields, asked: Client(assertion=signed(fields, asked)),
    ),
    pem=lambda _: True,
    own_key=lambda spec: spec.publicKey,
    catalog={"apis": "apis", "projects": "projects"},
    example={"apis": ["device.read", "device.list"], "projects": ["plant-a"]},
)
