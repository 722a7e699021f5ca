"""reconcile list"""

from __future__ import annotations

import click

from reconciler.audit.inventory import Entry, Filters, listed
from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import echo_json, echo_table
from reconciler.errors import UsageError
from reconciler.kinds import all_kinds
from reconciler.kinds.fields import parse_duration

STATES = ("active", "disabled", "expired")
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
    """Find live tokens by name, title, owner or label.

    QUERY is looked for roughly, so that a slip of the finger does no harm; the best match comes first.
    """
    workspace = invocation.workspace
    now = workspace.around.clock()
    filters = Filters(kind, owner, state, _within(expiring, now))
    with workspace.live() as store:
        entries = listed(store.tokens(), query, filters, now)
    if form == "json":
        echo_json({"schema": "reconciler/tokens/v1", "tokens": [entry.to_json() for entry in entries]})
    elif entries:
        echo_table([HEADING, *map(_row, entries)])
    else:
        click.echo(
            "no live token fits that." if query or any(_given(filters)) else "no token is live yet.", err=True
        )
    return 0


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
        entry.expires[:10] if entry.expires else "",
        entry.title or "",
    )
