"""reconcile verify"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import echo_json, in_line, style
from reconciler.cli.values import REQUEST, TEXT
from reconciler.errors import UsageError
from reconciler.kinds.checking import Call, Reason
from reconciler.readers.verifying import Checked, Presented, checked, routed
from reconciler.secret import Secret
from reconciler.times import timestamp
from reconciler.verify.interface import Identity, Verdict

COLOURS = {"accepted": "green", "refused": "red"}
MOST = 65_536
"""Characters that are read: what is longer is no token, and the check says so."""


@click.command("verify")
@click.option("--request", type=REQUEST, help='What is called, as "GET /v1/devices": a route of the catalog.')
@click.option("--api", help="The API that is called, by its name.")
@click.option("--project", help="The project that the call is about.")
@click.option("--user", help="The user that the call is about.")
@click.option("--app", help="The service that is called, for login tokens.")
@click.option("--shop", help="The shop that the call is about, for login tokens.")
@click.option("--address", help="The client's address, for login tokens.")
@click.option("--device", help="The client's device, for login tokens.")
@click.option("--sign-in", "application", metavar="NAME", help="It is a sign-in JWT for the TokenAuth NAME.")
@click.option("--audience", type=TEXT, help="What aud has to be; by default this workspace's.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(
    invocation: Invocation,
    request: str | None,
    api: str | None,
    project: str | None,
    user: str | None,
    app: str | None,
    shop: str | None,
    address: str | None,
    device: str | None,
    application: str | None,
    audience: str | None,
    form: str,
) -> int:
    """Check a token from standard input, and explain the verdict.

    The token is checked as the verifier checks it, against the live store as it is now: its form, its
    signature, its life, and what it may do. Without an option that says what is called, only whether it is
    good. Access tokens that `reconcile serve` issued are known to that server alone: ask /oauth/introspect.

    \b
    Exit codes: 0 accepted, 1 refused, or an error.
    """
    call = Call(api, project, user, app, shop, address, device)
    if request is not None:
        if api is not None:
            raise UsageError("--request and --api both say what is called", hint="choose one")
        found = routed(invocation.workspace, request)
        if isinstance(found, Reason):
            return _show(Verdict(found, call), None, form)
        call = _filled(found, call)
    token = _token()
    outcome = checked(invocation.workspace, Presented(token, call, application), audience)
    return _show(outcome.verdict, outcome, form)


def _filled(routed: Call, said: Call) -> Call:
    """The call of a route, with what options say beside it."""
    given = {name: getattr(said, name) for name in Call.__slots__ if getattr(said, name) is not None}
    return replace(routed, **given)


def _token() -> Secret:
    if sys.stdin.isatty():
        return Secret(click.prompt("Token", hide_input=True, err=True, type=str).strip())
    text = sys.stdin.buffer.read(MOST).decode("latin-1").strip()
    if not text:
        raise UsageError(
            "no token came on standard input", hint="pipe it: reconcile bearer NAME | reconcile verify"
        )
    return Secret(text)


def _show(verdict: Verdict, outcome: Checked | None, form: str) -> int:
    if form == "json":
        echo_json(verdict.to_json())
    else:
        for label, text in _lines(verdict, outcome):
            click.echo(style(f"{label:<9}", COLOURS.get(label), bold=label in COLOURS) + in_line(f" {text}"))
    return 0 if verdict.active else 1


def _lines(verdict: Verdict, outcome: Checked | None) -> Iterator[tuple[str, str]]:
    reason = verdict.reason
    if verdict.active:
        yield "accepted", reason.says
    else:
        yield "refused", f"{reason.says} [{reason}]"
        yield "remedy", reason.remedy
    if verdict.token is not None:
        yield from _about(verdict.token)
    elif verdict.claimed is not None:
        yield "claims", f"to be {verdict.claimed}, and does not prove it"
    if verdict.user is not None:
        yield "user", _shown({"username": verdict.user.username, "name": verdict.user.name})
        yield "roles", ", ".join(verdict.user.roles) or "none"
    called = _shown({name: getattr(verdict.call, name) for name in Call.__slots__})
    yield "call", called or "none was named: only whether the token is good"
    if verdict.expires_at is not None:
        yield "ends", timestamp(verdict.expires_at)
    if outcome is not None:
        yield "checked", f"{timestamp(outcome.at)}, revision {outcome.revision}, aud {outcome.audience}"


def _about(token: Identity) -> Iterator[tuple[str, str]]:
    owner = f", owner {token.owner}" if token.owner else ""
    yield "token", f"{token.kind} {token.name}, id {token.id}, generation {token.generation}{owner}"
    yield "grants", "; ".join(f"{key}: {', '.join(names) or 'none'}" for key, names in token.grants.items())


def _shown(parts: dict[str, str | None]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value)
