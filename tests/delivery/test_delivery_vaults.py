"""A Vault token goes to the server that the environment names: no pull request sends it elsewhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.delivery.kit import BRIDGE, Depot, Keys, secrets_of

TOKEN = "hvs.of-the-victim"
VARIABLES = {"VAULT_TOKEN": TOKEN, "BAO_TOKEN": TOKEN}


@dataclass
class Listener:
    """A server that answers like no Vault, and keeps what it was told."""

    address: str
    heard: list[str] = field(default_factory=list)


@pytest.fixture
def evil() -> Iterator[Listener]:
    """Somebody else's server."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            heard.append(f"{self.headers}{self.rfile.read(length).decode()}")
            self.send_response(403)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Listener(f"http://127.0.0.1:{server.server_port}", heard)
    server.shutdown()
    server.server_close()


def lure(depot: Depot, name: str, address: str) -> None:
    """Has an artifact say that its data key lies on a server."""
    path = depot.artifact(name)
    document = json.loads(path.read_text())
    del document["sops"]["age"]
    document["sops"]["hc_vault"] = [
        {
            "vault_address": address,
            "engine_path": "transit",
            "key_name": "tokens",
            "created_at": "2026-01-01T00:00:00Z",
            "enc": "vault:v1:AAAA",
        }
    ]
    path.write_text(json.dumps(document, indent="\t"))


@pytest.mark.parametrize("command", [["doctor"], ["download", "bridge"], ["reseal", "--yes"]])
@pytest.mark.parametrize("place", ["variable", "home"])
def test_an_artifact_does_not_say_where_the_token_goes(
    depot: Depot, age: Keys, evil: Listener, command: list[str], place: str
) -> None:
    """Whatever opens it; the token from the environment, or from the home folder as sops finds it."""
    depot.seal(age, BRIDGE + "deliver: {format: json}\n")
    lure(depot, "bridge", evil.address)
    if place == "home":
        (depot.shop.root.parent / "home" / ".vault-token").write_text(TOKEN)
    with depot.acting(age.reader, VARIABLES if place == "variable" else {}):
        ran = depot.shop.run(*command)
    assert not [request for request in evil.heard if TOKEN in request]
    assert TOKEN not in ran.out + ran.err


def test_a_creation_rule_does_not_either(depot: Depot, evil: Listener) -> None:
    """An apply asks no server that the environment does not name, and says what to do."""
    depot.rule(f"hc_vault_transit_uri: {evil.address}/v1/transit/keys/tokens")
    depot.declare(BRIDGE)
    depot.fails("and VAULT_ADDR does not", "name it in VAULT_ADDR", VARIABLES)
    depot.fails(
        "and VAULT_ADDR does not", "name it in VAULT_ADDR", VARIABLES, {"VAULT_ADDR": evil.address[:-1]}
    )
    assert evil.heard == []


def test_one_of_ours_beside_one_that_is_not_opens_all_the_same(
    depot: Depot, age: Keys, transit: Keys
) -> None:
    """A reader who needs no key server need not name one."""
    rule = f"{age.rule[:-1]}, {transit.rule[1:]}"
    depot.seal(Keys(rule, {}, transit.writer), BRIDGE)
    with depot.acting(age.reader, VARIABLES):
        assert secrets_of(depot.downloaded("bridge"))
