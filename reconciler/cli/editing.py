"""What the commands that edit specs share: find the spec, write the edit if it is valid, show it."""

from __future__ import annotations

import errno
from pathlib import Path

import click

from reconciler.cli.output import echo_diff
from reconciler.errors import SettingsError, SpecsInvalid, UsageError
from reconciler.specs.faults import Fault, did_you_mean
from reconciler.specs.load import read_bytes
from reconciler.specs.reader import Declared, FileRead, catalog_faults, read_file
from reconciler.specs.reused import reused_keys
from reconciler.specs.write import write_whole
from reconciler.workspace import Workspace


def found(workspace: Workspace, name: str) -> Declared:
    """The spec of a name. Raises UsageError with the nearest name."""
    tokens = workspace.specs.tokens
    for declared in tokens:
        if declared.name == name:
            return declared
    names = [declared.name for declared in tokens]
    hint = did_you_mean(name, names) if names else "add one with: reconcile new KIND NAME"
    raise UsageError(f"no spec declares {name}", hint=hint)


def text_of(workspace: Workspace, file: str) -> str:
    """The text of a spec file. Raises SettingsError."""
    try:
        return read_bytes(workspace.root / file).decode()
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file} is not UTF-8", hint="save the file as UTF-8 text") from error
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be read: {error.strerror}", hint="mind its permissions"
        ) from error


def checked(workspace: Workspace, file: str, after: str) -> FileRead:
    """What a file would declare after an edit. Raises SpecsInvalid; then nothing was written."""
    read = read_file(file, after.encode())
    faults: list[Fault] = (
        read.faults
        or catalog_faults(file, after.encode(), workspace.specs.catalog)
        or _reused(workspace, file, after, read)
    )
    if faults:
        raise SpecsInvalid(
            "the edit would make the spec invalid, so nothing was written",
            hint="change the command and try again",
            faults=tuple(faults),
        )
    return read


def _reused(workspace: Workspace, file: str, after: str, read: FileRead) -> list[Fault]:
    """Faults of keys that another spec has. What is edited comes last, so that it is at fault."""
    others = (one for one in workspace.specs.tokens if one.file != file)
    return list(reused_keys([*others, *read.tokens], lambda _: after.encode()))


def not_written(file: str | Path, error: OSError) -> SettingsError:
    """The error of a file that cannot be written, with a hint that fits why."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "free space on the disk, then run again"
    elif error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        hint = "something else stands in its place, or in that of its folder: move that away"
    else:
        hint = "mind its permissions, and those of its folder"
    return SettingsError(f"{file} cannot be written: {error.strerror}", hint=hint)


def write(workspace: Workspace, file: str, before: str, after: str) -> None:
    """Writes an edit and shows it; an empty text removes the file. Nothing live is touched."""
    if before == after:
        click.echo("nothing to change: the spec says that already.", err=True)
        return
    path: Path = workspace.root / file
    try:
        if after:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, after.encode())
        else:
            path.unlink()
    except OSError as error:
        raise not_written(file, error) from error
    echo_diff(file, before, after)
