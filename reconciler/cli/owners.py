"""reconcile owners"""

from __future__ import annotations

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.editing import not_written
from reconciler.cli.output import echo_diff, echo_json, in_line
from reconciler.errors import UsageError
from reconciler.starting.codeowners import Codeowners, found
from reconciler.starting.owners import Naming, lines, made_with, naming, pattern, placed, section

SCHEMA = "reconciler/owners/v1"
DIFFERS = 1


@click.command("owners")
@click.option("--org", metavar="ORG", help="Owners are teams of this organisation: @ORG/OWNER.")
@click.option(
    "--map", "pairs", multiple=True, metavar="OWNER=HANDLE", help="What the forge calls an owner; repeatable."
)
@click.option("--check", is_flag=True, help="Compare with CODEOWNERS, and exit with 1 where it differs.")
@click.option("--write", "to_write", is_flag=True, help="Put the lines into CODEOWNERS.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@passed
def command(
    invocation: Invocation, org: str | None, pairs: tuple[str, ...], form: str, *, check: bool, to_write: bool
) -> int:
    """Print CODEOWNERS lines from metadata.owner, so that who has a token reviews its spec.

    One line for each spec file, or for a folder in which all is one owner's. An owner that is a handle
    (@acme/team) or an e-mail address stays as it is; any other needs --org or --map. The options are kept
    in CODEOWNERS, so that --check and --write need none later. Other lines of the file stay.

    \b
    Exit codes: 0 done, 1 error, or CODEOWNERS differs (with --check).
    """
    if check and to_write:
        raise UsageError("--check writes nothing", hint="leave one of --check and --write out")
    workspace = invocation.workspace
    file = found(workspace.root)
    calls = _naming(file, org, pairs)
    listed = lines(file.owners(workspace.specs), calls)
    made = section(listed, calls)
    if to_write or check:
        return _compare(file, made, to_write=to_write)
    if form == "json":
        rows = [{"path": path, "pattern": pattern(path), "owners": names} for path, names in listed]
        echo_json({"schema": SCHEMA, "lines": rows})
    else:
        click.echo(made, nl=False)
    return 0


def _naming(file: Codeowners, org: str | None, pairs: tuple[str, ...]) -> Naming:
    """As the options say; without any, as those that the section was made with."""
    if org is not None or pairs:
        return naming(org, pairs)
    return made_with(file.text) or Naming()


def _compare(file: Codeowners, made: str, *, to_write: bool) -> int:
    after = placed(file.text, made)
    if after == file.text:
        click.echo(in_line(f"{file.place} says what the specs say."), err=True)
        return 0
    echo_diff(file.place, file.text, after)
    if to_write:
        try:
            file.write(after)
        except OSError as error:
            raise not_written(file.place, error) from error
        return 0
    click.echo(in_line(f"{file.place} differs from the specs: run reconcile owners --write"), err=True)
    return DIFFERS
