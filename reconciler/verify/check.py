"""The check: presented text + live records + call + time → verdict. Pure; what it knows, it is given.

The order: read strictly, find the record, hold the signature against the key on record, then the life of
credential and token, the claims, and last the grants. Nothing that was presented is believed before the
signature holds, and only then does a verdict name the token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.kinds import checking, keys
from reconciler.kinds.checking import OWNER_SIGNED_SECONDS, Accepted, Call, Proof, Reason
from reconciler.live.interface import Credential, TokenState
from reconciler.secret import Secret
from reconciler.verify import signatures
from reconciler.verify.book import Book, Held
from reconciler.verify.interface import IssuerKey, Verdict
from reconciler.verify.reading import HMAC, Signed, read
from reconciler.verify.signatures import Key

LEEWAY_SECONDS = 30
"""How far the clock of whoever signs may be ahead."""
JWT = "JWT"
ISSUED_TYPE = "at+jwt"
ISSUED = frozenset({ISSUED_TYPE, f"application/{ISSUED_TYPE}"})
"""`typ` of an access token that the verifier issued (RFC 9068 §2.1)."""

STRINGS = {"iss": Reason.ISS, "sub": Reason.SUB, "jti": Reason.JTI}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a verifier is told once, beside the records."""

    audience: str
    """`aud` of the JWTs that owners sign for it."""
    leeway: int = LEEWAY_SECONDS
    """Seconds by which `iat`, `nbf` and a credential's beginning may be ahead."""
    issuer: str | None = None
    """`iss` of the access tokens that it issues itself."""
    issuer_keys: Mapping[str, IssuerKey] = field(default_factory=dict)
    """`kid` → a key that it signs those with."""
    holds: Callable[[Key, bytes, bytes], Reason | None] = signatures.refused
    """Why a signature does not hold, if it does not."""
    unseal: Callable[[str], Secret | None] = lambda _: None
    """Sealed shared secret → the secret, if the verifier's identity opens it."""


class Against(NamedTuple):
    """What one presented token is held against."""

    book: Book
    call: Call
    rules: Rules
    now: int
    """Epoch seconds."""


class _Proven(NamedTuple):
    """Whose a presented token is: its signature holds, or its secret id is on record."""

    held: Held
    credential: Credential
    claims: Mapping[str, object] | None
    issued: bool = False
    """Whether the verifier issued it, so that the verifier's own rules for claims hold."""


def check(presented: Secret, asked: Against) -> Verdict:
    """The verdict on a token that came as a bearer token. Raises nothing, whatever the text."""
    text, call, book = presented.open(), asked.call, asked.book
    if text.startswith(keys.SECRET_PREFIX):
        return _of_secret_id(presented, asked)
    signed = read(text)
    if isinstance(signed, Reason):
        return Verdict(signed, call)
    if signed.typ in ISSUED:
        return _of_issued(signed, asked)
    if signed.kid is None:
        return Verdict(Reason.KID, call)
    if (held := book.by_id.get(signed.kid)) is None:
        return Verdict(Reason.UNKNOWN, call)
    if held.kind.signs_in:
        return Verdict(Reason.PURPOSE, call, claimed=held.id)
    return _of_signed(signed, held, asked)


def sign_in(name: str, presented: Secret, asked: Against) -> Verdict:
    """The verdict on a JWT with which the application of a token, by the token's name, signs a user in."""
    signed = read(presented.open())
    if isinstance(signed, Reason):
        return Verdict(signed, asked.call)
    if (held := asked.book.by_id.get(asked.book.signing_in.get(name, ""))) is None:
        return Verdict(Reason.UNKNOWN, asked.call)
    if signed.kid not in {None, held.id}:
        return Verdict(Reason.KID, asked.call, claimed=held.id)
    return _of_signed(signed, held, asked)


