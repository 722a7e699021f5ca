"""Fixtures: an empty workspace, one in which every kind of token is live, and a clipboard."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.boards import CLIPBOARD_VARIABLES, XCLIP, Board
from tests.cli.kit import AUTH, JWT, LOGIN, RSA, Shop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shop:
    """An empty workspace, with a home of its own and nothing set in the environment."""
    for name in [name for name in os.environ if name.startswith(("RECONCILER_", "SOPS_", "XDG_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    home, root = tmp_path / "home", tmp_path / "acme"
    home.mkdir()
    root.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.chdir(root)
    return Shop(root, capsys)


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """A workspace with an identity, a rule, and one live token of each kind."""
    shop.ok("keygen")
    shop.spec(f"{RSA}---\n{JWT}---\n{LOGIN}---\n{AUTH}")
    shop.ok("apply", "--yes")
    return shop


@pytest.fixture
def board(stocked: Shop, monkeypatch: pytest.MonkeyPatch) -> Board:
    """An X desktop with xclip."""
    for name in CLIPBOARD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    found = Board(stocked, stocked.root / "board")
    found.file.touch()
    found.program("xclip", XCLIP)
    monkeypatch.setenv("BOARD", str(found.file))
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setenv("PATH", f"{stocked.root / 'bin'}:/usr/bin:/bin")
    return found


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, without waiting."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    return pauses
