"""Near-tokens: right ones, spoilt at some level and perhaps signed again; and what PyJWT says of them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from types import FrameType
from typing import Any

import jwt
from hypothesis import strategies as st

from reconciler.verify.check import LEEWAY_SECONDS
from reconciler.verify.interface import Verdict
from tests.verify.attacks import claims_for, exactly, keyed, proper, token
from tests.verify.kit import AUDIENCE, NOW, Desk, Owned

CALL = {"address": "10.1.2.3", "device": "scanner-1"}


@cache
def pool() -> tuple[Owned, ...]:
    """A token of each kind and of each family of algorithms, with the key that its JWTs are signed with."""
    return (
        token("RSAToken"),
        token("RSAToken", "PS256"),
        keyed("JWTToken"),
        keyed("JWTToken", "ES256"),
        keyed("LoginToken"),
        token("TokenAuth", "HS256"),
        token("TokenAuth", "ES256"),
    )


@cache
def desk() -> Desk:
    """Where they are all known; sign-ins go by a name of their own."""
    return Desk([named(of) for of in pool()])


def named(of: Owned) -> Owned:
    return of.with_(name=f"name-{of.id.lower()}")


def header_of(of: Owned) -> dict[str, Any]:
    return {"typ": "JWT", "alg": of.live.credentials[0].algorithm, "kid": of.id}


def claims_of(of: Owned) -> dict[str, Any]:
    found = {**claims_for(of), **({} if of.live.kind in {"RSAToken", "TokenAuth"} else proper(of))}
    return {name: value for name, value in found.items() if value is not None}


def good(of: Owned) -> str:
    """What is accepted of it."""
    return exactly(of, *(json.dumps(part).encode() for part in (header_of(of), claims_of(of))))


def judged(of: Owned, text: str) -> Verdict:
    """The verdict by the way in which the token is meant to be presented."""
    if of.live.kind == "TokenAuth":
        return desk().sign_in(named(of).live.name, text)
    return desk().check(text, **CALL)


def by_pyjwt(of: Owned, text: str) -> dict[str, Any]:
    """What PyJWT reads with the right key, algorithm and audience. Raises PyJWTError where it refuses.

    Its clock is the machine's, so that it is moved to the desk's by the leeway: once for the end, once for
    the beginning.
    """
    credential = of.live.credentials[0]
    key = credential.public_key or of.secret["secret"]
    found: dict[str, Any] = jwt.api_jws.decode_complete(text, key, [credential.algorithm])
    audience = _audience(of, json.loads(found["payload"]))
    past, ahead = time.time() - NOW, NOW + LEEWAY_SECONDS - time.time()
    ends: jwt.types.Options = {"verify_iat": False, "verify_nbf": False, "verify_aud": audience is not None}
    begins: jwt.types.Options = {"verify_exp": False, "verify_aud": audience is not None}
    jwt.decode(text, key, [credential.algorithm], audience=audience, leeway=past, options=ends)
    return jwt.decode(text, key, [credential.algorithm], audience=audience, leeway=ahead, options=begins)


def _audience(of: Owned, claims: Mapping[str, Any]) -> str | None:
    """What `aud` must be: of a kind that looks at it, and where it may be left out, if it is there."""
    match of.live.kind:
        case "RSAToken":
            return AUDIENCE
        case "LoginToken":
            return "AdmManHu"
        case "TokenAuth":
            return AUDIENCE if "aud" in claims else None
        case _:
            return None


TIMES = st.integers(NOW - 700, NOW + 700)
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, -1, 1.5, float(NOW), 2**53, 2**53 - 1, "", "*", [], {}, [AUDIENCE], str(NOW)]
)
VALUES = st.one_of(ODD, TIMES, st.text(max_size=5), st.lists(st.text(max_size=3), max_size=3))
NAMES = [
    "exp",
    "iat",
    "nbf",
    "aud",
    "iss",
    "sub",
    "jti",
    "gen",
    "loginname",
    "name",
    "api",
    "ipm",
    "kid",
    "typ",
    "alg",
]
MEMBERS = st.sampled_from([*NAMES, "crit", "b64", "jwk", "cty", "extra", "Extra"])
ADDED: list[dict[str, Any]] = [
    {},
    {},
    {"extra": 0.5},
    {"李": "伟"},
    {"note": "\ud83d\ude00"},
    {"n": float("nan")},
]


@st.composite
def objects(draw: st.DrawFn, base: Mapping[str, Any]) -> bytes:
    """An object near another: members changed, added, left out and moved; written with or without blanks."""
    found = {**base, **draw(st.sampled_from(ADDED))}
    for name in draw(st.lists(MEMBERS, max_size=1)):
        found[name] = draw(VALUES)
    for name in draw(st.lists(st.sampled_from(sorted(found)), max_size=1)):
        if draw(st.booleans()):
            del found[name]
    first = draw(st.integers(0, len(found)))
    members = [*found.items()][first:] + [*found.items()][:first]
    text = json.dumps(dict(members), indent=draw(st.sampled_from([None, 1])), ensure_ascii=bool(first % 2))
    return text.encode("utf-8", "surrogatepass")


@st.composite
def spoilt(draw: st.DrawFn, found: bytes) -> bytes:
    """Bytes with a few put in, taken out, changed or written twice."""
    for _ in range(draw(st.integers(0, 2))):
        at, length = draw(st.integers(0, len(found))), draw(st.integers(0, 3))
        piece = draw(st.one_of(st.binary(max_size=3), st.sampled_from(PIECES), st.just(found[at : at + 20])))
        found = found[:at] + piece + found[at + length :]
    return found


PIECES = [
    b"=",
    b".",
    b"\0",
    b'"',
    b"{",
    b"}",
    b"[",
    b",",
    b'"exp":1,',
    b"\\u0065",
    b"NaN",
    b"1e9",
    b"eyJ",
    b"A",
    b"_",
    b" ",
]


@st.composite
def near_tokens(draw: st.DrawFn) -> tuple[Owned, str]:
    """A token and a text near what is right for it: by its members, its JSON, its base64 or its signature."""
    of = draw(st.sampled_from(pool()))
    header, claims = draw(objects(header_of(of))), draw(objects(claims_of(of)))
    level = draw(st.sampled_from(["members", "json", "text", "signature"]))
    if level == "json":
        header, claims = draw(spoilt(header)), draw(spoilt(claims))
    text = exactly(of, header, claims)
    if level == "text":
        text = draw(spoilt(text.encode())).decode("latin-1")
    if level == "signature":
        start, _, signature = text.rpartition(".")
        text = f"{start}.{draw(spoilt(signature.encode())).decode('latin-1')}"
    return of, text


def work(do: Callable[[], object]) -> int:
    """How many instructions of Python it takes: the same on every machine, whatever else that does."""
    count = 0

    def traced(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        do()  # Python 3.12 and later count nothing in a function that they begin to trace
        count = 0
        do()
    finally:
        sys.settrace(before)
    return count
