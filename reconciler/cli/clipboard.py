"""The clipboard of whoever sits at this machine: through a program, or through the terminal (OSC 52)."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import BinaryIO, Protocol

from reconciler.cli.programs import environment
from reconciler.errors import SettingsError
from reconciler.secret import Secret

TERMINAL = Path("/dev/tty")
PATIENCE = 10
"""Seconds that a clipboard program may take."""
LARGEST = 74_994
"""Letters of base64 that terminals take in one OSC 52; xterm and those that follow it drop what is longer."""
SCREEN_CHUNK = 252
"""Bytes that the oldest GNU screen passes on at once, without the four around them."""
NO_CLIPBOARD = frozenset(("", "dumb", "linux"))
"""Values of TERM for which an unknown sequence may be shown as text: that would print the secret."""
BUFFER = "reconcile"

_INSTEAD = "use reconcile download NAME"
_FORGET = ("org.kde.klipper", "/klipper", "org.kde.klipper.klipper.clearClipboardHistory")


class Clipboard(Protocol):
    """One way to reach a clipboard."""

    certain: bool
    """Whether it tells when a text did not arrive."""

    def put(self, text: Secret) -> None:
        """Puts a text there. Raises SettingsError."""

    def get(self) -> bytes | None:
        """What is there; None where nobody can tell."""

    def clear(self) -> None:
        """Empties it. Raises SettingsError."""


@dataclass(frozen=True, slots=True)
class Commands:
    """The programs of one make of clipboard."""

    put: tuple[tuple[str, ...], ...]
    """Tried in this order: an older program does not know every option."""
    get: tuple[str, ...]
    clear: tuple[str, ...]
    """Gets nothing on its standard input."""
    display: str = ""
    """The variable of the environment without which it reaches nothing."""
    discreet: bool = False
    """Whether the first `put` tells clipboard histories not to keep the text."""


_XCLIP = ("xclip", "-selection", "clipboard")
_TEXT = ("--type", "text/plain")
MAKES = (
    Commands((("pbcopy",),), ("pbpaste",), ("pbcopy",)),
    # With a type, wl-copy need not guess one, for which it would show the text to another program.
    Commands(
        (("wl-copy", "--sensitive", *_TEXT), ("wl-copy", *_TEXT)),
        ("wl-paste", "--no-newline"),
        ("wl-copy", "--clear"),
        "WAYLAND_DISPLAY",
        discreet=True,
    ),
    Commands(((*_XCLIP, "-in"),), (*_XCLIP, "-out"), (*_XCLIP, "-in"), "DISPLAY"),
    Commands(
        (("xsel", "--clipboard", "--input"),),
        ("xsel", "--clipboard", "--output"),
        ("xsel", "--clipboard", "--clear"),
        "DISPLAY",
    ),
    Commands(
        (("clip.exe",),),
        ("powershell.exe", "-NoProfile", "-NonInteractive", "-Command", "Get-Clipboard -Raw"),
        ("clip.exe",),
    ),
)


def clipboard(environ: Mapping[str, str], terminal: Path = TERMINAL) -> Clipboard:
    """How to reach a clipboard from here. Raises SettingsError where there is no way.

    Over SSH it is the terminal's: a program would reach the clipboard of the other machine.
    """
    remote = "SSH_CONNECTION" in environ or "SSH_TTY" in environ
    for make in MAKES:
        reached = not make.display or environ.get(make.display)
        if not remote and reached and shutil.which(make.put[0][0], path=environ.get("PATH")):
            return ByProgram(make, environ)
    if environ.get("TERM", "") not in NO_CLIPBOARD and _opens(terminal):
        return ByTerminal(terminal, environ)
    raise SettingsError(
        "there is no clipboard here: no program that reaches one, and no terminal that has one",
        hint=f"{_INSTEAD}, or install wl-copy, xclip or xsel",
    )


def _opened(terminal: Path) -> BinaryIO:
    """A terminal to be written to, which does not become the one that this process is of."""
    return os.fdopen(os.open(terminal, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC), "wb")


def _opens(terminal: Path) -> bool:
    try:
        _opened(terminal).close()
    except OSError:
        return False
    return True


class ByProgram:
    """The clipboard of a desktop."""

    certain = True

    def __init__(self, make: Commands, environ: Mapping[str, str]) -> None:
        self._make = make
        self._environ = environment(environ)
        if make.discreet and environ.get("XDG_RUNTIME_DIR"):
            # wl-copy keeps what it is given in a file for a moment: this folder is in memory, and the user's.
            self._environ["TMPDIR"] = environ["XDG_RUNTIME_DIR"]
        self._kept = not make.discreet

    def put(self, text: Secret) -> None:
        """Raises SettingsError where the program does not take it."""
        for number, command in enumerate(self._make.put):
            if _fed(command, text.open().encode(), self._environ):
                self._kept = number > 0 or not self._make.discreet
                return
        raise SettingsError(f"{self._make.put[0][0]} did not take it", hint=_INSTEAD)

    def get(self) -> bytes | None:
        """None where the program is missing, fails or hangs."""
        try:
            done = subprocess.run(
                self._make.get,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=PATIENCE,
                check=False,
                env=self._environ,
                start_new_session=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout if done.returncode == 0 else None

    def clear(self) -> None:
        """Raises SettingsError where the program does not do it."""
        if not _fed(self._make.clear, b"", self._environ):
            raise not_cleared()

    def forget(self) -> None:
        """Empties the history of KDE, which would keep the text, and put it back when it is cleared.

        Not where the text was marked as one that no history keeps.
        """
        if self._kept and "KDE" in self._environ.get("XDG_CURRENT_DESKTOP", ""):
            any(_fed((program, *_FORGET), b"", self._environ) for program in ("qdbus6", "qdbus", "qdbus-qt5"))


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
            raise SettingsError("the field is longer than what a terminal's clipboard takes", hint=_INSTEAD)
        try:
            self._send(raw, _osc52(encoded))
        except OSError as error:
            raise SettingsError(f"the terminal did not take it: {error.strerror}", hint=_INSTEAD) from None

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
        _fed(("tmux", "load-buffer", "-w", "-b", BUFFER, "-"), raw, environ)
        _fed(("tmux", "delete-buffer", "-b", BUFFER), b"", environ)


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


def _fed(command: Sequence[str], data: bytes, environ: Mapping[str, str]) -> bool:
    """Whether a program took what it was given.

    Its output goes nowhere: xclip leaves a process behind that keeps it open, and to read it to its
    end would take until the next thing is copied. A session of its own, so that Ctrl-C does not end it.
    """
    try:
        done = subprocess.run(
            command,
            input=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
            env=environ,
            start_new_session=True,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def not_cleared() -> SettingsError:
    """For a clipboard that still holds the secret."""
    return SettingsError("the clipboard could not be cleared", hint="copy something else, so that it is gone")


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
        if isinstance(self._way, ByProgram):
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
