"""What reaches a clipboard, and what every way there shares."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import Protocol

from reconciler.errors import SettingsError
from reconciler.secret import Secret

PATIENCE = 10
"""Seconds that a clipboard program may take."""
INSTEAD = "use reconcile download NAME"


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

    def forget(self) -> None:
        """Has histories forget what was there, where they would put it back when it is cleared."""


def fed(command: Sequence[str], data: bytes, environ: Mapping[str, str]) -> bool:
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
