"""Files that somebody else wrote: read whole, up to a limit, and never waited for."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_regular(path: str | Path, limit: int, *, links: bool = True) -> bytes:
    """The bytes of a regular file, one more than `limit` at most. Raises OSError.

    A pipe, a device or a folder is refused, and opening it does not wait for a writer. With `links`
    false, a link is refused too.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if links else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        data = os.read(descriptor, min(status.st_size, limit) + 1)
        while len(data) <= limit and (more := os.read(descriptor, limit + 1 - len(data))):
            data += more
        return data
    finally:
        os.close(descriptor)
