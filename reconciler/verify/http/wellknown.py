"""What others may know of this verifier: its keys (RFC 7517) and its metadata (RFC 8414). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from reconciler.canonical import Json
from reconciler.kinds.bearing import TOKEN_ENDPOINT
from reconciler.verify.http import oauth
from reconciler.verify.http.message import Answer, json_answer, problem
from reconciler.verify.http.signing import SigningKey
from reconciler.verify.reading import ASYMMETRIC

JWKS = "/.well-known/jwks.json"
METADATA = "/.well-known/oauth-authorization-server"
INTROSPECT = "/oauth/introspect"
OWNER_SIGNED = tuple(sorted(name for name in ASYMMETRIC if name[:2] in ("RS", "PS")))
"""What owners sign assertions with."""
BY_SECRET = ("client_secret_basic", "client_secret_post")


def metadata_path(issuer: str | None) -> str:
    """Where the metadata stands: the issuer's own path comes last (RFC 8414 §3)."""
    return METADATA + (urlsplit(issuer).path if issuer else "")


def jwks(keys: Sequence[SigningKey]) -> Answer:
    """The public halves of our signing keys."""
    return json_answer(200, {"keys": [key.jwk for key in keys]})


def metadata(issuer: str | None, keys: Sequence[SigningKey]) -> Answer:
    """What this verifier can do as an authorization server, and nothing that it cannot."""
    if issuer is None:
        return problem(404, "unsupported", "this verifier has no address of its own: name it with --issuer")
    told: dict[str, Json] = {
        "issuer": issuer,
        "jwks_uri": issuer + JWKS,
        "response_types_supported": [],
        "grant_types_supported": [oauth.GRANT] if keys else [],
        "introspection_endpoint": issuer + INTROSPECT,
        "introspection_endpoint_auth_methods_supported": [BY_SECRET[0], "Bearer"],
    }
    return json_answer(200, {**told, **(_issuing(issuer) if keys else {})})


def _issuing(issuer: str) -> Mapping[str, Json]:
    return {
        "token_endpoint": issuer + TOKEN_ENDPOINT,
        "token_endpoint_auth_methods_supported": [*BY_SECRET, "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(OWNER_SIGNED),
    }
