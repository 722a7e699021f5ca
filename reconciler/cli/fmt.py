"""reconcile fmt"""

from __future__ import annotations

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.editing import write
from reconciler.cli.paths import is_below, named_in_specs
from reconciler.errors import SpecsInvalid, UsageError
from reconciler.specs.edit import formatted
from reconciler.specs.faults import Fault
from reconciler.specs.files import of_path, read_bytes, spec_files, unreadable
from reconciler.specs.reader import read_file
from reconciler.surroundings import SPECS
from reconciler.workspace import Workspace


@click.command("fmt")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when a file would change.")
@passed
def command(invocation: Invocation, paths: tuple[str, ...], *, check: bool) -> int:
    """Format spec files: even indentation, no trailing blanks. Comments, order and quotes stay."""
    workspace = invocation.workspace
    named = named_in_specs(workspace.root, paths)
    faults: list[Fault] = []
    files = [
        file
        for file in spec_files(workspace.root, SPECS, faults)
        if not paths or is_below(workspace.root / file, named)
    ]
    changes = [(file, *_formatted(workspace, file, faults)) for file in files]
    if faults:
        raise SpecsInvalid(
            "the specs have faults, so nothing was written",
            hint="mend them first",
            faults=tuple(sorted(faults)),
        )
    changed = [(file, before, after) for file, before, after in changes if before != after]
    for file, before, after in changed:
        if check:
            click.echo(f"{file} is not formatted")
        else:
            write(workspace, file, before, after)
    click.echo(f"{len(changed)} of {len(files)} files {'would change' if check else 'changed'}.", err=True)
    return 1 if check and changed else 0


def _formatted(workspace: Workspace, file: str, faults: list[Fault]) -> tuple[str, str]:
    """The text before and after, which mean the same; or a fault."""
    try:
        data = read_bytes(workspace.root / file)
    except OSError as error:
        faults.append(unreadable(file, error))
        return "", ""
    old = read_file(file, data)
    if old.faults:
        faults.extend(old.faults)
        return "", ""
    before = data.decode()
    try:
        after = formatted(before)
    except UsageError as error:
        faults.append(of_path(file, error.message, error.hint))
        return "", ""
    new = read_file(file, after.encode())
    if [token.normal for token in new.tokens] != [token.normal for token in old.tokens]:
        faults.append(
            of_path(file, "this file cannot be formatted without a change of meaning", "format it by hand")
        )
        return "", ""
    return before, after
