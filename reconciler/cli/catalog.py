"""reconcile catalog"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import counted, echo_json, echo_table, in_line
from reconciler.errors import UsageError
from reconciler.specs.catalog import SECTIONS
from reconciler.specs.faults import did_you_mean, shown
from reconciler.specs.load import Specs
from reconciler.specs.usage import Row, Use, rows, sought, uses, with_all

SCHEMA = "reconciler/catalog/v1"
HEADING = ("SECTION", "NAME", "TOKENS", "OWNERS", "DEPRECATED", "DESCRIPTION")
USES = ("TOKEN", "KIND", "OWNER", "THROUGH")
WIDTH = 60
"""Letters of a description that a table has room for."""
UNLISTED = "(in no catalog)"


@click.command("catalog")
@click.argument("name", required=False)
@click.option("--section", type=click.Choice(SECTIONS), help="Only this section.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(invocation: Invocation, name: str | None, section: str | None, form: str) -> int:
    """Show what specs may name, and who names it.

    With NAME, or SECTION:NAME, the tokens that name this API, project, user, role, rule, shop, app or
    group, themselves or through a group: who would be affected if it left the catalog. Names that specs
    use and no catalog lists are shown too. No live store is needed.
    """
    specs = invocation.workspace.specs
    found = [row for row in rows(specs.tokens, specs.catalog) if section in (None, row.section)]
    named = found if name is None else _sought(found, name)
    if form == "json":
        entries = [_as_json(row) if name is None else _with_uses(specs, row) for row in named]
        echo_json({"schema": SCHEMA, "entries": entries})
    elif name is not None:
        for number, row in enumerate(named):
            if number:
                click.echo()
            _echo_entry(specs, row)
    elif found:
        echo_table([HEADING, *map(_cells, found)])
    else:
        click.echo("no catalog lists anything, and no spec names anything.", err=True)
    return 0


def _sought(found: Sequence[Row], name: str) -> list[Row]:
    named = sought(found, name)
    if not named:
        known = list(dict.fromkeys(row.name for row in found))
        section, _, rest = name.partition(":")
        word = rest if section in SECTIONS else name
        hint = did_you_mean(word, known) if known else "see what there is with: reconcile catalog"
        raise UsageError(f"no catalog lists {shown(name)}, and no spec names it", hint=hint)
    return named


def _as_json(row: Row) -> dict[str, object]:
    entry = row.entry
    return {
        "section": row.section,
        "name": row.name,
        "listed": entry is not None,
        "description": entry.description if entry else None,
        "deprecated": entry.deprecated if entry else None,
        "members": sorted(entry.members) if entry and entry.members else None,
        "routes": list(entry.routes) if entry and entry.routes else None,
        "groups": list(row.groups),
        "tokens": row.tokens,
        "owners": sorted(row.owners),
    }


def _with_uses(specs: Specs, row: Row) -> Mapping[str, object]:
    return {
        **_as_json(row),
        "uses": [
            {
                "token": use.token,
                "kind": use.kind,
                "owner": use.owner,
                "direct": use.direct,
                "through": list(use.through),
            }
            for use in uses(specs.tokens, specs.catalog, row.section, row.name)
        ],
        "all": with_all(specs.tokens, specs.catalog, row.section),
    }


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.section,
        row.name,
        str(row.tokens),
        str(len(row.owners)),
        _short(row.entry.deprecated or "") if row.entry else "",
        _short(_about(row)),
    )


def _about(row: Row) -> str:
    if row.entry is None:
        return UNLISTED
    return row.entry.description or ", ".join(sorted(row.entry.members or ()))


def _short(text: str) -> str:
    line = in_line(text).strip()
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def _echo_entry(specs: Specs, row: Row) -> None:
    for label, text in _lines(row):
        click.echo(in_line(f"{label:<11}  {text}"))
    found = uses(specs.tokens, specs.catalog, row.section, row.name)
    if found:
        click.echo()
        echo_table([USES, *map(_use_cells, found)])
        click.echo()
    click.echo(_closing(row, with_all(specs.tokens, specs.catalog, row.section)))


def _lines(row: Row) -> Iterator[tuple[str, str]]:
    yield "section", row.section
    yield "name", row.name if row.entry else f"{row.name}  {UNLISTED}"
    if row.entry and row.entry.description:
        yield "description", row.entry.description
    if row.entry and row.entry.deprecated:
        yield "deprecated", row.entry.deprecated
    if row.entry and row.entry.members:
        yield "members", ", ".join(sorted(row.entry.members))
    for route in (row.entry.routes if row.entry else None) or ():
        yield "route", route
    if row.groups:
        yield "member of", ", ".join(row.groups)


def _use_cells(use: Use) -> tuple[str, ...]:
    through = ", ".join(("its own spec" if use.direct else "", *use.through)).removeprefix(", ")
    return use.token, use.kind, in_line(use.owner or ""), through


def _closing(row: Row, everything: int) -> str:
    """Who would be affected, in a sentence."""
    owners = f" of {counted(len(row.owners), 'owner')}" if row.owners else ""
    told = (
        f"{counted(row.tokens, 'token')}{owners} would be affected." if row.tokens else "No token names it."
    )
    if everything and row.name != "*":
        verb = "tokens have" if everything > 1 else "token has"
        told += f" {everything} {verb} all {row.section} by *."
    return told
