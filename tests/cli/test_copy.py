"""copy: onto the clipboard by a program, and off it again."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.boards import WL_COPY, XCLIP, Board


def test_the_usual_field_is_put_there_cleared_and_never_printed(board: Board, slept: list[float]) -> None:
    """It is there to the letter while the time runs, and neither stream nor any argument holds it."""
    ran = board.shop.ok("copy", "bridge")
    assert re.fullmatch(r"rcn_[!-~]+", board.seen)
    assert board.text == ""
    assert [pause for pause in slept if pause >= 1] == [45]
    assert board.seen not in ran.out + ran.err + "".join(board.calls)
    assert "secret_id of bridge is on the clipboard for 45s. Ctrl-C clears it now." in ran.err
    assert "The clipboard is cleared." in ran.err


def test_a_key_keeps_its_line_breaks(board: Board, slept: list[float]) -> None:
    """The PEM on the clipboard is the one that the artifact carries."""
    board.shop.ok("copy", "historian")
    assert board.seen.startswith("-----BEGIN PRIVATE KEY-----\n")
    assert board.seen.endswith("\n-----END PRIVATE KEY-----\n")
    indented = board.shop.ok("download", "historian", "--stdout").out.replace("\n  ", "\n")
    assert board.seen.strip() in indented


def test_zero_keeps_it_and_any_field_can_be_had(board: Board, slept: list[float]) -> None:
    """With 0s nothing waits and nothing is cleared."""
    ran = board.shop.ok("copy", "console", "token_id", "--clear", "0s")
    assert len(board.text) == 8
    assert "token_id of console is on the clipboard.\n" in ran.err
    assert [pause for pause in slept if pause >= 1] == []


def test_what_is_no_field_or_no_time_exits_64(board: Board) -> None:
    """And puts nothing on the clipboard."""
    ran = board.shop.run("copy", "console", "tokenid")
    assert ran.code == 64
    assert "did you mean token_id?" in ran.err
    assert board.shop.run("copy", "console", "--clear", "soon").code == 64
    assert board.calls == []


def test_what_was_copied_meanwhile_is_left_alone(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clipboard is the user's: it is cleared of the secret, and not of what came after."""

    def copied(pause: float) -> None:
        if pause >= 1:
            board.file.write_text("a shopping list")

    monkeypatch.setattr("time.sleep", copied)
    ran = board.shop.ok("copy", "bridge")
    assert board.text == "a shopping list"
    assert "holds something else by now" in ran.err


@pytest.mark.parametrize(
    "paste",
    ["sed 's/$/\\r/' \"$BOARD\"; exit", 'cat "$BOARD"; echo; exit', "exit 1", "kill -9 $$"],
)
def test_it_is_cleared_where_the_program_changes_ends_of_lines_or_cannot_tell(
    paste: str, board: Board, slept: list[float]
) -> None:
    """A doubt is no reason to leave a key on the clipboard."""
    board.program("xclip", XCLIP.replace('cat "$BOARD"; exit', paste))
    ran = board.shop.ok("copy", "historian")
    assert board.seen
    assert board.text == ""
    assert "The clipboard is cleared." in ran.err


def test_a_program_that_stays_and_keeps_its_streams_open_is_not_waited_for(
    board: Board, slept: list[float]
) -> None:
    """xclip leaves a process behind that holds stdout until something else is copied."""
    hold = board.shop.root / "hold"
    os.mkfifo(hold)
    board.program("xclip", XCLIP.replace("exit 0", f'cat "{hold}" &\nexit 0'))
    board.shop.ok("copy", "bridge")
    assert board.seen.startswith("rcn_")
    assert board.text == ""
    # Those that stayed go when the pipe is closed.
    hold.open("wb").close()


def test_a_program_that_takes_it_not_is_an_error_and_what_it_took_is_cleared(board: Board) -> None:
    """It may have failed after it had the secret."""
    board.program(
        "xclip", 'case "$*" in *-out) exit 1;; esac\ncat > "$BOARD"\n[ -s "$BOARD" ] && exit 1\nexit 0\n'
    )
    ran = board.shop.run("copy", "bridge")
    assert ran.code == 1
    assert "xclip did not take it" in ran.err
    assert "reconcile download NAME" in ran.err
    assert "rcn_" not in ran.err
    assert board.text == ""


def test_a_clipboard_that_cannot_be_cleared_is_an_error(board: Board, slept: list[float]) -> None:
    """Nobody is left to believe that the secret is gone."""
    board.program("xclip", XCLIP.replace("exit 0", '[ -s "$BOARD" ] || exit 1'))
    ran = board.shop.run("copy", "bridge")
    assert ran.code == 1
    assert "the clipboard could not be cleared" in ran.err
    assert "is cleared." not in ran.err


