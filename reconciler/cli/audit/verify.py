"""reconcile audit verify"""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import click

from reconciler.audit.verifying.finding import Finding
from reconciler.audit.verifying.verified import Verified
from reconciler.audit.window import window
from reconciler.cli.context import Invocation, passed
from reconciler.cli.output import counted, echo_json, in_line, style
from reconciler.readers.auditing_verify import Asked, verify

ANCHOR = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _anchors(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    for one in given:
        if ANCHOR.fullmatch(one) is None:
            raise click.BadParameter("the digest of a record is sha256: and 64 hexadecimal digits")
    return tuple(f"sha256:{one.removeprefix('sha256:')}" for one in given)


def _since(_: click.Context, __: click.Parameter, given: str | None) -> int | None:
    found = None if given is None else window(given)
    if given is not None and found is None:
        raise click.BadParameter("write a day such as 2026-03-01, or a time such as 2026-03-01T12:00:00Z")
    return None if found is None else found.since


@click.command("verify")
@click.option("--revision", metavar="REV", help="The commit that is looked at; without, what is checked out.")
@click.option("--keys", type=FILE, help="Public keys that may sign records, one a line, or PEM.")
@click.option(
    "--records",
    type=click.Choice(["signed", "any"]),
    help="Which records are taken; with --keys, signed ones without being asked.",
)
@click.option("--commits", type=click.Choice(["signed", "any"]), help="Which commits are taken.")
@click.option(
    "--commits-since",
    metavar="WHEN",
    callback=_since,
    help="The day or time from which on commits must be signed; with --commits, always without.",
)
@click.option("--allowed-signers", type=FILE, help="Whose SSH keys sign commits, as git reads it.")
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    metavar="DIGEST",
    callback=_anchors,
    help="Digest of a record that was noted earlier; it must still be there.",
)
@click.option("--live", is_flag=True, help="Ask the live store as well.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(
    invocation: Invocation,
    *,
    revision: str | None,
    keys: Path | None,
    records: str | None,
    commits: str | None,
    commits_since: int | None,
    allowed_signers: Path | None,
    anchors: tuple[str, ...],
    live: bool,
    form: str,
) -> int:
    """Check that nothing was edited afterwards, and that all of it was declared.

    From a clone alone: the chain of records, that no commit changed one, each signature, each artifact at
    the commit that recorded it and now, each change against the specs of its commit, and, where it is asked
    for, each commit's signature by git. With --live, also that the live store is what the records left.

    What the clone says of itself is as good as the clone: bring your own keys with --keys (records must then
    be signed by them), and ask with --commits. Note the digest that is printed last, and pass it with
    --anchor the next time.

    \b
    Exit codes: 0 nothing found, 1 findings, or an error.
    """
    asked = Asked(
        revision=revision,
        keys=None if keys is None else _lines(keys.read_text("utf-8", errors="replace")),
        records=None if records is None else records == "signed",
        commits=None if commits is None else commits == "signed",
        commits_since=commits_since,
        signers=None if allowed_signers is None else str(allowed_signers.resolve()),
        anchors=anchors,
        live=live,
    )
    report = verify(invocation.workspace, asked)
    if form == "json":
        echo_json(report.to_json())
    else:
        _echo(report)
    return 1 if report.faults else 0


def _lines(text: str) -> list[str]:
    """The keys of a file: a line each, or a PEM of several; blank lines and those with # are left out."""
    pems = re.findall(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", text, re.DOTALL)
    rest = re.sub(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", "", text, flags=re.DOTALL)
    lines = (line.strip() for line in rest.splitlines())
    return [*pems, *(line for line in lines if line and not line.startswith("#"))]


def _echo(report: Verified) -> None:
    for found, before in ((report.faults, ""), (report.notes, style("note: ", fg="cyan"))):
        for hint, alike in groupby(found, key=lambda one: one.hint):
            for one in alike:
                click.echo(before + _line(one))
            # Once for those that stand together: ten thousand records may lack the same.
            click.echo(style("  hint: ", fg="cyan") + in_line(hint))
    click.echo(f"{report.workspace} at {report.commit[:7]}, checked:")
    width = max(map(len, report.checked), default=0)
    for what, told in report.checked.items():
        click.echo(in_line(f"  {what:<{width}}  {told}"))
    if report.unchecked:
        click.echo("not checked:")
    for gap in report.unchecked:
        click.echo(in_line(f"  {gap}"))
    if report.head is not None:
        click.echo(f"head {report.head}")
    notes = f", {counted(len(report.notes), 'note')}" if report.notes else ""
    faults = len(report.faults)
    click.echo(f"{counted(faults, 'finding') if faults else 'Nothing found'}{notes}.")


def _line(one: Finding) -> str:
    return in_line(f"{one.where}: {one.message} [{one.check.value}]")
