"""reconcile audit secrets"""

from __future__ import annotations

import click

from reconciler.audit.leaks.finding import SCHEMA
from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import counted, echo_json, echo_note, echo_styled, in_line
from reconciler.cli.reports import sarif
from reconciler.cli.reports.interface import Findings
from reconciler.git.shallow import DEEPEN
from reconciler.readers.auditing_secrets import LIMIT, Searched, search
from reconciler.specs.faults import Fault

FORMATS = ("text", "json", "sarif")


@click.command("secrets")
@click.option(
    "--revision", "revisions", multiple=True, metavar="REV | A..B", help="Only this line, or this range."
)
@click.option(
    "--largest", type=click.IntRange(min=1), default=LIMIT, metavar="BYTES", help="Read no content further."
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How to print.")
@passed
def command(invocation: Invocation, revisions: tuple[str, ...], largest: int, form: str) -> int:
    """Search the history for tokens and private keys in the clear.

    Everything that any branch or tag reaches is read: each version of each file of the repository, file
    names, and the messages of commits and tags. What is looked for are secret ids (by their checksum),
    signed tokens, age identities, and private keys that no password protects, in PEM, DER, OpenSSH, OpenPGP
    and PuTTY's form; also as base64, UTF-16 and UTF-32. Sealed artifacts hold none of these. It cannot tell
    a shared secret of HS256 and its like from other letters, and looks into no compressed file.

    A secret is never printed. What stood in a history once is known to whoever has a clone: rotate it.

    \b
    Exit codes: 0 nothing was found, 1 something was, or not all of it could be read.
    """
    searched = search(invocation.workspace, revisions, largest)
    if form == "json":
        echo_json(_as_json(searched))
    elif form == "sarif":
        echo_json(sarif.as_sarif(_as_findings(searched), "audit secrets"))
    else:
        _echo(searched)
    _echo_gaps(searched)
    return 1 if searched.findings or not searched.whole else 0


def _as_json(searched: Searched) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "whole": searched.whole,
        "searched": {
            "commits": searched.commits,
            "contents": searched.contents,
            "bytes": searched.bytes,
        },
        "findings": [one.to_json() for one in searched.findings],
        "unread": [{"path": one.path, "commit": one.commit, "why": one.why} for one in searched.unread],
        "cut": searched.cut,
    }


def _as_findings(searched: Searched) -> Findings:
    """Faults at the places where secrets came in; a message has no file, so its commit stands for one."""
    faults = [
        Fault(one.path or f"commits/{one.commit}", one.line or 1, 1, one.rule, one.message, one.hint, "", 1)
        for one in searched.findings
    ]
    return Findings(faults, (), tokens=0, whole=searched.whole, prefix="")


def _echo(searched: Searched) -> None:
    for one in searched.findings:
        rule = click.style(f"[{one.rule}]", dim=True)
        echo_styled(f"{click.style(in_line(one.where), bold=True)}: {in_line(one.message)} {rule}")
        echo_styled(f"  {in_line(one.hint)}")
    looked = f"{counted(searched.commits, 'commit')} and {counted(searched.contents, 'content')}"
    found = counted(len(searched.findings), "secret") if searched.findings else "no secret"
    click.echo(f"{found} in {looked}.", err=bool(searched.findings))


def _echo_gaps(searched: Searched) -> None:
    """What was left out, and how to have it."""
    if searched.cut:
        echo_note(
            f"this clone is shallow: what came before {searched.cut[0][:10]} was not searched; {DEEPEN}"
        )
    for one in searched.unread:
        place = one.path or f"commit {one.commit[:10]}"
        more = "search with a higher --largest" if one.begun else "git fetch --refetch --no-filter"
        until = " to its end" if one.begun else ""
        echo_note(f"{place} was not searched{until}: {one.why}; {more}")
