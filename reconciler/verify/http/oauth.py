"""`/oauth/token`: a long-lived credential for a short-lived `at+jwt` (RFC 6749 §4.4, RFC 7523, RFC 9068).

Pure. The one question that only the store can answer, whether an assertion was used before, stands between
`asked` and `granted`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.canonical import Json
from reconciler.kinds import keys
from reconciler.kinds.bearing import JWT_ASSERTION, TOKEN_ENDPOINT
from reconciler.kinds.checking import Reason
from reconciler.secret import Secret
from reconciler.verify.http.form import BASIC, Misread, Pair, authorization, basic, form_of
from reconciler.verify.http.message import NOTHING, Answer, Noted, Request, json_answer, problem
from reconciler.verify.http.once import RETRY, Ticket, Use, ticket
from reconciler.verify.http.ports import Check
from reconciler.verify.http.signing import SigningKey
from reconciler.verify.interface import Verdict
from reconciler.verify.reading import Signed, read

GRANT = "client_credentials"
EVERY = "*"
LONGEST_ID = 128
"""Characters of a `jti`."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues access tokens, and of what form."""

    url: str
    audience: str
    ttl: int
    """Seconds."""
    key: SigningKey

    @property
    def audiences(self) -> frozenset[str]:
        """What `aud` of an assertion may be (RFC 7523 §3).

        Never what bearer tokens are for: one that was sent to an API would get a longer one here, and an
        assertion would open an API.
        """
        return frozenset((self.url, self.url + TOKEN_ENDPOINT)) - {self.audience}


@dataclass(frozen=True, slots=True)
class Assertion:
    """A JWT with which a client proves who it is (RFC 7523 §2.2)."""

    text: Secret
    client_id: str | None


@dataclass(frozen=True, slots=True)
class Applicant:
    """A client that is who it says, and the scope that it asks for."""

    verdict: Verdict
    ends: int | None
    """Of what stays when the assertion ends: epoch seconds."""
    scope: str | None
    once: Ticket | None = None
    """What must not have been used before."""


class Refused(Exception):
    """An error of RFC 6749 §5.2."""

    def __init__(self, error: str, says: str, noted: Noted = NOTHING, status: int = 400) -> None:
        self.error, self.says, self.noted, self.status = error, says, noted, status


def off() -> Answer:
    """What is told where this verifier issues no tokens."""
    return problem(404, "unsupported", "this verifier has no signing key, so it issues no tokens")


def asked(request: Request, issuer: Issuer, check: Check) -> Applicant | Answer:
    """Who asks, and for what; or the error that is the answer."""
    tried = False
    try:
        form = form_of(request)
        header = authorization(request)
        tried = header is not None
        _check_grant(form)
        client = _client(form, header)
        if isinstance(client, Pair):
            return by_secret(client, form.get("scope"), check)
        return _by_assertion(client, form.get("scope"), issuer, check)
    except Misread as misread:
        return problem(400, "invalid_request", str(misread))
    except Refused as refused:
        return refusal(refused, challenged=tried)


def _check_grant(form: Mapping[str, str]) -> None:
    if form.get("grant_type") != GRANT:
        error = "unsupported_grant_type" if "grant_type" in form else "invalid_request"
        raise Refused(error, f"grant_type must be {GRANT}")


def refusal(refused: Refused, *, challenged: bool) -> Answer:
    """An error as an answer; who tried the Authorization header is told what to put there."""
    made = problem(refused.status, refused.error, refused.says, noted=refused.noted)
    if refused.status == Reason.STALE.status:
        return made.with_headers(RETRY)
    if refused.status == Reason.UNKNOWN.status and challenged:
        return made.with_headers((b"www-authenticate", b'Basic realm="token"'))
    return made


def _client(form: Mapping[str, str], header: tuple[str, Secret] | None) -> Pair | Assertion:
    """The one way in which the client says who it is (RFC 6749 §2.3: no more than one)."""
    ways = [header is not None, "client_secret" in form, "client_assertion" in form]
    if sum(ways) > 1:
        raise Refused("invalid_request", "the client authenticates in more than one way")
    if header is not None:
        scheme, credentials = header
        if scheme.lower() != BASIC:
            raise _unknown("send the token id and the secret id as Basic credentials")
        pair = basic(credentials)
        if form.get("client_id", pair.id) != pair.id:
            raise Refused("invalid_request", "client_id is not the id in the Authorization header")
        return pair
    if "client_secret" in form:
        return Pair(form.get("client_id", ""), Secret(form["client_secret"]))
    if "client_assertion" in form:
        if form.get("client_assertion_type") != JWT_ASSERTION:
            raise Refused("invalid_request", f"client_assertion_type must be {JWT_ASSERTION}")
        return Assertion(Secret(form["client_assertion"]), form.get("client_id"))
    raise _unknown("send the token id and the secret id, or an assertion")


def _unknown(says: str, noted: Noted = NOTHING) -> Refused:
    return Refused("invalid_client", says, noted, 401)


