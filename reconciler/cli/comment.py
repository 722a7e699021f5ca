"""reconcile comment"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from reconciler.cli.context import Invocation, passed, surroundings
from reconciler.cli.output import echo_json, in_line
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.forges.interface import Thread

LARGEST = 4_000_000
"""Bytes of a comment that are read: more than any forge takes."""


@click.command("comment")
@click.option("--failed", is_flag=True, help="Say that no plan could be made; standard input says why.")
@click.option("--base", metavar="REF", help="With --failed: as plan was told.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(invocation: Invocation, base: str | None, form: str, *, failed: bool) -> int:
    """Put Markdown from standard input on the pull request, in one comment that is updated.

    The first line is a marker, <!-- reconciler: NAME -->, as plan --format markdown prints it. The comment
    that begins with the same marker, and was written by whom this token is of, is updated; where there is
    none, one is added. Prints the address of the comment.

    Where the second line is <!-- updates a comment, adds none -->, as in a plan that changes nothing, no
    comment is added. With --failed, the comment of the plan that is there, if there is one, says that no plan
    could be made of the newest commit, and shows the text from standard input as it is.

    In a workflow of GitHub, it takes GITHUB_TOKEN with `pull-requests: write`; in a pipeline of GitLab,
    RECONCILER_GITLAB_TOKEN. The token is sent to the API that the pipeline names, and nowhere else.

    \b
    Exit codes: 0 done, 1 the forge refused, 64 not for a pull request, or no marker.
    """
    from reconciler.cli.sending import send
    from reconciler.forges import forge_of
    from reconciler.forges.commenting import comment, marker_of
    from reconciler.forges.interface import Place

    if base is not None and not failed:
        raise UsageError("--base is for a plan that failed", hint="pass --failed with it, or leave it out")
    text = _text()
    if not failed:
        marker_of(text)
    around = surroundings()
    thread = forge_of(around.environ).thread(Place(around.environ, lambda file: file.read_bytes(), send))
    done = comment(thread, _failed(invocation, base, thread, text) if failed else text, around.sleep)
    if form == "json":
        echo_json({"schema": "reconciler/comment/v1", "url": done.url, "outcome": done.outcome})
    elif done.url is not None:
        click.echo(in_line(done.url))
    return 0


def _failed(invocation: Invocation, base: str | None, thread: Thread, why: str) -> str:
    """The comment where there is no plan. Raises GitFailed and SpecsInvalid."""
    from reconciler.cli.unplanned import unplanned_lines
    from reconciler.readers.judging import called_under

    name, place = called_under(invocation.workspace, base)
    return "\n".join(unplanned_lines(name, place, thread.commit, thread.log, why.splitlines())) + "\n"


def _text() -> str:
    """What comes by standard input. Raises UsageError where it is no text."""
    if sys.stdin.isatty():
        raise UsageError(
            "the comment comes by standard input", hint="reconcile plan --format markdown | reconcile comment"
        )
    data: bytes = sys.stdin.buffer.read(LARGEST)
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise UsageError("standard input is not UTF-8", hint="pipe Markdown into it") from None