def _of_signed(signed: Signed, held: Held, asked: Against) -> Verdict:
    """Of a JWT that names, or is held against, one token."""
    if signed.typ not in {None, JWT}:
        return Verdict(Reason.TYP, asked.call, claimed=held.id)
    found = _proving(signed, held, asked.rules)
    if isinstance(found, Reason):
        return Verdict(found, asked.call, claimed=held.id)
    return _judged(_Proven(held, found, signed.claims), asked)


def _of_secret_id(presented: Secret, asked: Against) -> Verdict:
    if not keys.is_secret_id(presented.open()):
        return Verdict(Reason.SECRET_ID, asked.call)
    token_id, generation = asked.book.by_secret.get(keys.hash_of(presented), ("", 0))
    held = asked.book.by_id.get(token_id)
    found = _of_generation(held.credentials, generation) if held else None
    if held is None or found is None:
        return Verdict(Reason.UNKNOWN, asked.call)
    return _judged(_Proven(held, found, None), asked)


def _of_issued(signed: Signed, asked: Against) -> Verdict:
    """Of an access token that the verifier issued: its own signature, then the record that it stands for."""
    call, issuer_key = asked.call, asked.rules.issuer_keys.get(signed.kid or "")
    if issuer_key is None:
        return Verdict(Reason.UNKNOWN, call)
    if issuer_key.algorithm != signed.algorithm:
        return Verdict(_unlike(signed.algorithm, [issuer_key.algorithm]), call)
    key = signatures.public(issuer_key.algorithm, issuer_key.public_key)
    against = key if isinstance(key, Reason) else asked.rules.holds(key, *signed.checked)
    if against is not None:
        return Verdict(against, call)
    token_id, generation = signed.claims.get("sub"), signed.claims.get("gen")
    held = asked.book.by_id.get(token_id) if isinstance(token_id, str) else None
    if held is None:
        return Verdict(Reason.SUB, call)
    if held.state is TokenState.DELETED:
        return Verdict(Reason.DELETED, call, claimed=held.id)
    if held.kind.signs_in:
        return Verdict(Reason.PURPOSE, call, claimed=held.id)
    found = _of_generation(held.credentials, generation)
    if found is None:
        return Verdict(Reason.RETIRED, call, claimed=held.id)
    return _judged(_Proven(held, found, signed.claims, issued=True), asked)


def _of_generation(credentials: Iterable[Credential], generation: object) -> Credential | None:
    if type(generation) is not int:
        return None  # what was signed may be true or 1.0, and each equals 1
    return next((each for each in credentials if each.generation == generation), None)


def _proving(signed: Signed, held: Held, rules: Rules) -> Credential | Reason:
    """The credential whose key the signature is of; or why there is none."""
    if held.state is TokenState.DELETED:
        return Reason.DELETED
    candidates = held.credentials
    if held.kind.signed_once:
        named = _of_generation(candidates, signed.claims.get("gen"))
        if named is None:
            return Reason.RETIRED
        candidates = (named,)
    fitting = [each for each in candidates if each.algorithm == signed.algorithm]
    if not fitting:
        return _unlike(signed.algorithm, [each.algorithm for each in candidates])
    against: Reason | None = Reason.SIGNATURE
    for credential in fitting:
        key = _key(credential, rules)
        against = key if isinstance(key, Reason) else rules.holds(key, *signed.checked)
        if against is None:
            return credential
    return against or Reason.SIGNATURE


def _unlike(algorithm: str, of_record: Iterable[str]) -> Reason:
    """Why an algorithm is not that of any credential; worst is one that takes a public key for a secret."""
    known = list(of_record)
    if not known:
        return Reason.RETIRED
    return Reason.ALG if any((each in HMAC) == (algorithm in HMAC) for each in known) else Reason.ALG_CONFUSED


