"""reconcile download"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from reconciler.artifacts.plaintext import plaintext
from reconciler.cli.context import Invocation, passed
from reconciler.cli.opening import opened
from reconciler.errors import SettingsError, UsageError
from reconciler.secret import Secret


@click.command("download")
@click.argument("name")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write to FILE, a new one."
)
@click.option("--stdout", is_flag=True, help="Write to standard output.")
@click.option("--force", is_flag=True, help="With --stdout: even when that is a terminal.")
@passed
def command(invocation: Invocation, name: str, output: str | None, *, stdout: bool, force: bool) -> int:
    """Open a token's artifact into a file that only you can read.

    Your identity is looked for where sops looks: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, your sops folder,
    your SSH key. The file is new, has mode 0600, and lies in this folder under the artifact's name
    unless --output says otherwise; an existing file is never overwritten.
    """
    if stdout and output:
        raise UsageError("--stdout and --output are two places", hint="choose one")
    if stdout and sys.stdout.isatty() and not force:
        raise UsageError(
            "this would show the secret on the terminal", hint="pipe it, use --output, or add --force"
        )
    delivered = opened(invocation.workspace, name)
    text = plaintext(delivered.opened, delivered.form)
    if stdout:
        click.echo(text.open(), nl=False)
        return 0
    path = Path(output or Path(delivered.path).name)
    write_private(path, text)
    header = delivered.opened.header
    whose = f"{header.kind} {name}, id {header.token_id}, generation {header.generation}"
    click.echo(f"{path}: {whose}, readable by you alone.", err=True)
    return 0


def write_private(path: Path, text: Secret) -> None:
    """A new file with mode 0600. Raises SettingsError where there is one already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        _fill(path, descriptor, text)
    except FileExistsError as error:
        raise SettingsError(
            f"{path} exists, and is not overwritten", hint="name a new file with --output"
        ) from error
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written: {error.strerror}", hint="name another file with --output"
        ) from error


def _fill(path: Path, descriptor: int, text: Secret) -> None:
    """Writes all of it; what could only be begun is removed again."""
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text.open())
    except OSError:
        path.unlink(missing_ok=True)
        raise
