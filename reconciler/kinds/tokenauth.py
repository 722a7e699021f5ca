"""TokenAuth: sign-in to a server by a JWT that a trusted application signs."""

from __future__ import annotations

import base64
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from reconciler.kinds import keys, ownkeys
from reconciler.kinds.fields import APP_NAME, EntryName, Model, OneOrManyNames, Reference, Switch
from reconciler.kinds.interface import Draft, Grants, Kind, Minted
from reconciler.secret import Secret

HASH_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}

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
    if spec.algorithm in HASH_BYTES:
        raw = draft.entropy(HASH_BYTES[spec.algorithm])
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


KIND = Kind(
    name="TokenAuth",
    summary="a key with which an application signs its users in",
    spec=TokenAuthSpec,
    reissued_by=frozenset({"algorithm", "name", "token_name", "publicKey"}),
    grants=grants,
    new_id=keys.token_id,
    mint=mint,
    enabled=lambda spec: spec.enable,
    copied=("secret", "private_key"),
    pem=lambda spec: spec.algorithm not in HASH_BYTES,
    own_key=lambda spec: spec.publicKey,
    catalog={"initroles": "roles"},
    example={"name": "ERP", "fieldmap": {"username": "loginname"}, "initroles": ["SYS_Reader"]},
)
