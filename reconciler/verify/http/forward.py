"""`/verify`: may this call pass? Question by a gateway, for each request that it is about to forward. Pure.

The gateway says what the call is in headers that it sets itself; the client's own `Authorization` is with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from urllib.parse import parse_qsl, unquote_plus

from reconciler.kinds.checking import Call, Reason
from reconciler.secret import Secret
from reconciler.verify.http.message import NO_STORE, Answer, Noted, Request, header_text, json_answer, length
from reconciler.verify.http.peers import REMEMBERED, Trust
from reconciler.verify.http.ports import Check
from reconciler.verify.interface import Identity, Verdict

Match: TypeAlias = Callable[[str, str], "Call | Reason"]
"""Method and URI → the call that the catalog says this is."""

BELOW_PATH = "/verify/path/"
METHOD, URI, FOR = b"x-forwarded-method", b"x-forwarded-uri", b"x-forwarded-for"
AUTHORIZATION = b"authorization"
SCHEME = "Bearer "
WORDS = frozenset({"api", "project", "user", "app", "shop", "device"})
"""Parameters of `/verify` itself: the gateway's own words about the call."""
NAMING = "api"
"""With this one the gateway says what is called, and no route is asked. The others only add to a route."""
DENIED = {
    "project": Reason.PROJECT,
    "user": Reason.USER_DENIED,
    "app": Reason.APP,
    "shop": Reason.SHOP,
    "device": Reason.DEVICE,
}
"""What is told where two who are believed say different things: one of the two is not what happens."""
NO_WORDS: Mapping[str, str] = {}
IN_QUERY = "access_token"
FORM = frozenset({Reason.SEVERAL_TOKENS, Reason.SCHEME})
OPEN = FORM | {Reason.TOKEN_MISSING, Reason.GATEWAY, Reason.STALE, Reason.FAULT}
"""Reasons that tell nothing of any token."""


@dataclass(frozen=True, slots=True)
class Gateways:
    """What is believed, and from whom."""

    trust: Trust
    realm: str
    app: str | None = None
    """The service behind the gateway, where the gateway does not name it."""
    device_header: bytes | None = None
    """In lower case."""
    user_header: bytes | None = None
    read: frozenset[bytes] = field(init=False)
    """Every header that has a meaning here."""
    client: Callable[[str], str | None] = field(init=False, compare=False, repr=False)
    """`X-Forwarded-For` → the client's address."""

    def __post_init__(self) -> None:
        """What follows from the rest."""
        named = {METHOD, URI, FOR, AUTHORIZATION, self.device_header, self.user_header}
        object.__setattr__(self, "read", frozenset(name for name in named if name is not None))
        object.__setattr__(self, "client", lru_cache(REMEMBERED)(self.trust.client))


class Question(NamedTuple):
    """What a gateway asks."""

    token: Secret | Reason
    call: Call
    against: Reason | None = None
    """Why nobody knows what is called, if so."""
    called: str = ""
    """Method and path, for the log."""


def answer(request: Request, gateways: Gateways, match: Match, check: Check) -> Answer:
    """What a gateway is told."""
    if not gateways.trust.has(request.peer):
        return refusal(Verdict(Reason.GATEWAY, Call()), gateways.realm)
    asked = read(request, gateways, match)
    if isinstance(asked, str):
        return json_answer(400, {"error": "invalid_request", "error_description": asked})
    verdict = decided(asked, check)
    if verdict.token is not None and verdict.active:
        return acceptance(verdict, verdict.token)
    made = refusal(verdict, gateways.realm)
    return made._replace(noted=made.noted._replace(called=asked.called or None))


def decided(asked: Question, check: Check) -> Verdict:
    """What becomes of it. Whose token is not good learns nothing of the routes."""
    if isinstance(asked.token, Reason):
        return Verdict(asked.token, asked.call)
    verdict = check(asked.token, asked.call)
    if asked.against is not None and verdict.active:
        return verdict._replace(reason=asked.against)
    return verdict


def read(request: Request, gateways: Gateways, match: Match) -> Question | str:
    """What is asked, from a gateway that is trusted; a sentence on what is wrong with its configuration."""
    said: dict[bytes, str] = {}
    several = False
    for name, value in request.headers:
        if name not in gateways.read:
            continue
        if name not in said:
            said[name] = value.decode("latin-1")
        elif name == FOR:
            said[name] += "," + value.decode("latin-1")
        elif name == AUTHORIZATION:
            several = True
        else:
            return "a header that the gateway sets came twice: have it overwrite what the client sends"
    words: Mapping[str, str] | str = NO_WORDS
    if request.path.startswith(BELOW_PATH):
        method, uri = request.method, request.path[len(BELOW_PATH) - 1 :]
        if request.query:
            uri = f"{uri}?{request.query}"
    else:
        method, uri = said.get(METHOD, ""), said.get(URI, "")
        words = _words(request.query) if request.query else NO_WORDS
    if isinstance(words, str):
        return words
    token = Reason.SEVERAL_TOKENS if several else token_in(said.get(AUTHORIZATION), uri)
    call, against = _call(method, uri, words, match)
    call, differs = _completed(call, said, gateways)
    return Question(token, call, against or differs, f"{method} {uri.partition('?')[0]}" if uri else "")