def by_secret(pair: Pair, scope: str | None, check: Check) -> Applicant:
    """A client with a secret id. Raises Refused."""
    if not keys.is_secret_id(pair.secret.open()):
        raise _unknown("the client secret is no secret id", Noted(str(Reason.SECRET_ID)))
    verdict = check(pair.secret)
    _check_good(verdict)
    if verdict.token is None or verdict.token.id != pair.id:
        raise _unknown("the client is not known", Noted(str(Reason.UNKNOWN)))
    return Applicant(verdict, verdict.expires_at, scope)


def _check_good(verdict: Verdict) -> None:
    if verdict.active:
        return
    noted = Noted.of(verdict)
    if verdict.reason.status == Reason.STALE.status:
        raise Refused("temporarily_unavailable", "try it again later", noted, verdict.reason.status)
    says = verdict.reason.says if verdict.token is not None else "the client is not known"
    raise _unknown(says, noted)


def _by_assertion(client: Assertion, scope: str | None, issuer: Issuer, check: Check) -> Applicant:
    """A client with a JWT that its key signed, for us, and for one use (RFC 7523 §3)."""
    signed = read(client.text.open())
    if isinstance(signed, Reason):
        raise _unknown(signed.says, Noted(str(signed)))
    named = _only(signed.claims.get("aud"))
    ours = named if named in issuer.audiences else None
    verdict = check(client.text, audience=ours or issuer.url + TOKEN_ENDPOINT)
    _check_good(verdict)
    noted = Noted.of(verdict)
    if verdict.token is None or client.client_id not in (None, verdict.token.id):
        raise _unknown("the client is not known", noted)
    jti, ends = _one_use(signed, verdict.token.id, noted)
    if ours is None:
        raise _unknown(Reason.AUD.says, noted)
    return Applicant(verdict, None, scope, ticket(verdict.token.id, jti, ends))


def _only(audience: object) -> str:
    """The one audience, as a string or as a list of one."""
    one = audience[0] if isinstance(audience, list) and len(audience) == 1 else audience
    return one if isinstance(one, str) else ""


def _one_use(signed: Signed, token_id: str, noted: Noted) -> tuple[str, int]:
    """`jti` and `exp` of an assertion that its client made of itself. Raises Refused."""
    claims = signed.claims
    if claims.get("iss") != token_id or claims.get("sub") != token_id:
        raise _unknown("iss and sub of the assertion must be the token's id", noted)
    jti, exp = claims.get("jti"), claims.get("exp")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_ID:
        raise _unknown(Reason.JTI.says, noted)
    if not isinstance(exp, int):
        raise _unknown(Reason.EXP_MISSING.says, noted)
    return jti, exp


def granted(found: Applicant, use: Use | None, issuer: Issuer, now: int, jti: str) -> Answer:
    """The access token; `use` is what the store says of a ticket, where there is one."""
    noted = Noted.of(found.verdict)
    try:
        _check_first(found.once, use, noted)
        return _token(found, issuer, now, jti)
    except Refused as refused:
        return refusal(refused, challenged=False)


def _check_first(once: Ticket | None, use: Use | None, noted: Noted) -> None:
    if once is None or use is Use.FIRST:
        return
    if use is Use.AGAIN:
        again = Noted(str(Reason.REPLAYED), noted.token, noted.name, noted.kind)
        raise _unknown(Reason.REPLAYED.says, again)
    lost = Noted(str(Reason.STALE), noted.token, noted.name, noted.kind)
    raise Refused("temporarily_unavailable", "try it again later", lost, Reason.STALE.status)


def _token(found: Applicant, issuer: Issuer, now: int, jti: str) -> Answer:
    token = found.verdict.token
    noted = Noted.of(found.verdict)
    if token is None:
        raise _unknown("the client is not known", noted)
    scope = scope_of(token.scope, found.scope)
    if scope is None:
        raise Refused("invalid_scope", "nothing of the scope that was asked for is granted", noted)
    ends = min(now + issuer.ttl, now + issuer.ttl if found.ends is None else found.ends)
    claims: dict[str, Json] = {
        "iss": issuer.url,
        "sub": token.id,
        "client_id": token.id,
        "aud": issuer.audience,
        "iat": now,
        "nbf": now,
        "exp": ends,
        "jti": jti,
        "gen": token.generation,
        "scope": scope,
    }
    told: dict[str, Json] = {
        "access_token": issuer.key.sign(claims).open(),
        "token_type": "Bearer",
        "expires_in": ends - now,
        "scope": scope,
    }
    return json_answer(200, told, noted=noted).with_headers((b"pragma", b"no-cache"))


def scope_of(held: tuple[str, ...], wanted: str | None) -> str | None:
    """What is granted of a scope, space separated; None where nothing is. None wanted is all."""
    if wanted is None:
        return " ".join(held) or None
    names = dict.fromkeys(name for name in wanted.split(" ") if name)
    if held == (EVERY,):
        return " ".join(names) or None
    return " ".join(held if EVERY in names else (name for name in names if name in held)) or None
