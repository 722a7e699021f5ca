"""reconcile copy"""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from reconciler.artifacts.plaintext import opened_fields
from reconciler.cli.context import Invocation, passed
from reconciler.cli.opening import opened
from reconciler.cli.programs import environment
from reconciler.errors import SettingsError, UsageError
from reconciler.kinds import all_kinds
from reconciler.kinds.fields import parse_duration
from reconciler.secret import Secret
from reconciler.specs.faults import did_you_mean

PROGRAMS = (
    ("pbcopy",),
    ("wl-copy",),
    ("xclip", "-selection", "clipboard"),
    ("xsel", "--clipboard", "--input"),
    ("clip.exe",),
)
TERMINAL = Path("/dev/tty")


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
    RSAToken, the login token of a LoginToken. Where no clipboard program is at hand, as over SSH,
    the terminal is asked to do it (OSC 52). The field is never printed.
    """
    pause = _pause(clear)
    delivered = opened(invocation.workspace, name)
    fields = opened_fields(delivered.opened)
    wanted = field or _usual(delivered.kind, fields)
    if wanted not in fields:
        raise UsageError(f"{name} has no field {wanted}", hint=did_you_mean(wanted, list(fields)))
    put = clipboard(invocation)
    put(Secret(fields[wanted]))
    click.echo(f"{wanted} of {name} is on the clipboard{f' for {clear}' if pause else ''}.", err=True)
    if pause:
        try:
            invocation.workspace.around.sleep(pause)
        finally:
            put(Secret(""))
        click.echo("The clipboard is cleared.", err=True)
    return 0


def _pause(text: str) -> int:
    try:
        return 0 if text in ("0", "0s") else parse_duration(text)
    except ValueError as error:
        raise UsageError(
            "--clear is not a duration", hint="write one such as 45s, or 0s to keep it"
        ) from error


def _usual(kind: str, fields: dict[str, str]) -> str:
    return next((name for name in all_kinds()[kind].copied if name in fields), next(iter(fields)))


def clipboard(invocation: Invocation) -> Callable[[Secret], None]:
    """How to reach a clipboard from here. Raises SettingsError where there is no way."""
    environ = invocation.workspace.around.environ
    remote = "SSH_CONNECTION" in environ or "SSH_TTY" in environ
    for program in PROGRAMS:
        if not remote and shutil.which(program[0], path=environ.get("PATH")):
            return partial(_by_program, program, environment(environ))
    if TERMINAL.exists() and _has_terminal():
        return _by_terminal
    raise SettingsError(
        "there is no clipboard here: no program for it, and no terminal",
        hint="use reconcile download NAME, or install wl-copy, xclip or xsel",
    )


def _has_terminal() -> bool:
    try:
        TERMINAL.open("wb", buffering=0).close()
    except OSError:
        return False
    return True


def _by_program(program: tuple[str, ...], environ: dict[str, str], text: Secret) -> None:
    try:
        subprocess.run(
            program,
            input=text.open().encode(),
            check=True,
            timeout=10,
            capture_output=True,
            env=environ,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SettingsError(f"{program[0]} did not take it", hint="use reconcile download NAME") from error


def _by_terminal(text: Secret) -> None:
    encoded = base64.b64encode(text.open().encode())
    with TERMINAL.open("wb", buffering=0) as terminal:
        terminal.write(b"\x1b]52;c;" + encoded + b"\x07")
