"""reconcile new"""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.editing import checked, not_written, text_of, write
from reconciler.errors import UsageError
from reconciler.kinds import all_kinds
from reconciler.specs.assign import parse
from reconciler.specs.schema import schema_text
from reconciler.specs.write import SCHEMA_FILE, new_document, schema_line, write_whole
from reconciler.surroundings import SPECS
from reconciler.workspace import Workspace


def _kinds() -> str:
    return "\n".join(f"  {kind.name:<12}{kind.summary}" for kind in all_kinds().values())


@click.command(
    "new",
    help=f"""Apply for a token: write its spec, and show it. Nothing live is touched.

\b
KIND is one of
{_kinds()}

NAME is unique over the whole workspace. FIELDs are those of the kind, and of metadata, lifecycle and
deliver; lists are written with commas.

\b
reconcile new RSAToken plant-a-historian owner=team-historian \\
    apis=device.read,device.list projects=plant-a rotate.every=90d
""",
)
@click.argument("kind", type=click.Choice(list(all_kinds()), case_sensitive=False), metavar="KIND")
@click.argument("name")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option(
    "--file", metavar="FILE", help="Write to this file of specs/; by default specs/tokens/NAME.yaml."
)
@passed
def command(invocation: Invocation, kind: str, name: str, fields: tuple[str, ...], file: str | None) -> int:
    """Write a new spec."""
    workspace = invocation.workspace
    _make(workspace.root / SPECS)
    taken = next((one for one in workspace.specs.tokens if one.name == name), None)
    if taken is not None:
        raise UsageError(
            f"{name} is taken, in {taken.file}:{taken.line}", hint="names are unique: choose another"
        )
    if name in workspace.specs.renamed:
        raise UsageError(
            f"{workspace.specs.renamed[name]} was called {name}, as its metadata.previously says",
            hint="choose another, or remove it there once it is renamed everywhere",
        )
    place = _place(workspace, name, file)
    before = text_of(workspace, place) if (workspace.root / place).exists() else ""
    document = new_document(kind, name, parse(fields, kind))
    if before:
        after = before.rstrip("\n") + "\n---\n" + document
    else:
        after = schema_line(workspace.root / place, workspace.root / SPECS) + document
    checked(workspace, place, after)
    _keep_schema(workspace)
    write(workspace, place, before, after)
    return 0


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise not_written(folder, error) from error


def _place(workspace: Workspace, name: str, file: str | None) -> str:
    if file is None:
        return f"{SPECS}/tokens/{name}.yaml"
    path = (Path.cwd() / file).resolve()
    top = (workspace.root / SPECS).resolve()
    if not path.is_relative_to(top) or path.suffix not in (".yaml", ".yml"):
        raise UsageError(f"{file} is no spec file", hint=f"name a .yaml file below {SPECS}/")
    return f"{SPECS}/{path.relative_to(top).as_posix()}"


def _keep_schema(workspace: Workspace) -> None:
    path, text = workspace.root / SPECS / SCHEMA_FILE, schema_text()
    try:
        if not path.exists() or path.read_bytes() != text.encode():
            write_whole(path, text.encode())
    except OSError as error:
        raise not_written(path, error) from error
