"""Where output goes when nobody reads it any more: nowhere, and the command goes on to its end.

A reader such as `head` or `grep -q` leaves when it has what it wants. What the command was to do is done all
the same, and its exit code says what came of that.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Outlet(io.FileIO):
    """A descriptor that is written to as long as somebody reads. Raises OSError for any other reason."""

    def write(self, data: ReadableBuffer, /) -> int:
        """How many bytes are gone, as for any raw file."""
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), self.fileno())
            return memoryview(data).nbytes


def outlast_readers() -> None:
    """From now on stdout and stderr of this process are such; what has taken their place stays."""
    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _through_outlet(sys.stdout)
    if sys.stderr is sys.__stderr__ and isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _through_outlet(sys.stderr)


def _through_outlet(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """What stands in a stream already goes out before."""
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(Outlet(stream.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
