"""New files that only their owner can read: where secrets land that were asked for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from reconciler.errors import CannotOpen, SettingsError
from reconciler.secret import Secret

FILE_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}\.[a-z]{1,16}")
"""What an artifact's file is called. A store or a path that says otherwise does not choose where we write."""


class Unwritable(SettingsError):
    """Nothing can be written there, so it is no use to go on."""


def file_name(path: str) -> str:
    """How the file of an artifact is called. Raises CannotOpen for a path that is none of ours."""
    name = PurePosixPath(path).name
    if not FILE_NAME.fullmatch(name):
        raise CannotOpen(
            f"the artifact is said to stand at {path}, where none of ours can stand",
            hint="download this one alone, with --output FILE",
        )
    return name


@contextmanager
def private_folder(path: Path, root: Path, *, make: bool = True) -> Iterator[int]:
    """A folder, opened: files land in it, whatever becomes of its name. Raises SettingsError.

    A link in the workspace came with the repository. What leads out of there is not followed.
    """
    named = Path(os.path.normpath(Path.cwd() / path))
    if named.is_relative_to(root) and not path.resolve().is_relative_to(root.resolve()):
        raise SettingsError(f"{path} is a link out of the workspace", hint="name the folder that it leads to")
    try:
        if make:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be used as a folder: {error.strerror}", hint="name another with --output"
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def write_private(folder: int, path: Path, text: Secret) -> None:
    """A new file with mode 0600 in an open folder, under the name that the path ends with.

    Raises SettingsError where there is one already, and Unwritable. What was begun is removed again.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path.name, flags, 0o600, dir_fd=folder)
        _fill(folder, path.name, descriptor, text)
    except FileExistsError as error:
        raise SettingsError(
            f"{path} exists, and is not overwritten", hint="name another place with --output"
        ) from error
    except OSError as error:
        raise Unwritable(
            f"{path} cannot be written: {error.strerror}", hint="name another place with --output"
        ) from error


def _fill(folder: int, name: str, descriptor: int, text: Secret) -> None:
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text.open())
    except BaseException:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise
