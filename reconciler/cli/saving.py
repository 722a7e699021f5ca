"""Files that a command was asked to write; those with secrets are new, and only their owner can read them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from reconciler.errors import CannotOpen, SettingsError
from reconciler.secret import Secret
from reconciler.specs.write import write_whole

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


def _leads_out(path: Path, root: Path) -> bool:
    """Whether what is named in the workspace is elsewhere."""
    return _is_in(path, root) and not path.resolve().is_relative_to(root.resolve())


def _is_in(path: Path, root: Path) -> bool:
    return Path(os.path.normpath(Path.cwd() / path)).is_relative_to(root)


def _check_no_link(path: Path, root: Path) -> None:
    if _leads_out(path.parent, root) or (path.is_symlink() and _is_in(path, root)):
        raise SettingsError(
            f"{path} is, or stands behind, a link of the workspace", hint="choose another --out"
        )


@contextmanager
def private_folder(path: Path, root: Path, *, make: bool = True) -> Iterator[int]:
    """A folder, opened: files land in it, whatever becomes of its name. Raises SettingsError.

    A link in the workspace came with the repository. What leads out of there is not followed.
    """
    if _leads_out(path, root):
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


def write_out(path: Path, data: bytes, root: Path) -> None:
    """What holds no secret, as `--out` says: a file is replaced as a whole. Raises SettingsError.

    A link in the workspace came with the repository: it does not choose what is written.
    """
    _check_no_link(path, root)
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            path.write_bytes(data)  # /dev/stdout and its like stay what they are
        else:
            write_whole(path, data)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written: {error.strerror}", hint="choose another --out"
        ) from error
