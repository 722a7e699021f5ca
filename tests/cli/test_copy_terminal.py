"""copy over SSH: by the terminal (OSC 52), through tmux and screen."""

from __future__ import annotations

import base64
import os
import pty
import re
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.cli.clipboards.loan import Loan
from reconciler.cli.clipboards.programs import clipboard
from reconciler.cli.clipboards.terminal import LARGEST, SCREEN_CHUNK, ByTerminal, wrapped
from reconciler.errors import SettingsError
from reconciler.secret import Secret
from tests.cli.boards import Board
from tests.cli.kit import on_terminal


def osc52(shown: bytes) -> list[bytes]:
    """What the sequences in a terminal's input ask it to put on its clipboard."""
    return re.findall(rb"\x1b\]52;c;([^\x07]*)\x07", shown)


def test_over_ssh_the_terminal_is_asked(board: Board) -> None:
    """Programs there reach another machine's clipboard. The line breaks of a key arrive."""
    code, shown = on_terminal(
        ["copy", "historian", "--clear", "0s"], environ={"SSH_TTY": "/dev/pts/0", "TERM": "xterm"}
    )
    assert code == 0
    (encoded,) = osc52(shown.encode())
    text = base64.b64decode(encoded).decode()
    assert text.startswith("-----BEGIN PRIVATE KEY-----\n")
    assert text.splitlines()[1] not in shown
    assert "was given to the terminal for its clipboard. Where it does not arrive" in shown
    assert board.calls == []


@pytest.mark.parametrize("term", ["dumb", "linux", ""])
def test_a_terminal_that_would_show_the_sequence_is_not_sent_one(term: str, board: Board) -> None:
    """Base64 on the screen is the secret on the screen."""
    code, shown = on_terminal(["copy", "bridge"], environ={"SSH_TTY": "/dev/pts/0", "TERM": term})
    assert code == 1
    assert "\x1b]52" not in shown
    assert "there is no clipboard here" in shown


@dataclass
class Pty:
    """Both ends of a terminal."""

    path: Path
    end: int
    line: int

    def read(self) -> bytes:
        """What was written to it by now: all that comes before a mark, for the system takes its time."""
        os.write(self.line, b"\0")
        shown = b""
        while not shown.endswith(b"\0"):
            shown += os.read(self.end, 4096)
        return shown[:-1]


@pytest.fixture
def screen() -> Iterator[Pty]:
    """A terminal that shows what it gets as it is."""
    end, line = pty.openpty()
    attributes = termios.tcgetattr(line)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(line, termios.TCSANOW, attributes)
    yield Pty(Path(os.ttyname(line)), end, line)
    os.close(line)
    os.close(end)


def test_a_terminal_gets_another_text_before_it_is_told_to_clear(screen: Pty) -> None:
    """Not every terminal knows how to clear its clipboard: the secret is gone from it all the same."""
    loan = Loan(ByTerminal(screen.path, {}))
    loan.put(Secret("CANARY"))
    assert osc52(screen.read()) == [base64.b64encode(b"CANARY")]
    assert loan.take_back()
    assert osc52(screen.read()) == [base64.b64encode(b" "), b"!"]


def test_what_a_terminal_would_drop_is_refused(screen: Pty) -> None:
    """A clipboard that silently keeps the old text is worse than an error; the last that fits is sent."""
    with pytest.raises(SettingsError) as caught:
        ByTerminal(screen.path, {}).put(Secret("x" * LARGEST))
    assert "reconcile download NAME" in caught.value.hint
    assert screen.read() == b""
    with pytest.raises(SettingsError):
        ByTerminal(screen.path, {}).put(Secret("x" * (LARGEST // 4 * 3 + 1)))
    ByTerminal(screen.path, {}).put(Secret("x" * 2900))
    assert len(osc52(screen.read())[0]) == 3868


def test_in_tmux_it_goes_both_ways_and_no_buffer_stays(screen: Pty, board: Board) -> None:
    """As tmux is set up by default it hands its own buffers on, and with allow-passthrough sequences too."""
    board.program("tmux", 'case "$1" in load-buffer) cat >> "$BOARD" ;; esac\n')
    environ = {**os.environ, "TMUX": "/tmp/tmux-0/default,1,0"}
    loan = Loan(ByTerminal(screen.path, environ))
    loan.put(Secret("CANARY\nline"))
    shown = screen.read()
    assert shown.startswith(b"\x1bPtmux;\x1b\x1b]52;c;")
    assert shown.endswith(b"\x07\x1b\\")
    assert osc52(shown.replace(b"\x1b\x1b", b"\x1b")) == [base64.b64encode(b"CANARY\nline")]
    assert board.text == "CANARY\nline"
    assert board.calls == ["tmux load-buffer -w -b reconcile -", "tmux delete-buffer -b reconcile"]
    loan.take_back()
    assert board.text == "CANARY\nline "
    assert board.calls[-1] == "tmux delete-buffer -b reconcile"


def test_gnu_screen_gets_it_in_pieces_that_it_passes_on() -> None:
    """It drops a longer piece; what it passes on is the sequence, whole and in order."""
    for length in (0, 1, 251, 252, 253, 9000):
        sequence = b"\x1b]52;c;" + b"A" * length + b"\x07"
        sent = wrapped(sequence, {"STY": "1.pts-0.host"})
        pieces = re.findall(rb"\x1bP(.*?)\x1b\\", sent, re.DOTALL)
        assert b"".join(pieces) == sequence
        assert max(map(len, pieces)) <= SCREEN_CHUNK
        assert len(sent) == len(sequence) + 4 * len(pieces)


def test_a_terminal_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """For whoever asks it to take a text, and for whoever believes that it was cleared."""
    with pytest.raises(SettingsError, match="there is no clipboard here"):
        clipboard({"TERM": "xterm"}, tmp_path / "none")
    way = ByTerminal(tmp_path / "none", {})
    with pytest.raises(SettingsError, match="did not take it"):
        way.put(Secret("CANARY"))
    with pytest.raises(SettingsError, match="could not be cleared"):
        way.clear()
