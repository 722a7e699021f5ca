"""`/sso/<name>`: signs a user in with a JWT of an application (`metadata.name` of its token). Pure.

The one question that only the store can answer, whether a `jti` was used before, stands between `asked` and
`answered`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.canonical import Json
from reconciler.kinds.checking import Call, Reason
from reconciler.kinds.checking import SignIn as User
from reconciler.secret import Secret
from reconciler.verify.book import Book
from reconciler.verify.http.form import Misread, form_of, parameters
from reconciler.verify.http.forward import refusal
from reconciler.verify.http.message import Answer, Noted, Request, header_text, json_answer, problem
from reconciler.verify.http.oauth import LONGEST_ID
from reconciler.verify.http.once import RETRY, Ticket, Use, ticket
from reconciler.verify.http.ports import SignIn
from reconciler.verify.interface import Identity, Verdict
from reconciler.verify.reading import read

NO_REFERRER = (b"referrer-policy", b"no-referrer")
"""The token may stand in the address of the page."""
LONGEST_ONCE = 24 * 60 * 60
"""Seconds for which the store remembers a `jti`. A JWT with one that lasts longer is refused: the store would
have to remember it for as long, and what is for one use is used soon. Without one, the spec's `expire` is the
limit."""
PARAMETER = "token"
"""Where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a sign-in token, and what must not have been used before."""

    verdict: Verdict
    once: Ticket | None = None


def parameter(book: Book, name: str) -> str:
    """What the application of a token, by the token's name, calls the parameter with its JWT."""
    held = book.by_id.get(book.signing_in.get(name, ""))
    return PARAMETER if held is None or held.spec is None else held.kind.parameter(held.spec)


def asked(request: Request, name: str, parameter: str, sign_in: SignIn, now: int) -> Attempt | Answer:
    """Whom it signs in; `parameter` is what the application calls the token."""
    try:
        found = form_of(request) if request.method == "POST" else parameters(request.query)
    except Misread as misread:
        return problem(400, "invalid_request", str(misread)).with_headers(NO_REFERRER)
    if parameter not in found:
        return Attempt(Verdict(Reason.TOKEN_MISSING, Call()))
    token = Secret(found[parameter])
    verdict = sign_in(name, token, Call())
    if not verdict.active or verdict.token is None:
        return Attempt(verdict)
    signed = read(token.open())
    claims = {} if isinstance(signed, Reason) else signed.claims
    return _once(verdict, verdict.token.id, claims, now)


def _once(verdict: Verdict, token_id: str, claims: Mapping[str, object], now: int) -> Attempt:
    """With what is good for one use, where the JWT says so."""
    jti, exp = claims.get("jti"), claims.get("exp")
    if jti is None:
        return Attempt(verdict)
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_ID or not isinstance(exp, int):
        return Attempt(verdict._replace(reason=Reason.JTI, user=None))
    if exp - now > LONGEST_ONCE:
        return Attempt(verdict._replace(reason=Reason.EXP_FAR, user=None))
    return Attempt(verdict, ticket(token_id, jti, exp))


def answered(found: Attempt, use: Use | None, realm: str) -> Answer:
    """200 and the user; `use` is what the store says of a ticket, where there is one."""
    verdict = found.verdict
    if found.once is not None and use is not Use.FIRST:
        reason = Reason.REPLAYED if use is Use.AGAIN else Reason.STALE
        verdict = verdict._replace(reason=reason, user=None)
    if not verdict.active or verdict.token is None or verdict.user is None:
        made = refusal(verdict, realm).with_headers(NO_REFERRER)
        return made.with_headers(RETRY) if made.status == Reason.STALE.status else made
    return _signed_in(verdict, verdict.token, verdict.user)


def _signed_in(verdict: Verdict, token: Identity, user: User) -> Answer:
    told: dict[str, Json] = {
        "user": {"username": user.username, "name": user.name, "email": user.email},
        "roles": list(user.roles),
        "create": user.create,
        "token": {"id": token.id, "name": token.name, "generation": token.generation},
    }
    return json_answer(200, told, noted=Noted.of(verdict)).with_headers(
        NO_REFERRER,
        (b"x-reconciler-token", header_text(token.id)),
        (b"x-reconciler-name", header_text(token.name)),
        (b"x-reconciler-user", header_text(user.username)),
        (b"x-reconciler-user-name", header_text(user.name)),
        (b"x-reconciler-user-email", header_text(user.email)),
        (b"x-reconciler-user-roles", header_text(",".join(user.roles))),
        (b"x-reconciler-user-create", b"true" if user.create else b"false"),
    )
