"""reconcile rename"""

from __future__ import annotations

import os
from pathlib import PurePosixPath

import click

from reconciler.cli.context import Invocation, passed
from reconciler.cli.editing import checked, found, not_written, text_of, write
from reconciler.cli.output import echo_note
from reconciler.errors import UsageError
from reconciler.specs.ask import renaming
from reconciler.specs.edit import chunks, with_fields
from reconciler.specs.load import Specs
from reconciler.workspace import Workspace


@click.command("rename")
@click.argument("old")
@click.argument("new")
@passed
def command(invocation: Invocation, old: str, new: str) -> int:
    """Give a token another name: edit its spec, and show the edit. Nothing live is touched.

    The next apply renames the live token and moves its artifact. It stays the same token: its id, its
    credential and its history stay, and whoever uses it notices nothing.
    """
    workspace = invocation.workspace
    declared = found(workspace, old)
    _check_free(workspace.specs, old, new)
    before = text_of(workspace, declared.file)
    after = with_fields(before, declared.line, renaming(declared.spec(), new))
    checked(workspace, declared.file, after)
    write(workspace, declared.file, before, after)
    if _is_its_own(declared.file, old, before):
        _move(workspace, declared.file, new)
    for policy in _excepting(workspace.specs, old):
        echo_note(f"policy {policy} makes an exception for {old}: give it the new name there")
    return 0


def _check_free(specs: Specs, old: str, new: str) -> None:
    """Raises UsageError for a name that another token has or had."""
    taken = specs.token(new)
    if new == old:
        raise UsageError(f"{old} is called so already", hint="name another")
    if taken is not None:
        raise UsageError(
            f"{new} is taken, in {taken.file}:{taken.line}", hint="names are unique: choose another"
        )
    if specs.renamed.get(new, old) != old:
        raise UsageError(
            f"{specs.renamed[new]} was called {new}, as its metadata.previously says",
            hint="choose another, or remove it there once it is renamed everywhere",
        )


def _is_its_own(file: str, name: str, text: str) -> bool:
    """Whether a file is called by the token, and holds nothing else."""
    return PurePosixPath(file).stem == name and len(chunks(text)) == 1


def _move(workspace: Workspace, file: str, new: str) -> None:
    """The file, called by the new name as well, where nothing stands in its way."""
    place = workspace.root / file
    target = place.with_name(new + place.suffix)
    if os.path.lexists(target):
        echo_note(f"{file} keeps its name, as {target.relative_to(workspace.root)} is there")
        return
    try:
        place.rename(target)
    except OSError as error:
        raise not_written(target, error) from error
    echo_note(f"{file} is called {target.relative_to(workspace.root)} now")


def _excepting(specs: Specs, name: str) -> list[str]:
    """Policies with an exception for a token."""
    return [
        policy.metadata.name
        for policy in specs.policies
        if any(one.token == name for one in policy.spec.exceptions)
    ]
