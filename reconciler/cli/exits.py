"""Errors as a person reads them, and the exit code that each has."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType

import click

from reconciler.errors import ReconcilerError, SpecsInvalid

USAGE = 64
INTERRUPTED = 130
CODES = {
    "plan-blocked": 3,
    "plan-stale": 4,
    "locked": 5,
    "partly-applied": 6,
    "lease-lost": 6,
    "usage": USAGE,
}
"""By the code of the error; every other error exits with 1."""


def run(cli: click.Command, arguments: Sequence[str]) -> int:
    """Runs the command line and says how it ended, for `sys.exit`."""
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        result = cli.main(list(arguments), prog_name="reconcile", standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        error.show()
        return 1
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: nothing more is done", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ReconcilerError as error:
        return _told(error, debug="--debug" in arguments)
    return result if isinstance(result, int) else 0


def _interrupted(_: int, __: FrameType | None) -> None:
    """A pipeline that is cancelled ends as cleanly as Ctrl-C does."""
    raise KeyboardInterrupt


def _told(error: ReconcilerError, *, debug: bool) -> int:
    code = CODES.get(error.code, 1)
    if isinstance(error, SpecsInvalid) and error.faults:
        from reconciler.cli.faults import echo_faults

        echo_faults(error.faults, err=True)
    click.echo(click.style("error:", fg="red", bold=True) + f" {error}", err=True)
    tag = f"[{error.code}, exit {code}]"
    hint = click.style("hint: ", fg="cyan") + f" {error.hint}  {tag}" if error.hint else f"       {tag}"
    click.echo(hint, err=True)
    if debug:
        frames = traceback.extract_tb(error.__traceback__)
        click.echo("".join(traceback.format_list(frames)).rstrip(), err=True)
    return code
