"""RSAToken: the owner signs short-lived JWTs with an RSA key of its own."""

from __future__ import annotations

from typing import Literal

from pydantic import ValidationInfo, field_validator

from reconciler.kinds import checking, keys, ownkeys
from reconciler.kinds.checking import OWNER_SIGNED_SECONDS, Accepted, Call, Proof, Reason
from reconciler.kinds.fields import Model, Names
from reconciler.kinds.interface import Draft, Grants, Kind, Minted


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
    if not checking.grants(held["apis"], call.api):
        return Reason.API
    return None if checking.grants(held["projects"], call.project) else Reason.PROJECT


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
    pem=lambda _: True,
    own_key=lambda spec: spec.publicKey,
    catalog={"apis": "apis", "projects": "projects"},
    example={"apis": ["device.read", "device.list"], "projects": ["plant-a"]},
)
