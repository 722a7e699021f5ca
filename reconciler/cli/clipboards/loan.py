"""A text that is lent to a clipboard: how it is taken back, and what breaks the wait off."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from reconciler.cli.clipboards.interface import Clipboard
from reconciler.secret import Secret


class Loan:
    """A text that is lent to a clipboard, and taken back once."""

    def __init__(self, way: Clipboard) -> None:
        self._way = way
        self._mark: bytes | None = None

    @property
    def lent(self) -> bool:
        """Whether anything may be on the clipboard."""
        return self._mark is not None

    def put(self, text: Secret) -> None:
        """Lends it. All that is kept of it is a digest. Raises SettingsError."""
        self._mark = _mark(text.open().encode())
        self._way.put(text)

    def take_back(self) -> bool:
        """Clears the clipboard, unless it is known to hold something else by now. Raises SettingsError.

        Returns whether it was cleared.
        """
        found = self._way.get()
        changed = found is not None and _mark(found) != self._mark
        self._way.forget()
        if not changed:
            self._way.clear()
        return not changed


def _mark(data: bytes) -> bytes:
    """A digest of a text. Programs that paste may change how lines end, and add an end to the last."""
    return hashlib.sha256(data.replace(b"\r\n", b"\n").rstrip(b"\n")).digest()


class _Once:
    """A signal handler that breaks off a wait as Ctrl-C does, and nothing after that."""

    def __init__(self) -> None:
        self.quiet = False

    def __call__(self, _: int, __: FrameType | None) -> None:
        if not self.quiet:
            self.quiet = True
            raise KeyboardInterrupt


@contextmanager
def breaking_off() -> Iterator[_Once]:
    """Ctrl-C, SIGTERM and a terminal that is closed all end what is waited for, and not the program.

    With `quiet` set they wait in turn. A signal that is ignored, as by nohup, stays so.
    """
    handler = _Once()
    former = {
        number: found
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if (found := signal.getsignal(number)) not in (signal.SIG_IGN, None)
    }
    for number in former:
        signal.signal(number, handler)
    try:
        yield handler
    finally:
        for number, found in former.items():
            signal.signal(number, found)
