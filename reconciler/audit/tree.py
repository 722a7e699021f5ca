"""What stands in the artifacts folder. Whoever may write to the branch may have put it there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from reconciler.audit.drift import Item, What
from reconciler.errors import SettingsError
from reconciler.files import LinkedError, NotRegularError, inside, read_regular
from reconciler.records.chain import FILE_NAME


def items_below(root: Path, folder: str, *, but: tuple[str, ...] = ()) -> Iterator[Item]:
    """All that stands below a folder and is no folder, in the order of names; no link is followed.

    `but` are folders that are left out. A folder that is not there holds nothing, and one that is a
    link is an item itself. Raises SettingsError where a folder cannot be read.
    """
    try:
        top = inside(root, f"{folder}/x").parent
    except LinkedError:
        yield Item(folder, What.LINK)
        return
    if not top.is_dir():
        if os.path.lexists(top):
            yield Item(folder, What.FILE)
        return
    folders = [folder]
    while folders:
        here = folders.pop()
        inner = []
        for entry in _entries(root, here):
            path = f"{here}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                inner += [path] * (path not in but)
            else:
                yield Item(_text(path), _what(entry))
        folders.extend(reversed(inner))


def _entries(root: Path, folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(root / folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise SettingsError(
            f"the folder {_text(folder)} cannot be read: {error.strerror}", hint="mind its permissions"
        ) from error


def _what(entry: os.DirEntry[str]) -> What:
    if entry.is_symlink():
        return What.LINK
    return What.FILE if entry.is_file(follow_symlinks=False) else What.OTHER


def _text(path: str) -> str:
    """A path with the bytes replaced that are no UTF-8: no terminal and no JSON can take them."""
    return os.fsencode(path).decode(errors="replace")


def read_record(root: Path, path: str, limit: int) -> bytes | None:
    """The bytes of a record, one more than `limit` at most; None where no file stands, or a link does.

    The same where the live store says a name that no record can have. Raises SettingsError where it
    cannot be read.
    """
    if not FILE_NAME.fullmatch(path.rpartition("/")[2]):
        return None
    try:
        return read_regular(inside(root, path), limit, links=False)
    except (FileNotFoundError, NotADirectoryError, NotRegularError, LinkedError):
        return None
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read: {error.strerror}", hint="mind its permissions"
        ) from error
