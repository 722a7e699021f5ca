"""Files that somebody else wrote: read whole, up to a limit, and never waited for."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path, PurePosixPath
from typing import NamedTuple


class Stamp(NamedTuple):
    """How a file looks from outside. Whoever writes to it changes that, and cannot set it back."""

    modified: int
    """Nanoseconds since 1970, as the other."""
    changed: int
    size: int
    inode: int

    def is_older_than(self, moment: int) -> bool:
        """Whether nobody touched the file since then, in the time of its file system."""
        return max(self.modified, self.changed) < moment


def stamp_of(path: str) -> Stamp | None:
    """How a file looks now; a link is looked at itself. None where that cannot be told."""
    try:
        seen = os.lstat(path)
    except OSError:
        return None
    return Stamp(seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino)


class NotRegularError(OSError):
    """A pipe, a device, a socket, a folder, or a link where none is followed."""

    def __init__(self) -> None:
        super().__init__(errno.EINVAL, "it is not a regular file")


def read_regular(path: str | Path, limit: int, *, links: bool = True, sync: bool = False) -> bytes:
    """The bytes of a regular file, one more than `limit` at most. Raises OSError.

    A pipe, a device or a folder raises NotRegularError, and opening it does not wait for a writer. With
    `links` false, a link does so too. With `sync`, the bytes are on disk when this returns.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if links else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ENXIO or (error.errno == errno.ELOOP and not links):
            raise NotRegularError from None
        raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotRegularError
        if sync:
            os.fsync(descriptor)
        data = os.read(descriptor, min(status.st_size, limit) + 1)
        while len(data) <= limit and (more := os.read(descriptor, limit + 1 - len(data))):
            data += more
        return data
    finally:
        os.close(descriptor)


class LinkedError(OSError):
    """A folder on the way is a link."""

    def __init__(self, folder: str) -> None:
        super().__init__(f"{folder} is a link, or leads out of the workspace: make it a folder again")


def inside(root: Path, path: str) -> Path:
    """The place of a path (with `/`) below a root. Raises LinkedError where a link leads there, or out."""
    folder = PurePosixPath(path).parent
    for place in (folder, *folder.parents):
        linked = place.parts and (root / place).is_symlink()
        if linked or place.name == ".." or place.is_absolute():
            raise LinkedError(str(place))
    return root / path
