"""What the live store holds of a token, as one digest: so a record vouches for it, and an edit behind the
back of apply is found. Pure."""

from __future__ import annotations

from dataclasses import asdict

from pydantic_core import from_json, to_json

from reconciler.canonical import canonical, digest
from reconciler.live.interface import CredentialState, LiveToken


def live_digest(token: LiveToken) -> str:
    """Over all that is stored of a token: its row, and its credentials that are not retired.

    The revision is left out: the store counts it. Retired credentials are left out, as the store does not
    give them; nothing is checked by them any more.
    """
    whole = asdict(token)
    del whole["revision"]
    whole["credentials"] = [
        asdict(one) for one in token.credentials if one.state is not CredentialState.RETIRED
    ]
    return digest(canonical(from_json(to_json(whole))))
