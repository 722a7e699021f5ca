"""The app: `/verify` at once, all else by Starlette's routes, and around both the log and the metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as Incoming
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from reconciler.kinds.bearing import TOKEN_ENDPOINT
from reconciler.verify.http import forward, health, introspect, oauth, signin, wellknown
from reconciler.verify.http.accesslog import Entry, Log
from reconciler.verify.http.again import Again
from reconciler.verify.http.form import LONGEST
from reconciler.verify.http.message import NOTHING, Answer, Noted, Request, problem
from reconciler.verify.http.metrics import Metrics
from reconciler.verify.http.service import Service

BODY_SECONDS = 10.0
"""In which a body has to come."""
VERIFY = b"/verify"
BELOW_PATH = forward.BELOW_PATH.encode()
CLOSE = (b"connection", b"close")

Handler: TypeAlias = Callable[[Request, Incoming], Awaitable[Answer]]


@dataclass(slots=True)
class _Seen:
    """What the log is to know of a request that Starlette answers."""

    status: int = 500
    endpoint: str = "other"
    noted: Noted = NOTHING


class App:
    """An ASGI app over one service."""

    def __init__(self, service: Service, metrics: Metrics, log: Log) -> None:
        self.service = service
        self.metrics = metrics
        self.log = log
        self._again = Again(service.verifier.moment, service.setup.gateways.read)
        self._others = _starlette(service, metrics, log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        raw: bytes = scope["raw_path"]
        if raw == VERIFY or raw.startswith(BELOW_PATH):
            await _send(send, self.verified(scope, raw), stopping=self.stopping)
            return
        began = perf_counter()
        seen = _Seen()
        scope["seen"] = seen
        await self._others(scope, receive, _watching(send, seen, self.service))
        self._note(scope, seen.endpoint, seen.status, seen.noted, perf_counter() - began)

    @property
    def stopping(self) -> bool:
        """Whether each answer is the last one of its connection."""
        return self.service.stopping

    def verified(self, scope: Scope, raw: bytes) -> Answer:
        """The answer to a gateway, counted and logged; it waits for nothing."""
        began = perf_counter()
        answer = self._verify(scope, raw)
        self._note(scope, "verify", answer.status, answer.noted, perf_counter() - began)
        return answer

    def _verify(self, scope: Scope, raw: bytes) -> Answer:
        service = self.service

        def answer() -> Answer:
            return forward.answer(
                request_of(scope, raw), service.setup.gateways, service.match, service.verifier.check
            )

        try:
            return self._again.answer(scope, service.match, answer)
        except Exception as error:  # noqa: BLE001 - a fault of ours refuses, and its message may hold a token
            self.log.fault(error, raw.decode("latin-1"))
            return problem(500, "server_error")

    def _note(self, scope: Scope, endpoint: str, status: int, noted: Noted, seconds: float) -> None:
        self.metrics.count(endpoint, status, noted, seconds)
        if self.log.requests:
            client = scope["client"]
            self.log.request(
                Entry(
                    at=self.service.setup.clock(),
                    method=scope["method"],
                    path=scope["raw_path"].decode("latin-1"),
                    status=status,
                    peer=client[0] if client else None,
                    seconds=seconds,
                    noted=noted,
                )
            )


def request_of(scope: Scope, raw: bytes, body: bytes = b"") -> Request:
    """The request as a value."""
    client = scope["client"]
    return Request(
        scope["method"],
        raw.decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        scope["headers"],
        client[0] if client else None,
        body,
    )


async def _send(send: Send, answer: Answer, *, stopping: bool) -> None:
    headers = (*answer.headers, CLOSE) if stopping else answer.headers
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _watching(send: Send, seen: _Seen, service: Service) -> Send:
    """Notes the status that goes out, and asks the client to come anew where we are about to stop."""

    async def watched(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
            if service.stopping:
                message["headers"] = [*message["headers"], CLOSE]
        await send(message)

    return watched


def _starlette(service: Service, metrics: Metrics, log: Log) -> Starlette:
    async def token(request: Request, _: Incoming) -> Answer:
        return await _token(service, request)

    async def introspection(request: Request, _: Incoming) -> Answer:
        return introspect.answer(request, service.setup.introspection, service.verifier.check)

    async def sso(request: Request, incoming: Incoming) -> Answer:
        return await _sign_in(service, request, incoming.path_params["name"])

    async def jwks(_: Request, __: Incoming) -> Answer:
        return wellknown.jwks(service.setup.keys)

    async def metadata(_: Request, __: Incoming) -> Answer:
        return wellknown.metadata(service.setup.issuer_url, service.setup.keys)

    async def healthz(_: Request, __: Incoming) -> Answer:
        return health.healthz()

    async def readyz(request: Request, _: Incoming) -> Answer:
        known = service.setup.gateways.trust.has(request.peer)
        return health.readyz(service.verifier.freshness(), stopping=service.stopping, known=known)

    async def scraped(_: Request, __: Incoming) -> Answer:
        return metrics.answer()

    def route(path: str, name: str, handler: Handler, *methods: str) -> Route:
        return Route(path, _endpoint(handler, name, log), methods=list(methods or ("GET",)))

    places = dict.fromkeys((wellknown.METADATA, wellknown.metadata_path(service.setup.issuer_url)))
    app = Starlette(
        routes=[
            route(TOKEN_ENDPOINT, "token", token, "POST"),
            route(wellknown.INTROSPECT, "introspect", introspection, "POST"),
            route("/sso/{name}", "sso", sso, "GET", "POST"),
            route(wellknown.JWKS, "jwks", jwks),
            *(route(place, "metadata", metadata) for place in places),
            route("/healthz", "healthz", healthz),
            route("/readyz", "readyz", readyz),
            route("/metrics", "metrics", scraped),
        ],
        exception_handlers={HTTPException: _unrouted},
    )
    app.router.redirect_slashes = False
    return app


async def _token(service: Service, request: Request) -> Answer:
    if service.setup.issuer is None:
        return oauth.off()
    found = oauth.asked(request, service.setup.issuer, service.verifier.check)
    if isinstance(found, Answer):
        return found
    use = None if found.once is None else await service.once.use(found.once)
    return oauth.granted(
        found, use, service.setup.issuer, int(service.setup.clock()), service.setup.entropy(16).hex()
    )


async def _sign_in(service: Service, request: Request, name: str) -> Answer:
    now = int(service.setup.clock())
    found = signin.asked(request, name, service.parameter(name), service.verifier.sign_in, now)
    if isinstance(found, Answer):
        return found
    use = None if found.once is None else await service.once.use(found.once)
    return signin.answered(found, use, service.setup.gateways.realm)


def _endpoint(handler: Handler, name: str, log: Log) -> Callable[[Incoming], Awaitable[Response]]:
    """Reads the body, calls the handler, and lets no fault out."""

    async def endpoint(incoming: Incoming) -> Response:
        seen: _Seen = incoming.scope["seen"]
        seen.endpoint = name
        try:
            body = await _body(incoming)
            if isinstance(body, Answer):
                return _response(body)
            raw: bytes = incoming.scope["raw_path"]
            answer = await handler(request_of(incoming.scope, raw, body), incoming)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001 - its message may hold a token
            log.fault(error, incoming.scope["raw_path"].decode("latin-1"))
            answer = problem(500, "server_error")
        seen.noted = answer.noted
        return _response(answer)

    return endpoint


async def _body(incoming: Incoming) -> bytes | Answer:
    """The body, whole, if it is short enough and comes soon enough."""
    if incoming.method != "POST":
        return b""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in incoming.stream():
                body += chunk
                if len(body) > LONGEST:
                    return problem(413, "invalid_request", "the body is too long").with_headers(CLOSE)
    except TimeoutError:
        return problem(408, "invalid_request", "the body did not come in time").with_headers(CLOSE)
    return body


def _response(answer: Answer) -> Response:
    made = Response(answer.body, answer.status)
    made.raw_headers = list(answer.headers)
    return made


async def _unrouted(_: Incoming, error: Exception) -> Response:
    """404 and 405, as everything else answers."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    word = {404: "not_found", 405: "method_not_allowed"}.get(status, "invalid_request")
    headers = error.headers or {} if isinstance(error, HTTPException) else {}
    allowed = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return _response(problem(status, word).with_headers(*allowed))
