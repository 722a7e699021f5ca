"""reconcile audit access"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from reconciler.audit.access import Question, Wish, granted_fields
from reconciler.audit.spans import State
from reconciler.cli.accesses import all_formats
from reconciler.cli.accesses.interface import unknown_text
from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import echo_note
from reconciler.errors import UsageError
from reconciler.kinds import all_kinds
from reconciler.readers.accessing import Asked, answer
from reconciler.readers.auditing import Auditing
from reconciler.specs.faults import did_you_mean


@click.command("access")
@click.option("--api", "apis", multiple=True, metavar="NAME", help="Who may call this API.")
@click.option("--project", "projects", multiple=True, metavar="NAME", help="Who may reach this project.")
@click.option("--user", "users", multiple=True, metavar="NAME", help="Who may act as this user.")
@click.option("--grant", "grants", multiple=True, metavar="FIELD=VALUE", help="Who is granted that.")
@click.option("--owner", "owners", multiple=True, metavar="NAME", help="Only tokens of this owner.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(list(all_kinds()), case_sensitive=False),
    help="Only this kind.",
)
@click.option("--name", "names", multiple=True, help="Only the token that has, or had, this name.")
@click.option("--at", metavar="DATE|TIME|REV", help="Who could then; without, who can now.")
@click.option("--between", nargs=2, metavar="A B", help="Who could at any moment between the two.")
@click.option(
    "--state",
    type=click.Choice(["active", "all"]),
    default="active",
    help="With all, those too that were off or had ended.",
)
@click.option("--line", metavar="REV", help="The line of this revision; without, what is checked out.")
@click.option("--declared", is_flag=True, help="What specs declared, not what records say was live.")
@click.option(
    "--format", "form", type=click.Choice(list(all_formats())), default="text", help="How to print."
)
@passed
def command(
    invocation: Invocation,
    apis: tuple[str, ...],
    projects: tuple[str, ...],
    users: tuple[str, ...],
    grants: tuple[str, ...],
    owners: tuple[str, ...],
    kinds: tuple[str, ...],
    names: tuple[str, ...],
    at: str | None,
    between: tuple[str, str] | None,
    state: str,
    line: str | None,
    form: str,
    *,
    declared: bool,
) -> int:
    """Tell who could do what, and when.

    A token is told when it fits every option: it is granted each API, project, user and grant that is
    named, itself or by *, and is of one of the owners, kinds and names. MAY tells which grant lets it.

    A DATE is that whole day in UTC; a TIME says its zone, as in 2026-03-01T12:00:00Z; a REV is what was
    live, or declared, as of that commit, on its own line or on that of --line. It reads git and nothing
    else: the records where there are any, which tell what was live; else, or with --declared, the history
    of the specs, by first parents: what a merge brought counts from the merge on. Records are believed as
    `reconcile audit verify` leaves them; where spec.audit.records is signed, their signatures are checked.

    SINCE and UNTIL name the run and the commit whose specs it applied, as in run 9e70 of b42ccae; or, of
    specs, the commit that changed the token, as in (b42ccae). Which commit asked for what a run did,
    `reconcile audit log` tells. A token can do nothing once its newest credential has ended: only records
    tell when.

    \b
    Exit codes: 0 done, 1 error, or the answer is not whole.
    """
    if at is not None and between is not None:
        raise UsageError("--at and --between are two questions", hint="leave out one of them")
    by_section = {"apis": apis, "projects": projects, "users": users}
    _check_named({"--api": apis, "--project": projects, "--user": users, "--owner": owners, "--name": names})
    wishes = [Wish(section, name, by_section=True) for section, asked in by_section.items() for name in asked]
    states = tuple(State) if state == "all" else (State.ACTIVE,)
    question = Question((*wishes, *map(_grant, grants)), names, kinds, owners, states)
    times = between or ((at,) if at is not None else ())
    found = answer(Auditing(invocation.workspace), Asked(question, times, declared, line))
    for note in (*found.notes, *map(unknown_text, found.unknown)):
        echo_note(note)
    click.echo("\n".join(all_formats()[form].lines(found)))
    return 0 if found.whole else 1


def _check_named(given: Mapping[str, Sequence[str]]) -> None:
    """Raises UsageError for an option that is given and names nothing: nobody would be told, or everybody."""
    for option, asked in given.items():
        if "" in asked:
            raise UsageError(f"{option} names nothing", hint="write a name, or leave the option out")


def _grant(text: str) -> Wish:
    """`role=admin`. Raises UsageError."""
    field, sign, value = text.partition("=")
    if not sign or not value:
        raise UsageError(f"--grant {text} is not FIELD=VALUE", hint="write one such as role=admin")
    if field not in granted_fields():
        raise UsageError(
            f"no kind of token is granted anything by {field!r}",
            hint=did_you_mean(field, sorted(granted_fields())),
        )
    return Wish(field, value, by_section=False)
