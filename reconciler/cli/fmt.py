"""reconcile fmt"""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.editing import text_of, write
from reconciler.errors import SpecsInvalid, UsageError
from reconciler.specs.edit import formatted
from reconciler.specs.faults import Fault
from reconciler.specs.load import spec_files
from reconciler.specs.reader import read_file
from reconciler.workspace import SPECS, Workspace


@click.command("fmt")
@click.argument("paths", nargs=-1, type=click.Path(exists=True))
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when a file would change.")
@passed
def command(invocation: Invocation, paths: tuple[str, ...], *, check: bool) -> int:
    """Format spec files: even indentation, no trailing blanks. Comments, order and quotes stay."""
    workspace = invocation.workspace
    faults: list[Fault] = []
    files = [file for file in spec_files(workspace.root, SPECS, faults) if _asked(workspace, file, paths)]
    if faults:
        raise SpecsInvalid("the spec folder has faults", hint="mend them first", faults=tuple(faults))
    changed = 0
    for file in files:
        before = text_of(workspace, file)
        after = _formatted(file, before)
        if before != after:
            changed += 1
            if check:
                click.echo(f"{file} is not formatted")
            else:
                write(workspace, file, before, after)
    click.echo(f"{changed} of {len(files)} files {'would change' if check else 'changed'}.", err=True)
    return 1 if check and changed else 0


def _asked(workspace: Workspace, file: str, paths: tuple[str, ...]) -> bool:
    place = workspace.root / file
    return not paths or any(place.is_relative_to(Path(path).resolve()) for path in paths)


def _formatted(file: str, before: str) -> str:
    """The formatted text, which must mean what the text before meant."""
    old = read_file(file, before.encode())
    if old.faults:
        raise SpecsInvalid(f"{file} has faults", hint="mend them first", faults=tuple(old.faults))
    after = formatted(before)
    if [token.normal for token in read_file(file, after.encode()).tokens] != [
        token.normal for token in old.tokens
    ]:
        raise UsageError(
            f"{file} cannot be formatted without changing what it means", hint="format it by hand"
        )
    return after