def _key(credential: Credential, rules: Rules) -> Key | Reason:
    if credential.algorithm not in HMAC:
        return signatures.public(credential.algorithm, credential.public_key or "")
    secret = rules.unseal(credential.sealed_secret) if credential.sealed_secret else None
    if secret is None:
        return Reason.KEY_CLOSED
    return signatures.shared(credential.algorithm, secret.open().encode())


def _judged(proven: _Proven, asked: Against) -> Verdict:
    """Of a token that is who it says: its life, its claims, its grants."""
    held, credential, claims = proven.held, proven.credential, proven.claims
    outcome = (
        _credential_life(credential, asked)
        or _token_life(held, asked.now)
        or (_registered(claims, asked) if claims else None)
        or _by_kind(proven, asked)
    )
    user = None
    if isinstance(outcome, Accepted):
        user = outcome.user
        outcome = Reason.ACCEPTED
    return Verdict(outcome, asked.call, held.identity(credential), held.id, user, _end(proven))


def _credential_life(credential: Credential, asked: Against) -> Reason | None:
    if credential.not_before > asked.now + asked.rules.leeway:
        return Reason.EARLY
    over = credential.not_after is not None and credential.not_after <= asked.now
    return Reason.ENDED if over else None


def _token_life(held: Held, now: int) -> Reason | None:
    if held.rolled_back:
        return Reason.ROLLED_BACK
    if held.state is TokenState.DISABLED:
        return Reason.DISABLED
    over = held.expires_at is not None and held.expires_at <= now
    return Reason.EXPIRED if over else None


def _registered(claims: Mapping[str, object], asked: Against) -> Reason | None:
    """Registered claims, where they are there, are of their types, and the times fit (RFC 7519 §4.1).

    `null` is of no type: a claim that means nothing is left out.
    """
    for name, otherwise in STRINGS.items():
        if name in claims and not isinstance(claims[name], str):
            return otherwise
    now, latest = asked.now, asked.now + asked.rules.leeway
    exp, nbf, iat = _time(claims, "exp", now + 1), _time(claims, "nbf", now), _time(claims, "iat", now)
    if exp is None or nbf is None or iat is None:
        return Reason.TIME
    if exp <= now:
        return Reason.EXP
    if nbf > latest:
        return Reason.NBF
    return Reason.IAT if iat > latest else None


def _time(claims: Mapping[str, object], name: str, otherwise: int) -> int | None:
    """A claim in whole seconds since 1970; None for one that is not. A truth value is no number."""
    found = claims.get(name, otherwise)
    return found if type(found) is int and found >= 0 else None


def _by_kind(proven: _Proven, asked: Against) -> Accepted | Reason:
    held = proven.held
    if proven.issued:
        against = _issued_claims(proven.claims or {}, asked)
        outcome: Accepted | Reason = against or Accepted()
    else:
        outcome = held.kind.claims(
            Proof(held.id, proven.claims, held.grants, held.spec, asked.call, asked.now, asked.rules.audience)
        )
    if isinstance(outcome, Reason):
        return outcome
    return held.kind.allows(held.grants, asked.call) or outcome


def _issued_claims(claims: Mapping[str, object], asked: Against) -> Reason | None:
    """RFC 9068 §4; and a scope that was asked for is a limit (RFC 6749 §3.3)."""
    if claims.get("iss") != asked.rules.issuer:
        return Reason.ISS
    against = checking.end(claims, OWNER_SIGNED_SECONDS) or checking.audience(claims, asked.rules.audience)
    if against is not None:
        return against
    scope = claims.get("scope")
    if not isinstance(scope, str):
        return Reason.CLAIM
    return None if checking.grants(tuple(scope.split(" ")), asked.call.api) else Reason.API


def _end(proven: _Proven) -> int | None:
    """When what was presented ends by itself: the first of all its ends."""
    end = (proven.claims or {}).get("exp")
    first = end if isinstance(end, int) else None
    for other in (proven.credential.not_after, proven.held.expires_at):
        if other is not None and (first is None or other < first):
            first = other
    return first
