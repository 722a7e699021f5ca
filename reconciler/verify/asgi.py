"""The check in front of an ASGI application, in its own process: no gateway, no network hop.

    verifier = Verifier.open("postgresql://…")
    app = Guard(app, verifier, match=Routes.of(…).match)

Whoever gets through is in `scope["reconciler"]`, a `Verdict`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any, TypeAlias

from reconciler.kinds.checking import Call, Reason
from reconciler.verify.http.forward import AUTHORIZATION, FOR, Match, refusal, token_in
from reconciler.verify.http.peers import Trust
from reconciler.verify.interface import Verdict
from reconciler.verify.verifier import Verifier

# As the ASGI specification has them (version 3.0): messages are open mappings.
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

KEY = "reconciler"
NOBODY = Trust(())
POLICY_VIOLATION = 1008
"""RFC 6455 §7.4.1. Before the handshake, servers answer 403 for it."""


def one_call(call: Call) -> Match:
    """For an application that is one API: every request is this call."""
    return lambda _, __: call


class Guard:
    """Lets requests and websockets through that the check accepts, and answers all others itself.

    `match` says which call a request is, as `Routes.match` does. Without it, tokens are checked and no API
    is: what they may do is then for the application to see, in the verdict. `trust` names proxies whose
    `X-Forwarded-For` is believed. The path is that of the request, whole: an application that takes a
    `root_path` off it by itself serves two paths alike, so set `root_path` at the server.
    """

    def __init__(
        self,
        app: Application,
        verifier: Verifier,
        *,
        match: Match | None = None,
        trust: Trust = NOBODY,
        realm: str = "reconciler",
    ) -> None:
        self._app = app
        self._check = verifier.check
        self._match = match or one_call(Call())
        self._trust = trust
        self._realm = realm

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] not in {"http", "websocket"}:
            raise NotImplementedError(f"a connection of the type {scope['type']} cannot be checked")
        verdict = self._verdict(scope)
        if verdict.active:
            scope[KEY] = verdict
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            answer = refusal(verdict, self._realm)
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            await send({"type": "http.response.body", "body": answer.body})

    def _verdict(self, scope: Scope) -> Verdict:
        query = bytes(scope.get("query_string", b"")).decode("latin-1")
        found = self._called(scope, query)
        call = replace(found if isinstance(found, Call) else Call(), address=self._client(scope))
        sent = _values(scope, AUTHORIZATION)
        token = Reason.SEVERAL_TOKENS if len(sent) > 1 else token_in(sent[0] if sent else None, f"?{query}")
        if isinstance(token, Reason):
            return Verdict(token, call)
        verdict = self._check(token, call)
        if isinstance(found, Reason) and verdict.active:
            return verdict._replace(reason=found)
        return verdict

    def _called(self, scope: Scope, query: str) -> Call | Reason:
        """By the path as it was sent: one that is decoded has lost what makes it ambiguous."""
        raw = scope.get("raw_path")
        if raw is None:
            return Reason.PATH
        return self._match(scope.get("method", "GET"), bytes(raw).decode("latin-1") + (query and f"?{query}"))

    def _client(self, scope: Scope) -> str | None:
        client = scope.get("client")
        peer = str(client[0]) if client else None
        if not self._trust.has(peer):
            return peer
        forwarded = ",".join(_values(scope, FOR))
        return self._trust.client(forwarded) if forwarded else peer


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]
