"""`reconcile gateway`: what is printed, and that no flag can write a line of its own into it."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import UsageError
from reconciler.verify.gateways import all_gateways
from reconciler.verify.gateways.interface import Setting
from reconciler.verify.gateways.places import (
    read_endpoint,
    read_file,
    read_listen,
    read_upstream,
    read_word,
)
from tests.cli.kit import Shop

NAMES = ["caddy", "envoy", "envoy-jwks", "nginx", "traefik"]
OFFLINE = ("--issuer", "https://v.example", "--audience", "acme")
ISSUED = {name: OFFLINE if one.offline else () for name, one in all_gateways().items()}
"""What a gateway that checks offline must be told outside of a workspace."""


def test_the_gateways_are_found_by_themselves() -> None:
    assert list(all_gateways()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_works_without_a_workspace(name: str, shop: Shop) -> None:
    ran = shop.ok("gateway", name, *ISSUED[name])
    assert ran.out.startswith("# ")
    assert "http://127.0.0.1:8400" in ran.out
    assert "<<" not in ran.out
    assert ran.err == ""


@pytest.mark.parametrize("name", NAMES)
def test_every_flag_is_in_what_is_printed(name: str, shop: Shop) -> None:
    flags = ("--verifier", "http://[::1]:8401/acme", "--upstream", "http://api.internal:9001")
    printed = shop.ok("gateway", name, *flags, "--listen", "192.0.2.1:8081", *ISSUED[name]).out
    in_force = "\n".join(line for line in printed.splitlines() if _in_force(line))
    for wanted in ("::1", "8401", "/acme/", "api.internal", "9001", "192.0.2.1", "8081"):
        assert wanted in in_force, wanted


def _in_force(line: str) -> bool:
    """Whether it is no comment. How Traefik is started stands in one, and is tried by other tests."""
    return not line.lstrip().startswith("#") or line.startswith("#     --")


def test_offline_by_default_it_takes_what_the_verifier_of_the_workspace_issues(shop: Shop) -> None:
    ran = shop.run("gateway", "envoy-jwks")
    assert (ran.code, ran.out) == (64, "")
    assert "--issuer and --audience" in ran.err
    settings = "kind: Workspace\nmetadata: {name: acme}\n"
    shop.spec(f"apiVersion: reconciler/v1\n{settings}", "workspace.yaml")
    printed = shop.ok("gateway", "envoy-jwks").out
    assert 'issuer: "http://127.0.0.1:8400"' in printed
    assert 'audiences: ["reconciler:acme"]' in printed


def test_a_value_that_looks_like_a_hole_of_the_template_is_printed_as_it_is(shop: Shop) -> None:
    printed = shop.ok("gateway", "envoy-jwks", "--issuer", "<<check>>", "--audience", "<<listen_host>>").out
    assert 'issuer: "<<check>>"' in printed
    assert 'audiences: ["<<listen_host>>"]' in printed


def test_offline_takes_issuer_and_audience(shop: Shop) -> None:
    printed = shop.ok("gateway", "envoy-jwks", "--issuer", "https://v.example", "--audience", 'urn:"x"').out
    assert 'issuer: "https://v.example"' in printed
    assert 'audiences: ["urn:\\"x\\""]' in printed


@pytest.mark.parametrize(
    "flags",
    [
        ("--verifier", "ftp://127.0.0.1"),
        ("--verifier", "http://127.0.0.1:0"),
        ("--verifier", "http://127.0.0.1:65536"),
        ("--verifier", "http://127.0.0.1:8400/a?b"),
        ("--verifier", "http://127.0.0.1:8400/../b"),
        ("--verifier", "http://user@127.0.0.1"),
        ("--verifier", "http://a;b"),
        ("--verifier", "http://-a"),
        ("--verifier", "http://[fe80::1%25eth0]"),
        ("--verifier", "http://a\n"),
        ("--upstream", "http://127.0.0.1:9000/path"),
        ("--upstream", "unix:/run/x"),
        ("--listen", "8080"),
        ("--listen", "localhost:8080"),
        ("--listen", "::1:8080"),
        ("--listen", "[127.0.0.1]:8080"),
        ("--listen", "127.0.0.1:8080;"),
        ("--audience", "a b"),
        ("--issuer", "a\nb"),
        ("--ca-file", "a; b"),
    ],
)
def test_a_value_that_could_not_be_meant_is_wrong_usage(flags: tuple[str, str], shop: Shop) -> None:
    ran = shop.run("gateway", "nginx", *flags)
    assert (ran.code, ran.out) == (64, "")
    assert flags[0] in ran.err


SIGNS = st.text(st.one_of(st.sampled_from("\n\r\t;{}\"'`#$%<>\\/:[]@.-_ aA1é"), st.characters()), max_size=8)
HOSTILE = st.tuples(st.sampled_from(["", "a", "127.0.0.1", "[::1]", "/a"]), SIGNS).map("".join)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.just("a") | HOSTILE, st.just("") | HOSTILE, st.just("a") | HOSTILE)
def test_whatever_is_let_through_changes_no_line_but_its_own(host: str, path: str, word: str) -> None:
    """The same lines, but for the places that the values stand in: no quote is closed, no block is opened."""
    plain = _setting("a", "", "a")
    try:
        setting = _setting(host, path, word)
    except UsageError:
        return
    for gateway in all_gateways().values():
        printed, usual = gateway.render(setting), gateway.render(plain)
        assert printed.count("\n") == usual.count("\n")
        for mark in "{};'`\r\t":
            assert _without_words(printed).count(mark) == _without_words(usual).count(mark), mark


def _setting(host: str, path: str, word: str) -> Setting:
    verifier = read_endpoint(f"http://{host}:1{path}", "--verifier")
    return Setting(
        verifier,
        read_upstream(f"http://{host}:2", "--upstream"),
        read_listen("127.0.0.1:3", "--listen"),
        read_word(word, "--issuer"),
        read_word(word, "--audience"),
        read_file("/ca.pem", "--ca-file"),
    )


def _without_words(printed: str) -> str:
    """The text without the two places in which an issuer and an audience stand, quoted."""
    return re.sub(r'(issuer: |audiences: \[)"(?:[^"\\]|\\.)*"', r"\1", printed)