def _completed(call: Call, said: Mapping[bytes, str], gateways: Gateways) -> tuple[Call, Reason | None]:
    """The call with what the gateway knows of the client."""
    user, device = gateways.user_header, gateways.device_header
    words: dict[str, str] = {}
    if user and (named := said.get(user)):
        words["user"] = named
    if device and (named := said.get(device)):
        words["device"] = named
    call, differs = _added(call, words) if words else (call, None)
    address = gateways.client(said[FOR]) if FOR in said else None
    app = call.app or gateways.app
    return Call(call.api, call.project, call.user, app, call.shop, address, call.device), differs


def _call(method: str, uri: str, words: Mapping[str, str], match: Match) -> tuple[Call, Reason | None]:
    """What is called, by the gateway's own words where they say it, else by the routes of the catalog."""
    if NAMING in words:
        return Call(**words), None
    found = match(method, uri) if uri else Reason.API_UNKNOWN
    if isinstance(found, Reason):
        return Call(**words), found
    return _added(found, words) if words else (found, None)


def _added(call: Call, words: Mapping[str, str]) -> tuple[Call, Reason | None]:
    """The call with further words; why it is refused, where it says otherwise already."""
    differing = (name for name, word in words.items() if getattr(call, name) not in (None, word))
    differs = next(differing, None)
    return replace(call, **words), None if differs is None else DENIED[differs]


@lru_cache(maxsize=256)
def _words(query: str) -> Mapping[str, str] | str:
    """The gateway's own words. One that is not known would be a limit that nobody applies."""
    if not query:
        return {}
    pairs = parse_qsl(query, keep_blank_values=True)
    words = dict(pairs)
    if len(words) < len(pairs) or not words.keys() <= WORDS or not all(words.values()):
        return f"/verify takes {', '.join(sorted(WORDS))}, each once and with a value"
    return words


def token_in(authorization: str | None, uri: str) -> Secret | Reason:
    """The token that a client sends, by its Authorization header and the URI of its request."""
    if not authorization:
        return Reason.TOKEN_MISSING
    if "?" in uri and _in_query(uri.partition("?")[2]):
        return Reason.SEVERAL_TOKENS
    token = authorization[len(SCHEME) :]
    if not authorization.startswith(SCHEME) or not token or " " in token or "\t" in token:
        return Reason.SCHEME
    return Secret(token)


def _in_query(query: str) -> bool:
    if IN_QUERY not in unquote_plus(query):
        return False
    parts = query.replace(";", "&").split("&")
    return any(unquote_plus(part.partition("=")[0]) == IN_QUERY for part in parts)


def acceptance(verdict: Verdict, token: Identity) -> Answer:
    """200 and who it is. Every header is always there, so that a client's own never passes for it."""
    call = verdict.call
    user = verdict.user.username if verdict.user is not None else call.user
    headers = (
        *_identified(token.id, token.name, token.kind, token.owner, token.generation),
        (b"x-reconciler-api", header_text(call.api)),
        (b"x-reconciler-project", header_text(call.project)),
        (b"x-reconciler-user", header_text(user)),
    )
    return Answer(200, headers, b"", Noted.of(verdict))


@lru_cache(maxsize=4096)
def _identified(
    token_id: str, name: str, kind: str, owner: str | None, generation: int
) -> tuple[tuple[bytes, bytes], ...]:
    return (
        NO_STORE,
        length(b""),
        (b"x-reconciler-token", header_text(token_id)),
        (b"x-reconciler-name", header_text(name)),
        (b"x-reconciler-kind", header_text(kind)),
        (b"x-reconciler-owner", header_text(owner)),
        (b"x-reconciler-generation", str(generation).encode()),
    )


def refusal(verdict: Verdict, realm: str) -> Answer:
    """401, 403 or 503, with as much of the reason as the client may know."""
    told = verdict.token is not None or verdict.reason in OPEN
    headers, body = _refused(verdict.reason, realm, told=told)
    return Answer(verdict.reason.status, headers, body, Noted.of(verdict))


@lru_cache(maxsize=512)
def _refused(reason: Reason, realm: str, *, told: bool) -> tuple[tuple[tuple[bytes, bytes], ...], bytes]:
    error = error_of(reason)
    document = {"error": error, "reason": str(reason)} if told else {"error": error}
    made = json_answer(reason.status, document)
    if told:
        # For gateways that drop the body of a refusal.
        made = made.with_headers((b"x-reconciler-reason", str(reason).encode()))
    if reason.status in (401, 403):
        made = made.with_headers(challenge(reason, realm))
    return made.headers, made.body


def error_of(reason: Reason) -> str:
    """What RFC 6750 §3.1 calls it, and a word of ours where it has none."""
    if reason in FORM:
        return "invalid_request"
    if reason is Reason.TOKEN_MISSING:
        return "unauthorized"
    if reason is Reason.GATEWAY:
        return "access_denied"
    return {401: "invalid_token", 403: "insufficient_scope"}.get(reason.status, "temporarily_unavailable")


def challenge(reason: Reason, realm: str) -> tuple[bytes, bytes]:
    """`WWW-Authenticate` (RFC 6750 §3): no error where no token came."""
    bare = reason in (Reason.TOKEN_MISSING, Reason.GATEWAY)
    error = "" if bare else f', error="{error_of(reason)}"'
    return b"www-authenticate", f'Bearer realm="{realm}"{error}'.encode("ascii")
