"""bearer: what a token's holder sends to an API, out of the artifact."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from ruamel.yaml import YAML

from tests.cli.kit import RSA, Shop, on_terminal
from tests.kinds.odd_keys import rsa_pem

WORKSPACE = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: acme}\nspec: {verifier: {%s}}\n"


def delivered(shop: Shop, name: str) -> dict[str, str]:
    """The fields of an artifact."""
    found: dict[str, str] = YAML(typ="safe").load(shop.ok("download", name, "--stdout").out)
    return found


def read(shop: Shop, token: str, audience: str = "reconciler:default") -> dict[str, Any]:
    """The claims of a token of the historian, as PyJWT takes them from the public key."""
    fields = delivered(shop, "historian")
    required = ["exp", "iat", "nbf", "aud", "jti"]
    return jwt.decode(
        token, fields["public_key"], ["RS256"], audience=audience, options={"require": required}
    )


def test_an_rsa_key_signs_a_jwt_for_five_minutes_for_the_verifier(stocked: Shop) -> None:
    """Header and claims hold what the check asks for, and nothing else."""
    ran = stocked.ok("bearer", "historian")
    token = ran.out.removesuffix("\n")
    token_id = delivered(stocked, "historian")["token_id"]
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "kid": token_id, "typ": "JWT"}
    claims = read(stocked, token)
    assert claims.keys() == {"iss", "sub", "aud", "iat", "nbf", "exp", "jti"}
    assert claims["iss"] == claims["sub"] == token_id
    assert claims["exp"] - 300 == claims["iat"] == claims["nbf"]
    assert len(claims["jti"]) == 22


def test_stdout_is_the_token_and_the_end_of_its_line_and_stderr_is_empty(stocked: Shop) -> None:
    """So that `$(reconcile bearer NAME)` is a token."""
    for name in ("historian", "bridge", "console"):
        ran = stocked.ok("bearer", name)
        assert ran.out.count("\n") == 1
        assert len(ran.out.strip().split(".")) == 3
        assert ran.err == ""


def test_no_two_tokens_are_the_same(stocked: Shop) -> None:
    found = [read(stocked, stocked.ok("bearer", "historian").out.strip())["jti"] for _ in range(2)]
    assert len(set(found)) == 2


@pytest.mark.parametrize(("ttl", "seconds"), [("1s", 1), ("90s", 90), ("10m", 600), ("600s", 600)])
def test_ttl_says_how_long_it_lasts(ttl: str, seconds: int, stocked: Shop) -> None:
    token = stocked.ok("bearer", "historian", "--ttl", ttl).out.strip()
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == seconds


@pytest.mark.parametrize("ttl", ["601s", "11m", "1h", "90d"])
def test_more_than_ten_minutes_is_wrong_usage(ttl: str, stocked: Shop) -> None:
    ran = stocked.run("bearer", "historian", "--ttl", ttl)
    assert (ran.code, ran.out) == (64, "")
    assert "--ttl is longer than a token that is signed here may last, 10m" in ran.err


@pytest.mark.parametrize("ttl", ["0s", "soon", "-1m", "5", ""])
def test_what_is_no_time_is_wrong_usage(ttl: str, stocked: Shop) -> None:
    ran = stocked.run("bearer", "historian", "--ttl", ttl)
    assert (ran.code, ran.out) == (64, "")
    assert "--ttl is not a duration" in ran.err


@pytest.mark.parametrize(
    ("settings", "audience"),
    [
        ("url: 'https://verify.acme.example/v'", "https://verify.acme.example/v"),
        ("url: 'https://verify.acme.example', audience: acme-apis", "acme-apis"),
        ("", "reconciler:acme"),
    ],
)
def test_it_is_for_the_verifier_that_the_workspace_names(settings: str, audience: str, shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(f"{RSA}---\n{WORKSPACE % settings}")
    shop.ok("apply", "--yes")
    assert read(shop, shop.ok("bearer", "historian").out.strip(), audience)["aud"] == audience


def test_a_flag_says_whom_it_is_for(stocked: Shop) -> None:
    token = stocked.ok("bearer", "historian", "--audience", "https://other.example").out.strip()
    assert read(stocked, token, "https://other.example")["aud"] == "https://other.example"


@pytest.mark.parametrize(("name", "field"), [("bridge", "jwt"), ("console", "login_token")])
def test_other_tokens_are_printed_as_they_were_delivered(name: str, field: str, stocked: Shop) -> None:
    assert stocked.ok("bearer", name).out == delivered(stocked, name)[field] + "\n"


@pytest.mark.parametrize("name", ["bridge", "console"])
@pytest.mark.parametrize("flag", [("--ttl", "5m"), ("--audience", "x")])
def test_what_is_signed_already_is_not_signed_otherwise(
    name: str, flag: tuple[str, str], stocked: Shop
) -> None:
    ran = stocked.run("bearer", name, *flag)
    assert (ran.code, ran.out) == (64, "")
    assert f"the token of {name} is signed already" in ran.err
    assert ("--exchange URL gives one that is short-lived" in ran.err) == (name == "bridge")


def test_a_key_that_signs_users_in_gives_no_bearer_token(stocked: Shop) -> None:
    ran = stocked.run("bearer", "erp")
    assert (ran.code, ran.out) == (64, "")
    assert "erp gives no bearer token: a TokenAuth is a key with which an application signs" in ran.err


@pytest.mark.parametrize("form", ["json", "dotenv", "pem", "kubernetes"])
def test_it_works_from_every_format(form: str, shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(RSA + f"deliver: {{format: {form}}}\n")
    shop.ok("apply", "--yes")
    shown = shop.ok("show", "historian", "--format", "json").json["tokens"][0]
    token = shop.ok("bearer", "historian").out.strip()
    assert jwt.get_unverified_header(token)["kid"] == shown["id"]


def test_it_works_without_the_live_store_from_the_records(stocked: Shop) -> None:
    """Offline, with a clone and an identity; a note on stderr says whose word it was."""
    (stocked.root / ".reconciler").rename(stocked.root / "elsewhere")
    ran = stocked.ok("bearer", "historian")
    assert read_header(ran.out)["alg"] == "RS256"
    assert "the records of this clone are" in ran.err


def read_header(out: str) -> dict[str, Any]:
    return jwt.get_unverified_header(out.strip())


# who may not have it


def test_without_an_identity_there_is_none(stocked: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(stocked.root / "nobody"))
    ran = stocked.run("bearer", "historian")
    assert (ran.code, ran.out) == (1, "")
    assert "[no-key, exit 1]" in ran.err


def test_a_token_that_is_not_live_has_none(stocked: Shop) -> None:
    ran = stocked.run("bearer", "historia")
    assert (ran.code, ran.out) == (1, "")
    assert "did you mean historian?" in ran.err


def test_who_brought_the_key_is_told_what_to_sign(shop: Shop) -> None:
    """With the id, the audience and the times of now: what is told here is what would be signed."""
    shop.ok("keygen")
    key = rsa_pem(0, 3072).strip()
    shop.ok("new", "RSAToken", "signer", "owner=team-a", "apis=x", "projects=y", f"publicKey={key}")
    shop.ok("apply", "--yes")
    ran = shop.run("bearer", "signer", "--ttl", "1m", "--audience", "me")
    assert (ran.code, ran.out) == (1, "")
    assert "signer has no artifact: its owner brought the public key, and keeps the private one" in ran.err
    said = ran.err.partition("sign with your own key: header ")[2]
    header, end = json.JSONDecoder().raw_decode(said)
    claims, _ = json.JSONDecoder().raw_decode(said[end:].removeprefix(", claims "))
    token_id = shop.ok("show", "signer", "--format", "json").json["tokens"][0]["id"]
    assert header == {"alg": "RS256", "kid": token_id, "typ": "JWT"}
    assert (claims["iss"], claims["sub"], claims["aud"]) == (token_id, token_id, "me")
    assert claims["exp"] - claims["iat"] == 60
    asked = shop.run("bearer", "signer", "--exchange", "https://verify.acme.example").err
    assert "and post it to https://verify.acme.example/oauth/token as client_assertion" in asked
    assert '"aud": "https://verify.acme.example/oauth/token"' in asked


def test_who_brought_the_key_is_told_so_without_the_live_store(shop: Shop) -> None:
    shop.spec(RSA.replace("keySize: 2048", "publicKey: " + json.dumps(rsa_pem(0, 3072))))
    shop.ok("keygen")
    shop.ok("apply", "--yes")
    (shop.root / ".reconciler").rename(shop.root / "elsewhere")
    ran = shop.run("bearer", "historian")
    assert (ran.code, ran.out) == (1, "")
    assert '"kid": "TOKEN-ID"' in ran.err


def test_an_application_with_its_own_key_gives_no_bearer_token(shop: Shop) -> None:
    shop.ok("keygen")
    key = rsa_pem(0, 3072).strip()
    shop.ok("new", "TokenAuth", "own", "name=ERP", "algorithm=RS256", f"publicKey={key}")
    shop.ok("apply", "--yes")
    ran = shop.run("bearer", "own")
    assert (ran.code, ran.out) == (64, "")
    assert "own gives no bearer token" in ran.err


# what is shown


def test_on_a_terminal_what_lasts_is_shown_only_with_force(stocked: Shop) -> None:
    secret = delivered(stocked, "bridge")["jwt"]
    code, shown = on_terminal(["bearer", "bridge"])
    assert code == 64
    assert secret not in shown
    assert "this would show on the terminal a token that lasts" in shown
    code, shown = on_terminal(["bearer", "bridge", "--force"])
    assert code == 0
    assert secret in shown


def test_on_a_terminal_what_is_short_lived_is_shown(stocked: Shop) -> None:
    code, shown = on_terminal(["bearer", "historian"])
    assert code == 0
    assert read(stocked, shown.strip())["aud"] == "reconciler:default"


def test_no_output_holds_a_private_key_or_a_secret_id(stocked: Shop) -> None:
    """Whatever goes wrong, and with all that is said to who debugs."""
    key = delivered(stocked, "historian")["private_key"]
    canaries = [*key.splitlines()[1:-1], delivered(stocked, "bridge")["secret_id"]]
    assert len(canaries) > 20
    said = ""
    for name in ("historian", "bridge", "console", "erp", "nobody"):
        for flags in ((), ("--ttl", "5m"), ("--ttl", "1d"), ("--exchange", "http://127.0.0.1:1")):
            ran = stocked.run("--debug", "bearer", name, *flags)
            said += ran.out + ran.err
    assert "eyJ" in said
    assert "Traceback" in said or 'File "' in said
    assert [one for one in canaries if one in said] == []


def test_nothing_is_left_behind(stocked: Shop) -> None:
    before = stocked.tree()
    for name in ("historian", "bridge", "console"):
        stocked.ok("bearer", name)
    assert stocked.tree() == before


def test_help_says_who_chooses_where_a_credential_goes(shop: Shop) -> None:
    words = " ".join(shop.ok("bearer", "--help").out.split())
    assert "never taken from specs: a pull request must not choose where a secret goes" in words
