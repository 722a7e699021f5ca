"""Fixtures of the tests of publishing to git."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.apply.conftest import database, quick_disk, quick_keys, server
from tests.publishing.kit import Hub

__all__ = ["database", "quick_disk", "quick_keys", "server"]


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A remote that is empty, and a SQLite store that all of its clones share."""
    (tmp_path / "store").mkdir()
    return Hub(tmp_path / "hub", f"sqlite:///{tmp_path}/store/live.db").made()
