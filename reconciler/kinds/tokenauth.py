"""TokenAuth: sign-in to a server by a JWT that a trusted application signs."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from reconciler.kinds import checking, keys, ownkeys
from reconciler.kinds.checking import Accepted, Call, Proof, Reason, SignIn
from reconciler.kinds.fields import APP_NAME, LINE, EntryName, Model, OneOrManyNames, Reference, Switch
from reconciler.kinds.interface import Draft, Grants, Kind, Minted
from reconciler.secret import Secret

NAMED = re.compile(LINE)
"""A name or an address as claims may give it: one line, with nothing in it that is not seen."""

AppName: TypeAlias = Annotated[str, StringConstraints(pattern=APP_NAME)]


class FieldMap(Model):
    """Which claims of the sign-in JWT hold the user."""

    username: EntryName = "username"
    """Claim that holds the login name."""
    name: EntryName = "name"
    """Claim that holds the display name."""
    email: EntryName = "email"
    """Claim that holds the e-mail address."""


class TokenAuthSpec(Model):
    """An application whose signed JWTs sign users in."""

    name: AppName
    """Application name, as the server knows it."""
    token_name: AppName = "token"
    """URL parameter that carries the JWT."""
    expire: Annotated[int, Field(ge=1, le=31_536_000)] = 86_400
    """Seconds that a sign-in JWT may last."""
    fieldmap: FieldMap = FieldMap()
    """Which claims hold the user."""
    algorithm: Literal["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "PS256"] = (
        "HS256"
    )
    """JOSE algorithm of the sign-in JWT."""
    publicKey: ownkeys.PublicKey | None = None
    """The application's own public key (PEM), for RS, PS and ES algorithms: it keeps the private half, and
    there is no artifact."""
    enable: Switch = True
    """Whether the server takes sign-ins of this application."""
    inituser: Switch = False
    """Whether a user who signs in for the first time is created."""
    initroles: OneOrManyNames | None = None
    """Roles that a created user gets."""
    initpwd: Reference | None = None
    """Where the first password of a created user is kept: a reference, never the password."""

    @field_validator("publicKey")
    @classmethod
    def _fits(cls, key: str | None, info: ValidationInfo) -> str | None:
        return ownkeys.fitting(cls, key, info.data)


def grants(spec: TokenAuthSpec) -> Grants:
    """The roles that a created user gets: the only thing a sign-in application hands out."""
    return {"initroles": spec.initroles or ()}


def mint(spec: TokenAuthSpec, draft: Draft) -> Minted:
    """A shared secret (HS) or a key pair, and how to build the sign-in URL; or the owner's own key."""
    if spec.publicKey is not None:
        return Minted(secret={}, algorithm=spec.algorithm, public_key=spec.publicKey)
    about = {"token_id": draft.token_id, "application": spec.name, "algorithm": spec.algorithm}
    how = f"add ?{spec.token_name}=<JWT signed with this key, {spec.algorithm}> to the page's address"
    if spec.algorithm in keys.HASH_BYTES:
        raw = draft.entropy(keys.HASH_BYTES[spec.algorithm])
        shared = Secret(base64.urlsafe_b64encode(raw).rstrip(b"=").decode())
        return Minted(
            secret={**about, "secret": shared, "sign_in": how},
            algorithm=spec.algorithm,
            shared=shared,
        )
    key = keys.generate(spec.algorithm)
    public = keys.public_pem(key)
    return Minted(
        secret={
            **about,
            "private_key": keys.private_pem(key),
            "public_key": public,
            "sign_in": how,
        },
        algorithm=spec.algorithm,
        public_key=public,
    )


def claims(proof: Proof) -> Accepted | Reason:
    """The application signed it, a short while ago; and whom it signs in, by the spec's `fieldmap`."""
    spec, signed = proof.spec, proof.claims or {}
    if not isinstance(spec, TokenAuthSpec):
        return Reason.FAULT
    against = (
        _end(signed, spec.expire, proof.now)
        or (checking.audience(signed, proof.audience) if "aud" in signed else None)
        or (Reason.ISS if signed.get("iss", spec.name) != spec.name else None)
    )
    return against or _sign_in(spec, signed)


def _end(signed: Mapping[str, object], expire: int, now: int) -> Reason | None:
    """From when it was made if it says so, else from now on, it may last as long as the spec says."""
    made = signed.get("iat", now)
    return checking.end({**signed, "iat": made}, expire)


def _sign_in(spec: TokenAuthSpec, signed: Mapping[str, object]) -> Accepted | Reason:
    fields = spec.fieldmap
    username, name, email = (signed.get(claim) for claim in (fields.username, fields.name, fields.email))
    if username is None or username == "":
        return Reason.USER
    if not _is_line(username) or not all(found is None or _is_line(found) for found in (name, email)):
        return Reason.CLAIM
    return Accepted(
        SignIn(
            username=str(username),
            name=None if name is None else str(name),
            email=None if email is None else str(email),
            roles=spec.initroles or (),
            create=spec.inituser,
        )
    )


def _is_line(value: object) -> bool:
    return isinstance(value, str) and NAMED.fullmatch(value) is not None


def allows(_: Grants, __: Call) -> Reason | None:
    """It calls no API: whom it signs in may do what the server lets that user do."""
    return None


KIND = Kind(
    name="TokenAuth",
    summary="a key with which an application signs its users in",
    spec=TokenAuthSpec,
    reissued_by=frozenset({"algorithm", "name", "token_name", "publicKey"}),
    grants=grants,
    new_id=keys.token_id,
    mint=mint,
    claims=claims,
    allows=allows,
    signs_in=True,
    parameter=lambda spec: spec.token_name,
    enabled=lambda spec: spec.enable,
    copied=("secret", "private_key"),
    pem=lambda spec: spec.algorithm not in keys.HASH_BYTES,
    own_key=lambda spec: spec.publicKey,
    catalog={"initroles": "roles"},
    example={"name": "ERP", "fieldmap": {"username": "loginname"}, "initroles": ["SYS_Reader"]},
)
