"""reconcile comment"""

from __future__ import annotations

import sys

import click

from reconciler.cli.context import surroundings
from reconciler.cli.output import echo_json, in_line
from reconciler.errors import UsageError

LARGEST = 4_000_000
"""Bytes of a comment that are read: more than any forge takes."""


@click.command("comment")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
def command(form: str) -> int:
    """Put Markdown from standard input on the pull request, in one comment that is updated.

    The first line is a marker, <!-- reconciler: NAME -->, as plan --format markdown prints it. The comment
    that begins with the same marker, and was written by whom this token is of, is updated; where there is
    none, one is added. Prints the address of the comment.

    In a workflow of GitHub, it takes GITHUB_TOKEN with `pull-requests: write`; in a pipeline of GitLab,
    RECONCILER_GITLAB_TOKEN. The token is sent to the API that the pipeline names, and nowhere else.

    \b
    Exit codes: 0 done, 1 the forge refused, 64 not for a pull request, or no marker.
    """
    from reconciler.cli.sending import send
    from reconciler.forges import forge_of
    from reconciler.forges.commenting import comment, marker_of
    from reconciler.forges.interface import Place

    text = _text()
    marker_of(text)
    around = surroundings()
    thread = forge_of(around.environ).thread(Place(around.environ, lambda file: file.read_bytes(), send))
    done = comment(thread, text, around.sleep)
    if form == "json":
        echo_json({"schema": "reconciler/comment/v1", "url": done.url, "outcome": done.outcome})
    else:
        click.echo(in_line(done.url))
    return 0


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
