"""Errors as a person reads them, and the exit code that each has."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from reconciler.cli import outlet
from reconciler.cli.outlet import outlast_readers
from reconciler.cli.output import echo_styled, in_line, visible
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
    """Runs the command line and says how it ended, for `sys.exit`. Nothing that it raises gets out."""
    if sys.stdout is None or sys.stderr is None:
        return _without_output()
    signal.signal(signal.SIGTERM, _interrupted)
    debug = "--debug" in arguments
    try:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        outlast_readers()
        return _run(cli, arguments, debug=debug)
    except Exception as error:
        if isinstance(error, OSError) and _of_output(error):
            _drop_output()
            click.echo(f"error: the result cannot be written: {error.strerror}", err=True)
            return 1
        return _unforeseen(error, debug=debug)


def _run(cli: click.Command, arguments: Sequence[str], *, debug: bool) -> int:
    try:
        result = cli.main(list(arguments), prog_name="reconcile", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        click.echo(visible(shown.getvalue()), err=True, nl=False)
        return USAGE if isinstance(error, click.UsageError) else 1
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: nothing more is done", err=True)
        return INTERRUPTED
    except ReconcilerError as error:
        return _told(error, debug=debug)
    return result if isinstance(result, int) else 0


def _interrupted(_: int, __: FrameType | None) -> None:
    """A pipeline that is cancelled ends as cleanly as Ctrl-C does."""
    raise KeyboardInterrupt


def _without_output() -> int:
    """A closed stream is refused at the start: else the next file that is opened takes its place."""
    click.echo("error: stdout and stderr must be open; to see nothing, send them to /dev/null", err=True)
    return 1


def _of_output(error: OSError) -> bool:
    """Whether a write to stdout raised it: that happens in click, or in the flush at the end."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return error.filename is None and last.filename in (click.utils.__file__, outlet.__file__, __file__)


def _drop_output() -> None:
    """What still waits in stdout goes nowhere, so that the interpreter does not stumble over it."""
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _unforeseen(error: Exception, *, debug: bool) -> int:
    """Without the error's own message: nobody knows what stands in it."""
    echo_styled(
        click.style("error:", fg="red", bold=True)
        + f" a fault that was not foreseen ({type(error).__name__})",
        err=True,
    )
    hint = "report it, with these lines" if debug else "run it again with --debug, and report what that shows"
    echo_styled(click.style("hint: ", fg="cyan") + f" {hint}  [unforeseen, exit 1]", err=True)
    if debug:
        _echo_frames(error)
    return 1


def _told(error: ReconcilerError, *, debug: bool) -> int:
    code = CODES.get(error.code, 1)
    if isinstance(error, SpecsInvalid) and error.faults:
        from reconciler.cli.faults import echo_faults

        echo_faults(error.faults, err=True)
    echo_styled(click.style("error:", fg="red", bold=True) + in_line(f" {error}"), err=True)
    tag = f"[{error.code}, exit {code}]"
    told = in_line(f" {error.hint}  {tag}")
    hint = click.style("hint: ", fg="cyan") + told if error.hint else f"       {tag}"
    echo_styled(hint, err=True)
    if debug:
        _echo_frames(error)
    return code


def _echo_frames(error: Exception) -> None:
    frames = traceback.extract_tb(error.__traceback__)
    click.echo("".join(traceback.format_list(frames)).rstrip(), err=True)
