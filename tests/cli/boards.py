"""A clipboard out of small programs, and what the tests of copy share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.cli.kit import Shop

CLIPBOARD_VARIABLES = (
    "SSH_CONNECTION",
    "SSH_TTY",
    "TMUX",
    "STY",
    "WAYLAND_DISPLAY",
    "DISPLAY",
    "XDG_CURRENT_DESKTOP",
    "XDG_RUNTIME_DIR",
)
PRELUDE = """\
#!/bin/sh
echo "$(basename "$0") $*" >> "$BOARD.calls"
env > "$BOARD.env"
"""
XCLIP = """\
case "$*" in
  *-out) cat "$BOARD"; exit ;;
esac
cat > "$BOARD"
[ -s "$BOARD" ] && cp "$BOARD" "$BOARD.seen"
exit 0
"""
WL_COPY = """\
case "$*" in
  *--sensitive*) [ -n "$OLD" ] && exit 1 ;;
  --clear) : > "$BOARD"; exit ;;
esac
cat > "$BOARD"
cp "$BOARD" "$BOARD.seen"
"""


@dataclass
class Board:
    """A clipboard that is a file, reached by small programs with the names of real ones."""

    shop: Shop
    file: Path

    def program(self, name: str, script: str) -> None:
        """A program on PATH."""
        self.shop.write(f"bin/{name}", PRELUDE + script).chmod(0o755)

    @property
    def text(self) -> str:
        """What is on it now."""
        return self.file.read_text()

    @property
    def seen(self) -> str:
        """The last text that was on it."""
        return self.file.with_name("board.seen").read_text()

    @property
    def calls(self) -> list[str]:
        """Every program that was run, with its arguments."""
        calls = self.file.with_name("board.calls")
        return calls.read_text().splitlines() if calls.exists() else []
