"""The middleware: what the check accepts reaches the application, and nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from reconciler.kinds.checking import Call, Reason
from reconciler.specs.catalog import Entry
from reconciler.verify.asgi import Application, Guard, Message, one_call
from reconciler.verify.http.peers import trusted
from reconciler.verify.routes import Routes
from reconciler.verify.verifier import Verifier
from tests.apply.kit import House, jwt_token, login_token
from tests.verify.follow import bearer, following

ROUTES = Routes.of(
    [
        Entry(name="a", routes=("GET /v1/users/{user}/things", "GET /chat")),
        Entry(name="b", routes=("POST /v1/users/{user}/things",)),
    ]
)


async def who(request: Request) -> JSONResponse:
    return JSONResponse({"token": request.scope["reconciler"].token.name, "path": request.url.path})


async def chat(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(socket.scope["reconciler"].token.name)
    await socket.close()


APP: Application = Starlette(
    routes=[Route("/{path:path}", who, methods=["GET", "POST"]), WebSocketRoute("/chat", chat)]
)


@pytest.fixture
def token(house: House) -> str:
    kiosk = login_token("kiosk")
    kiosk["spec"] = {**cast("dict[str, object]", kiosk["spec"]), "ipm": ["10.1.0.0/16"]}
    house.declare(jwt_token("mes"), kiosk)
    house.apply()
    return bearer(house, "mes")


@pytest.fixture
def verifier(house: House, token: str) -> Iterator[Verifier]:
    with following(house) as made:
        yield made


def asked(
    app: Application, path: str, *headers: tuple[str, str], **scope: Any
) -> tuple[int, Mapping[str, str]]:
    """The status and the headers of an answer, with `_body`."""
    sent: list[Message] = []
    target, _, query = path.partition("?")
    whole = {
        "type": "http",
        "method": "GET",
        "path": target,
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "client": ("192.0.2.7", 4711),
        **scope,
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(whole, receive, send))  # type: ignore[arg-type]
    shown = {name.decode(): value.decode() for name, value in sent[0].get("headers", ())}
    body = b"".join(message.get("body", b"") for message in sent[1:]).decode()
    return sent[0].get("status", sent[0].get("code")), {**shown, "_body": body, "_type": sent[0]["type"]}


def bearing(token: str) -> tuple[str, str]:
    return "authorization", f"Bearer {token}"


def test_a_granted_request_reaches_the_application_with_its_verdict(verifier: Verifier, token: str) -> None:
    app = Guard(APP, verifier, match=ROUTES.match)
    status, shown = asked(app, "/v1/users/u/things", bearing(token))
    assert (status, shown["_body"]) == (200, '{"token":"mes","path":"/v1/users/u/things"}')


@pytest.mark.parametrize(
    ("path", "scope", "status"),
    [
        ("/v1/users/u/things", {"method": "POST"}, 403),
        ("/v1/users/other/things", {}, 403),
        ("/nowhere", {}, 403),
        ("/v1/users/u/things/../things", {}, 403),
        ("/v1/users/u/things", {"raw_path": None}, 403),
        ("/v1/users/u/things", {"raw_path": b"/v1/users/u%2Fthings"}, 403),
    ],
)
def test_what_is_not_granted_does_not_reach_it(
    path: str, scope: dict[str, Any], status: int, verifier: Verifier, token: str
) -> None:
    app = Guard(APP, verifier, match=ROUTES.match, realm="acme")
    answered, shown = asked(app, path, bearing(token), **scope)
    assert answered == status
    assert shown["www-authenticate"] == 'Bearer realm="acme", error="insufficient_scope"'


def test_no_token_a_bad_one_or_two_are_401(verifier: Verifier, token: str) -> None:
    app = Guard(APP, verifier)
    for headers in (
        (),
        (bearing(token[:-4]),),
        (bearing(token), bearing(token)),
        (("authorization", token),),
    ):
        status, shown = asked(app, "/x", *headers)
        assert status == 401
        assert shown["www-authenticate"].startswith('Bearer realm="reconciler"')
        assert token[-20:] not in str(shown)
    assert asked(app, f"/x?access_token={token}", bearing(token))[0] == 401
    assert asked(app, f"/x?access_token={token}")[0] == 401


def test_the_clients_address_is_the_peers_unless_a_trusted_proxy_says_another(
    house: House, verifier: Verifier
) -> None:
    kiosk = bearer(house, "kiosk")
    plain, behind = Guard(APP, verifier), Guard(APP, verifier, trust=trusted(("192.0.2.0/24",)))
    spoofed = ("x-forwarded-for", "10.1.2.3")
    assert asked(plain, "/x", bearing(kiosk), spoofed)[0] == 403
    assert asked(behind, "/x", bearing(kiosk), spoofed)[0] == 200
    assert asked(behind, "/x", bearing(kiosk), ("x-forwarded-for", "10.1.2.3, 203.0.113.9"))[0] == 403
    assert asked(plain, "/x", bearing(kiosk), client=("10.1.9.9", 1))[0] == 200
    assert asked(plain, "/x", bearing(kiosk), client=None)[0] == 403


def test_a_websocket_is_checked_before_its_handshake(verifier: Verifier, token: str) -> None:
    app = Guard(APP, verifier, match=ROUTES.match)
    refused, shown = asked(app, "/chat", type="websocket", subprotocols=[])
    assert (refused, shown["_type"]) == (1008, "websocket.close")

    reached: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["reconciler"].token.name)
        await send({"type": "websocket.close", "code": 1000})

    assert (
        asked(Guard(inner, verifier, match=ROUTES.match), "/chat", bearing(token), type="websocket")[0]
        == 1000
    )
    assert reached == ["mes"]


def test_an_application_that_is_one_api_needs_no_routes(verifier: Verifier, token: str) -> None:
    assert asked(Guard(APP, verifier, match=one_call(Call(api="a"))), "/x", bearing(token))[0] == 200
    status, shown = asked(Guard(APP, verifier, match=one_call(Call(api="z"))), "/x", bearing(token))
    assert (status, str(Reason.API) in shown["_body"]) == (403, True)


def test_the_lifespan_of_the_application_is_not_checked(verifier: Verifier) -> None:
    seen: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])
        await send({"type": "lifespan.startup.complete"})

    asked(Guard(inner, verifier), "/", type="lifespan")
    assert seen == ["lifespan"]


def test_a_connection_of_a_type_that_nobody_knows_does_not_pass(verifier: Verifier) -> None:
    with pytest.raises(NotImplementedError, match="webtransport"):
        asked(Guard(APP, verifier), "/", type="webtransport")
