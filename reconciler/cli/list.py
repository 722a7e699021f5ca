"""reconcile list"""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.audit.inventory import Entry, Filters, listed
from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import echo_json, echo_table
from reconciler.errors import UsageError
from reconciler.kinds import all_kinds
from reconciler.kinds.fields import parse_duration
from reconciler.live.interface import TokenState

STATES = tuple(state.value for state in TokenState)
DELETED = TokenState.DELETED.value
HEADING = ("NAME", "KIND", "ID", "STATE", "GEN", "OWNER", "EXPIRES", "TITLE")


@click.command("list")
@click.argument("query", required=False)
@click.option("--kind", type=click.Choice(list(all_kinds()), case_sensitive=False), help="Only this kind.")
@click.option("--owner", help="Only this owner's.")
@click.option("--state", type=click.Choice(STATES), help="Only tokens in this state.")
@click.option("--expiring", metavar="30d", help="Only tokens that end within this time.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(
    invocation: Invocation,
    query: str | None,
    kind: str | None,
    owner: str | None,
    state: str | None,
    expiring: str | None,
    form: str,
) -> int:
    """Find live tokens by name, title, owner or label; with --state deleted, those that were.

    QUERY is looked for roughly, so that a slip of the finger does no harm; the best match comes first.
    """
    gone = state == DELETED
    if gone and expiring is not None:
        raise UsageError(
            "a token that was deleted has ended already", hint="leave out --expiring, or --state deleted"
        )
    workspace = invocation.workspace
    now = workspace.around.clock()
    filters = Filters(kind, owner, state, _within(expiring, now))
    with workspace.live() as store:
        entries = listed(store.graveyard() if gone else store.tokens(), query, filters, now)
    if form == "json":
        echo_json({"schema": "reconciler/tokens/v1", "tokens": [entry.to_json() for entry in entries]})
    elif entries:
        echo_table([_heading(gone=gone), *map(_row, entries)])
    else:
        click.echo(_nothing(query, filters, gone=gone), err=True)
    return 0


def _heading(*, gone: bool) -> tuple[str, ...]:
    """Of a token that was deleted, the end that it came to is told."""
    return tuple("DELETED" if gone and name == "EXPIRES" else name for name in HEADING)


def _nothing(query: str | None, filters: Filters, *, gone: bool) -> str:
    if query or any(_given(replace(filters, state=None) if gone else filters)):
        return "no deleted token fits that." if gone else "no live token fits that."
    return "no token was deleted yet." if gone else "no token is live yet."


def _within(text: str | None, now: int) -> int | None:
    if text is None:
        return None
    try:
        return now + parse_duration(text)
    except ValueError as error:
        raise UsageError("--expiring is not a duration", hint="write one such as 30d") from error


def _given(filters: Filters) -> tuple[object, ...]:
    return filters.kind, filters.owner, filters.state, filters.expiring_before


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        entry.name,
        entry.kind,
        entry.id,
        entry.state,
        str(entry.generation),
        entry.owner or "",
        (entry.deleted or entry.expires or "")[:10],
        entry.title or "",
    )
