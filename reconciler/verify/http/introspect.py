"""`/oauth/introspect`: what a token is, told to a server that authenticates (RFC 7662). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.canonical import Json
from reconciler.kinds import keys
from reconciler.kinds.checking import Call, Reason
from reconciler.secret import Secret
from reconciler.verify.http.form import BASIC, Misread, authorization, basic, form_of
from reconciler.verify.http.forward import SCHEME, challenge
from reconciler.verify.http.message import Answer, Noted, Request, json_answer, problem
from reconciler.verify.http.ports import Check
from reconciler.verify.interface import Identity, Verdict
from reconciler.verify.reading import read

API = "reconciler.introspect"
"""The API that a caller needs, unless it is named otherwise."""
CALL = Call.__slots__
"""Further parameters (RFC 7662 §2.1): what the token is to be used for, as far as the caller knows."""
SIGNED = ("iss", "aud", "iat", "nbf", "jti")
"""Claims that are told as they were signed."""


@dataclass(frozen=True, slots=True)
class Introspection:
    """Who may ask, and who answers."""

    api: str
    realm: str
    issuer: str | None
    audience: str


def answer(request: Request, settings: Introspection, check: Check) -> Answer:
    """What the token is: all of it, or that it is not active, and nothing more."""
    try:
        caller = _caller(request, settings, check)
        if not caller.active:
            return _refused(caller, settings.realm)
        form = form_of(request)
    except Misread as misread:
        return problem(400, "invalid_request", str(misread))
    if "token" not in form:
        return problem(400, "invalid_request", "token is missing", noted=Noted.of(caller))
    token = Secret(form["token"])
    verdict = check(token, Call(**{name: form[name] for name in CALL if name in form}))
    if verdict.reason.status == Reason.STALE.status:
        return _refused(verdict, settings.realm)
    noted = Noted.of(caller)
    if not verdict.active or verdict.token is None:
        return json_answer(200, {"active": False}, noted=noted)
    return json_answer(200, _told(verdict, verdict.token, token, settings), noted=noted)


def _caller(request: Request, settings: Introspection, check: Check) -> Verdict:
    """Who asks, held against the one API that a caller needs. Raises Misread."""
    header = authorization(request)
    call = Call(api=settings.api)
    if header is None:
        return Verdict(Reason.TOKEN_MISSING, call)
    scheme, credentials = header
    if scheme == SCHEME.strip():
        return check(credentials, call)
    if scheme.lower() != BASIC:
        return Verdict(Reason.SCHEME, call)
    pair = basic(credentials)
    if not keys.is_secret_id(pair.secret.open()):
        return Verdict(Reason.SECRET_ID, call)
    verdict = check(pair.secret, call)
    if verdict.token is None or verdict.token.id != pair.id:
        reason = Reason.UNKNOWN if verdict.active else verdict.reason
        return verdict._replace(reason=reason, token=None)
    return verdict


def _refused(verdict: Verdict, realm: str) -> Answer:
    status = verdict.reason.status
    error = {401: "invalid_client", 403: "insufficient_scope"}.get(status, "temporarily_unavailable")
    made = problem(status, error, noted=Noted.of(verdict))
    if status in (401, 403):
        return made.with_headers(challenge(verdict.reason, realm))
    return made


def _told(verdict: Verdict, token: Identity, text: Secret, settings: Introspection) -> Mapping[str, Json]:
    signed = read(text.open())
    claims = {} if isinstance(signed, Reason) else signed.claims
    scope = claims.get("scope")
    told: dict[str, Json] = {
        "active": True,
        "scope": scope if isinstance(scope, str) else " ".join(token.scope),
        "client_id": token.id,
        "sub": token.id,
        "token_type": "Bearer",
        "name": token.name,
        "kind": token.kind,
        "owner": token.owner,
        "aud": settings.audience,
    }
    if settings.issuer is not None:
        told["iss"] = settings.issuer
    if verdict.expires_at is not None:
        told["exp"] = verdict.expires_at
    told |= {name: found for name in SIGNED if isinstance(found := claims.get(name), (str, int))}
    return told
