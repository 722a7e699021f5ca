"""reconcile copy"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from reconciler.artifacts.plaintext import opened_fields
from reconciler.cli.clipboards.interface import Clipboard
from reconciler.cli.clipboards.loan import Loan, breaking_off
from reconciler.cli.clipboards.programs import clipboard
from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import echo_note
from reconciler.errors import UsageError
from reconciler.kinds import all_kinds
from reconciler.kinds.fields import parse_duration
from reconciler.readers.opening import Reader, opened
from reconciler.secret import Secret
from reconciler.specs.faults import did_you_mean
from reconciler.workspace import Workspace


@click.command("copy")
@click.argument("name")
@click.argument("field", required=False)
@click.option(
    "--clear", default="45s", metavar="45s", help="Clear the clipboard after this time; 0s keeps it."
)
@passed
def command(invocation: Invocation, name: str, field: str | None, clear: str) -> int:
    """Copy one field of a token to the clipboard, and clear it after a while.

    Without FIELD it is the one that is used most: the secret id of a JWTToken, the key of an
    RSAToken, the login token of a LoginToken. Ctrl-C clears at once; what you copied meanwhile is
    left alone. Where no clipboard program is at hand, and over SSH, the terminal is asked to do it
    (OSC 52; through tmux and screen too). The field is never printed.
    """
    pause = _pause(clear)
    workspace = invocation.workspace
    way = clipboard(workspace.around.environ)
    if not pause:
        wanted, text = _field(workspace, name, field)
        way.put(text)
        click.echo(_said(wanted, name, way), err=True)
        return 0
    with _lending(way) as loan:
        wanted = _lend(workspace, name, field, loan)
        click.echo(f"{_said(wanted, name, way, clear)} Ctrl-C clears it now.", err=True)
        workspace.around.sleep(pause)
    return 0


@contextmanager
def _lending(way: Clipboard) -> Iterator[Loan]:
    """What is lent in the block is taken back after it, however it ends."""
    loan = Loan(way)
    with breaking_off() as signals:
        try:
            yield loan
        finally:
            signals.quiet = True
            _take_back(loan)


def _take_back(loan: Loan) -> None:
    if not loan.lent:
        return
    text = (
        "The clipboard is cleared."
        if loan.take_back()
        else "The clipboard holds something else by now, and is left alone."
    )
    # A terminal that was closed hears nothing.
    with suppress(OSError):
        click.echo(text, err=True)


def _lend(workspace: Workspace, name: str, field: str | None, loan: Loan) -> str:
    """Which field was lent. The secret is not kept past this call."""
    wanted, text = _field(workspace, name, field)
    loan.put(text)
    return wanted


def _field(workspace: Workspace, name: str, field: str | None) -> tuple[str, Secret]:
    """The field that is meant, and what it holds. Raises UsageError for one that is not there."""
    delivered = opened(Reader(workspace, echo_note), name)
    fields = opened_fields(delivered.opened)
    wanted = field or _usual(delivered.kind, fields)
    if wanted not in fields:
        raise UsageError(f"{name} has no field {wanted}", hint=did_you_mean(wanted, list(fields)))
    return wanted, Secret(fields[wanted])


def _usual(kind: str, fields: dict[str, str]) -> str:
    return next((name for name in all_kinds()[kind].copied if name in fields), next(iter(fields)))


def _said(wanted: str, name: str, way: Clipboard, clear: str = "") -> str:
    """Where the field went. A terminal does not tell whether it did as it was asked."""
    until = f" for {clear}" if clear else ""
    if way.certain:
        return f"{wanted} of {name} is on the clipboard{until}."
    return (
        f"{wanted} of {name} was given to the terminal for its clipboard{until}."
        " Where it does not arrive, use reconcile download."
    )


def _pause(text: str) -> int:
    try:
        return 0 if re.fullmatch("0+[smhd]?", text) else parse_duration(text)
    except ValueError as error:
        raise UsageError(
            "--clear is not a duration", hint="write one such as 45s, or 0s to keep it"
        ) from error
