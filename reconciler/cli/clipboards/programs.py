"""The clipboard of a desktop, by whatever program reaches it; else that of the terminal."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.children import environment
from reconciler.cli.clipboards.interface import INSTEAD, PATIENCE, Clipboard, fed, not_cleared
from reconciler.cli.clipboards.terminal import ByTerminal, opens
from reconciler.errors import SettingsError
from reconciler.secret import Secret

TERMINAL = Path("/dev/tty")
NO_CLIPBOARD = frozenset(("", "dumb", "linux"))
"""Values of TERM for which an unknown sequence may be shown as text: that would print the secret."""

_FORGET = ("org.kde.klipper", "/klipper", "org.kde.klipper.klipper.clearClipboardHistory")


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
    if environ.get("TERM", "") not in NO_CLIPBOARD and opens(terminal):
        return ByTerminal(terminal, environ)
    raise SettingsError(
        "there is no clipboard here: no program that reaches one, and no terminal that has one",
        hint=f"{INSTEAD}, or install wl-copy, xclip or xsel",
    )


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
            if fed(command, text.open().encode(), self._environ):
                self._kept = number > 0 or not self._make.discreet
                return
        raise SettingsError(f"{self._make.put[0][0]} did not take it", hint=INSTEAD)

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
        if not fed(self._make.clear, b"", self._environ):
            raise not_cleared()

    def forget(self) -> None:
        """Empties the history of KDE, which would keep the text, and put it back when it is cleared.

        Not where the text was marked as one that no history keeps.
        """
        if self._kept and "KDE" in self._environ.get("XDG_CURRENT_DESKTOP", ""):
            any(fed((program, *_FORGET), b"", self._environ) for program in ("qdbus6", "qdbus", "qdbus-qt5"))
