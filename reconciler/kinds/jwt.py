"""JWTToken: a secret id, and a JWT that is signed once and ready to use."""

from __future__ import annotations

from typing import Literal

from reconciler.kinds import checking, keys
from reconciler.kinds.bearing import Bearing, Client
from reconciler.kinds.checking import Accepted, Call, Proof, Reason
from reconciler.kinds.fields import Duration, Model, Names, parse_duration
from reconciler.kinds.interface import Draft, Grants, Kind, Minted


class JWTSpec(Model):
    """What a JWT token may call and for whom, and how long the signed JWT lasts."""

    apis: Names
    """APIs it may call, or `["*"]`."""
    users: Names
    """Users it may act for, or `["*"]`."""
    algorithm: Literal["EdDSA", "ES256", "ES384", "RS256", "PS256"] = "EdDSA"
    """JOSE algorithm of the signed JWT."""
    lifetime: Duration = "90d"
    """How long the signed JWT and the secret id last. The plan rotates them before."""


def grants(spec: JWTSpec) -> Grants:
    """The APIs and users that the verifier lets it use."""
    return {"apis": spec.apis, "users": spec.users}


def mint(spec: JWTSpec, draft: Draft) -> Minted:
    """A secret id and a signed JWT. The key pair is made for it alone; its private half is dropped."""
    key = keys.generate(spec.algorithm)
    secret_id = keys.secret_id(draft.entropy)
    ends = draft.now + parse_duration(spec.lifetime)
    if draft.expires_at is not None:
        ends = min(ends, draft.expires_at)
    claims = {
        "sub": draft.token_id,
        "gen": draft.generation,
        "iat": draft.now,
        "nbf": draft.now,
        "exp": ends,
    }
    return Minted(
        secret={
            "token_id": draft.token_id,
            "secret_id": secret_id,
            "jwt": keys.sign(claims, key, spec.algorithm, draft.token_id),
        },
        algorithm=spec.algorithm,
        public_key=keys.public_pem(key),
        secret_hash=keys.hash_of(secret_id),
        not_after=ends,
    )


def claims(proof: Proof) -> Accepted | Reason:
    """What `mint` signed: an end, and the token that it is. A secret id has no claims."""
    if proof.claims is None:
        return Accepted()
    if "sub" not in proof.claims:
        return Reason.SUB
    return checking.end(proof.claims) or checking.about(proof.claims, proof.token_id) or Accepted()


def allows(held: Grants, call: Call) -> Reason | None:
    """By API and user."""
    if not checking.grants(held.get("apis", ()), call.api):
        return Reason.API
    return None if checking.grants(held.get("users", ()), call.user) else Reason.USER_DENIED


KIND = Kind(
    name="JWTToken",
    summary="a secret id and a ready-to-use JWT",
    spec=JWTSpec,
    reissued_by=frozenset({"algorithm", "lifetime"}),
    grants=grants,
    new_id=keys.token_id,
    mint=mint,
    claims=claims,
    allows=allows,
    signed_once=True,
    copied=("secret_id",),
    bearer=Bearing(
        delivered="jwt",
        client=lambda fields, _: Client(basic=(fields["token_id"], fields["secret_id"])),
    ),
    renewal=lambda spec: parse_duration(spec.lifetime),
    catalog={"apis": "apis", "users": "users"},
    example={"apis": ["telemetry.write"], "users": ["svc-mes"]},
)
