"""`reconcile verify`: a token on standard input, a verdict that explains itself."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.kit import RSA, Ran, Shop, on_terminal_shell

CATALOG = """\
apiVersion: reconciler/v1
kind: Catalog
metadata: {name: platform}
spec:
  apis:
    - {name: device.read, routes: ["GET /v1/projects/{project}/devices"]}
    - {name: device.list, routes: ["GET /v1/users/{user}/devices"]}
    - device.admin
"""


def verify(shop: Shop, monkeypatch: pytest.MonkeyPatch, token: str, *arguments: str) -> Ran:
    """The command with a token on standard input, as from a pipe."""
    piped = SimpleNamespace(buffer=io.BytesIO(token.encode()), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", piped)
    return shop.run("verify", *arguments)


def field(shop: Shop, name: str, field: str) -> str:
    """A field of a token's artifact, as its owner reads it."""
    lines = shop.ok("download", name, "--stdout").out.splitlines()
    return next(line.split(": ", 1)[1].strip("'\"") for line in lines if line.startswith(f"{field}:"))


@pytest.fixture
def jwt(stocked: Shop) -> str:
    """The signed JWT of `bridge`."""
    return field(stocked, "bridge", "jwt")


def test_a_good_token_is_accepted_and_told_whose_it_is(
    stocked: Shop, jwt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = verify(stocked, monkeypatch, jwt + "\n", "--api", "device.read", "--user", "svc-mes")
    assert ran.code == 0
    assert ran.out.startswith("accepted  the token is good, and what it asks is granted\n")
    assert "JWTToken bridge" in ran.out
    assert "owner team-mes" in ran.out
    assert "api device.read, user svc-mes" in ran.out
    assert "aud reconciler:" in ran.out
    assert all(part not in ran.out + ran.err for part in jwt.split("."))


def test_a_call_that_is_not_granted_is_refused_with_a_remedy(
    stocked: Shop, jwt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = verify(stocked, monkeypatch, jwt, "--api", "device.admin")
    assert ran.code == 1
    assert ran.out.startswith("refused   this API is not granted [api-denied]\nremedy    add it to the spec")
    assert "error:" not in ran.err


def test_the_secret_id_is_checked_as_well_and_shown_nowhere(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = field(stocked, "bridge", "secret_id")
    ran = verify(stocked, monkeypatch, secret, "--format", "json")
    assert (ran.code, ran.json["active"], ran.json["reason"]) == (0, True, "accepted")
    assert ran.json["schema"] == "reconciler/verdict/v1"
    assert ran.json["token"]["name"] == "bridge"
    assert secret not in ran.out + ran.err
    wrong = verify(
        stocked, monkeypatch, secret[:-1] + ("0" if secret[-1] != "0" else "1"), "--format", "json"
    )
    assert (wrong.code, wrong.json["reason"]) == (1, "secret-id")


@pytest.mark.parametrize("noise", ["x", "a.b.c", "{}", "🔑", "e" * 100_000, "\x00\x1b[2J"])
def test_what_is_no_token_is_refused_and_not_printed(
    noise: str, stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = verify(stocked, monkeypatch, noise)
    assert ran.code == 1
    assert ran.out.startswith("refused   ")
    assert "\x1b" not in ran.out


def test_a_route_says_which_api_and_project_a_request_is(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.ok("keygen")
    shop.spec(CATALOG, "catalog.yaml")
    shop.spec(RSA)
    shop.ok("apply", "--yes")
    token = shop.ok("bearer", "historian").out.strip()
    good = verify(shop, monkeypatch, token, "--request", "GET /v1/projects/plant-a/devices?page=2")
    assert (good.code, "api device.read, project plant-a" in good.out) == (0, True)
    other = verify(shop, monkeypatch, token, "--request", "GET /v1/projects/plant-b/devices")
    assert "[project-denied]" in other.out
    assert "[api-unknown]" in verify(shop, monkeypatch, token, "--request", "POST /v1/nowhere").out
    assert "[path-ambiguous]" in verify(shop, monkeypatch, token, "--request", "GET /v1//x").out


def test_a_deleted_token_is_refused_by_name_of_its_end(
    stocked: Shop, jwt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Path("specs/tokens.yaml").read_text()
    parts = [part for part in text.split("---\n") if "bridge" not in part]
    stocked.spec("---\n".join(parts))
    stocked.ok("apply", "--yes")
    ran = verify(stocked, monkeypatch, jwt)
    assert "[token-deleted]" in ran.out
    assert "and does not prove it" in ran.out


def test_nothing_on_standard_input_is_wrong_usage(stocked: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = verify(stocked, monkeypatch, "\n")
    assert (ran.code, ran.out) == (64, "")
    assert "reconcile bearer NAME | reconcile verify" in ran.err


@pytest.mark.parametrize("request_", ["nonsense", "get /x", "GET x", "GET  /x y"])
def test_a_request_that_is_none_is_wrong_usage(
    request_: str, stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verify(stocked, monkeypatch, "x", "--request", request_).code == 64
    both = verify(stocked, monkeypatch, "x", "--request", "GET /x", "--api", "a")
    assert (both.code, "--request and --api" in both.err) == (64, True)


def test_without_a_store_there_is_nothing_to_check_against(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.spec(RSA)
    ran = verify(shop, monkeypatch, "x")
    assert (ran.code, ran.out) == (1, "")
    assert "there is no live store" in ran.err


def test_on_a_terminal_the_verdict_has_a_colour_and_nothing_else_of_it_is_obeyed(
    stocked: Shop, jwt: str
) -> None:
    """The terminal is standard output; the token comes from a pipe, as it does from `bearer`."""
    stocked.write("token", jwt)
    colours = {"NO_COLOR": "", "TERM": "xterm"}
    accepted, refused = "\x1b[32m\x1b[1maccepted", "\x1b[31m\x1b[1mrefused"
    for api, shown in (("device.read", accepted), ("device.admin", refused)):
        script = f"'{sys.executable}' -m reconciler.cli verify --api {api} < token"
        code, seen = on_terminal_shell(script, colours)
        assert shown in seen
        assert "\N{REPLACEMENT CHARACTER}" not in seen
        assert code == (0 if api == "device.read" else 1)
