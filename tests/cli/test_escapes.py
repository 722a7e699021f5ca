"""What an attacker writes into files reaches no terminal as anything but text on a line of its own."""

from __future__ import annotations

import re

import pytest

from reconciler.cli.output import in_line
from tests.cli.kit import Shop, on_terminal

OBEYED = "\x1b]0;owned\x07\x1b[2J\x9b1A"
"""Names the window, clears the screen, goes up a line."""
FAKE = "error: all is well"
EVIL = f"eve{OBEYED}\n{FAKE}\r\u202egnp"
QUOTED = '"eve\\e]0;owned\\a\\e[2J\\x9b1A\\n' + FAKE + '\\r\\u202Egnp"'
"""The same in YAML."""
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]")


def harmless(text: str) -> None:
    """Nothing in it is obeyed, and no line of it is the attacker's."""
    assert not CONTROL.search(text), text
    assert not [line for line in text.splitlines() if line.startswith(FAKE)]
    assert "eve" in text


@pytest.fixture
def evil(stocked: Shop) -> Shop:
    """An artifact that names a recipient who is none, as a pull request can."""
    path = stocked.root / "artifacts/JWTToken/bridge.yaml"
    path.write_text(re.sub(r"recipient: age1\w+", lambda _: f"recipient: {QUOTED}", path.read_text()))
    return stocked


def test_every_error_and_hint_is_text_on_one_line(evil: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipients of an artifact stand in the error that it cannot be opened."""
    monkeypatch.setenv("HOME", "/nonexistent")
    ran = evil.run("download", "bridge", "--stdout")
    assert ran.code == 1
    harmless(ran.err)
    assert len(ran.err.splitlines()) == 2
    harmless(evil.run("show", EVIL).err)


def test_what_doctor_shows_is_text(evil: Shop) -> None:
    """Recipients of artifacts, and the rules."""
    rules = evil.root / ".sops.yaml"
    me = rules.read_text().rpartition("age: ")[2].strip()
    regex = QUOTED.replace("[", "")
    rules.write_text(f"creation_rules:\n  - {{path_regex: {regex}, age: {me}}}\n  - age: {me}\n")
    ran = evil.run("doctor")
    harmless(ran.out)
    assert "path_regex eve" in ran.out
    assert "whom the rules do not name for them (eve" in ran.out


def test_what_a_plan_shows_is_text(evil: Shop) -> None:
    """A reviewer reads why a token rotates, and to whom it was sealed."""
    ran = evil.run("plan")
    assert "it was sealed to eve" in ran.out
    harmless(ran.out)
    harmless(evil.run("apply", "--yes").out)


def test_what_reseal_shows_before_it_asks_is_text(evil: Shop) -> None:
    """The attacker would like to hide a line of it."""
    for arguments in (("reseal",), ("reseal", "--check"), ("reseal", "--yes")):
        ran = evil.run(*arguments)
        harmless(ran.out + ran.err)


def test_colours_of_ours_survive(evil: Shop) -> None:
    """On a terminal they are there, and the attacker's escapes are not."""
    colours = {"NO_COLOR": "", "TERM": "xterm"}
    for arguments, colour in (
        (["plan"], "\x1b[33m"),
        (["doctor"], "\x1b[32m"),
        (["show", "eve"], "\x1b[31m"),
    ):
        _, shown = on_terminal(arguments, environ=colours)
        assert colour in shown
        assert OBEYED[:4] not in shown
        harmless(re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r\n", "\n"))


def test_a_text_in_a_line_keeps_its_length() -> None:
    """Columns are measured before; ends of lines and tabs become spaces."""
    assert in_line("a\tb\r\nc\x1bd") == "a b  c\N{REPLACEMENT CHARACTER}d"
    assert in_line("工厂 A") == "工厂 A"
    assert len(in_line(EVIL)) == len(EVIL)
