"""Fixtures: an empty repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.git.kit import Repo, made


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository without a commit."""
    return made(tmp_path / "repo")
