"""The clipboard of a terminal, by the escape sequence OSC 52, through tmux and GNU screen too."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from reconciler.children import environment
from reconciler.cli.clipboards.interface import INSTEAD, fed, not_cleared
from reconciler.errors import SettingsError
from reconciler.secret import Secret

LARGEST = 74_994
"""Letters of base64 that terminals take in one OSC 52; xterm and those that follow it drop what is longer."""
SCREEN_CHUNK = 252
"""Bytes that the oldest GNU screen passes on at once, without the four around them."""
BUFFER = "reconcile"


def _opened(terminal: Path) -> BinaryIO:
    """A terminal to be written to, which does not become the one that this process is of."""
    return os.fdopen(os.open(terminal, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC), "wb")


def opens(terminal: Path) -> bool:
    try:
        _opened(terminal).close()
    except OSError:
        return False
    return True


class ByTerminal:
    """The clipboard of the terminal, wherever that is: it is asked by an escape sequence, OSC 52."""

    certain = False

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self._path = path
        self._environ = environ

    def put(self, text: Secret) -> None:
        """Raises SettingsError for a text that is too long, or a terminal that is gone."""
        raw = text.open().encode()
        encoded = base64.b64encode(raw)
        if len(encoded) > LARGEST:
            raise SettingsError("the field is longer than what a terminal's clipboard takes", hint=INSTEAD)
        try:
            self._send(raw, _osc52(encoded))
        except OSError as error:
            raise SettingsError(f"the terminal did not take it: {error.strerror}", hint=INSTEAD) from None

    def get(self) -> bytes | None:
        """None: most terminals do not let a program read their clipboard, and they are right."""
        return None

    def clear(self) -> None:
        """Raises SettingsError where the terminal is gone.

        Terminals that do not know how to clear know how to take another text: first it is a space.
        """
        try:
            self._send(b" ", _osc52(base64.b64encode(b" ")) + _osc52(b"!"))
        except OSError:
            raise not_cleared() from None

    def forget(self) -> None:
        """Nothing: nobody can tell what a terminal keeps."""

    def _send(self, raw: bytes, sequence: bytes) -> None:
        if self._environ.get("TMUX"):
            self._through_tmux(raw)
        with _opened(self._path) as terminal:
            terminal.write(wrapped(sequence, self._environ))

    def _through_tmux(self, raw: bytes) -> None:
        """tmux hands a text on as it is set up by default, and sequences only if it is told to: so both.

        The buffer that it makes of the text does not stay.
        """
        environ = environment(self._environ)
        fed(("tmux", "load-buffer", "-w", "-b", BUFFER, "-"), raw, environ)
        fed(("tmux", "delete-buffer", "-b", BUFFER), b"", environ)


def _osc52(encoded: bytes) -> bytes:
    return b"\x1b]52;c;" + encoded + b"\x07"


def wrapped(sequence: bytes, environ: Mapping[str, str]) -> bytes:
    """A sequence as tmux or GNU screen passes it on to the terminal around it."""
    if environ.get("TMUX"):
        return b"\x1bPtmux;" + sequence.replace(b"\x1b", b"\x1b\x1b") + b"\x1b\\"
    if environ.get("STY"):
        starts = range(0, len(sequence), SCREEN_CHUNK)
        return b"".join(b"\x1bP" + sequence[start : start + SCREEN_CHUNK] + b"\x1b\\" for start in starts)
    return sequence