def test_programs_see_no_key_of_ours(
    board: Board, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clipboard program needs a display, and nothing that opens artifacts."""
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(Path.home() / ".config/sops/age/keys.txt"))
    board.shop.ok("copy", "bridge")
    seen = board.file.with_name("board.env").read_text()
    assert "DISPLAY=:99" in seen
    assert "SOPS_AGE_KEY" not in seen


@pytest.mark.parametrize("old", ["", "yes"])
def test_on_wayland_histories_are_told_not_to_keep_it(
    old: str, board: Board, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older wl-copy does not know --sensitive; its copy goes to the memory of the session, not to disk."""
    board.program("wl-copy", WL_COPY)
    board.program("wl-paste", 'cat "$BOARD"\n')
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(board.shop.root))
    monkeypatch.setenv("OLD", old)
    board.shop.ok("copy", "bridge")
    plain = ["wl-copy --type text/plain"] if old else []
    assert board.calls == [
        "wl-copy --sensitive --type text/plain",
        *plain,
        "wl-paste --no-newline",
        "wl-copy --clear",
    ]
    assert board.seen.startswith("rcn_")
    assert board.text == ""
    assert f"TMPDIR={board.shop.root}\n" in board.file.with_name("board.env").read_text()


@pytest.mark.parametrize(
    "case",
    [
        ("KDE", "", "", 1),
        ("KDE", "wayland-0", "", 0),
        ("KDE", "wayland-0", "yes", 1),
        ("GNOME", "", "", 0),
    ],
)
def test_the_history_of_kde_is_emptied_where_it_would_keep_the_secret(
    case: tuple[str, str, str, int], board: Board, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Klipper puts the newest text of its history back on a clipboard that is empty: so first the history."""
    desktop, wayland, old, forgotten = case
    board.program("wl-copy", WL_COPY)
    board.program("qdbus", "exit 0\n")
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", desktop)
    monkeypatch.setenv("WAYLAND_DISPLAY", wayland)
    monkeypatch.setenv("OLD", old)
    board.shop.ok("copy", "bridge")
    emptied = [number for number, call in enumerate(board.calls) if "clearClipboardHistory" in call]
    assert len(emptied) == forgotten
    assert all(number == len(board.calls) - 2 for number in emptied)
    assert board.text == ""


def test_with_no_display_and_no_terminal_there_is_no_clipboard(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """xclip on a console reaches nothing, and is not tried."""
    monkeypatch.delenv("DISPLAY")
    monkeypatch.setenv("TERM", "dumb")
    ran = board.shop.run("copy", "bridge")
    assert ran.code == 1
    assert "there is no clipboard here" in ran.err
    assert "reconcile download NAME" in ran.err
    assert board.calls == []


def waiting(board: Board) -> subprocess.Popen[str]:
    """The command as a process that has put the secret there, and waits."""
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler.cli", "copy", "bridge"], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "is on the clipboard" in process.stderr.readline()
    assert board.text.startswith("rcn_")
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_clears_it_at_once(number: signal.Signals, board: Board) -> None:
    """Ctrl-C, a shutdown and a lost terminal leave no key behind."""
    process = waiting(board)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert board.text == ""
    assert "The clipboard is cleared." in err


def test_a_second_signal_does_not_break_off_the_clearing(board: Board) -> None:
    """Who is impatient presses Ctrl-C twice: here while the clipboard is asked what it holds."""
    board.program("xclip", XCLIP.replace("*-out)", "*-out) kill -INT $PPID; kill -TERM $PPID;"))
    process = waiting(board)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert board.text == ""
    assert "The clipboard is cleared." in err


def test_a_terminal_that_is_closed_clears_it(board: Board) -> None:
    """With a real terminal: what it says on its way out goes nowhere, and that is no reason to stop."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "reconciler.cli", "copy", "bridge"])
    shown = b""
    while b"Ctrl-C clears it now." not in shown:
        shown += os.read(terminal, 4096)
    assert board.text.startswith("rcn_")
    assert board.text.encode() not in shown
    os.close(terminal)
    os.waitpid(pid, 0)
    assert board.text == ""


def test_signals_are_what_they_were_afterwards(board: Board, slept: list[float]) -> None:
    """A handler that stayed would swallow the Ctrl-C of whatever runs next."""
    former = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)]
    board.shop.ok("copy", "bridge")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)] == former
