"""What the live store holds of a token, as one digest: so a record vouches for it, and an edit behind the
back of apply is found. Pure."""

from __future__ import annotations

from dataclasses import fields

from pydantic_core import from_json, to_json

from reconciler.canonical import canonical, digest
from reconciler.live.interface import Credential, CredentialState, LiveToken, TokenState

OF_TOKEN = tuple(
    field.name
    for field in fields(LiveToken)
    if field.name not in ("revision", "last_generation", "credentials")
)
OF_CREDENTIAL = tuple(field.name for field in fields(Credential))


def live_digest(token: LiveToken) -> str:
    """Over all that is stored of a token: its row, and its credentials that are not retired.

    The revision is left out: the store counts it. Retired credentials are left out, as the store does not
    give them; nothing is checked by them any more. So a token that is about to be stored has the digest
    that it has in the store.
    """
    whole = {name: getattr(token, name) for name in OF_TOKEN}
    whole["last_generation"] = token.generation
    dead = token.state is TokenState.DELETED
    whole["credentials"] = [
        {name: getattr(one, name) for name in OF_CREDENTIAL}
        for one in token.credentials
        if not dead and one.state is not CredentialState.RETIRED
    ]
    return digest(canonical(from_json(to_json(whole))))
