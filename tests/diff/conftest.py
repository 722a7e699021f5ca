"""Fixtures: a workspace in a git repository."""

from __future__ import annotations

import pytest

from tests.cli import conftest as cli
from tests.cli.kit import Shop
from tests.diff.kit import Branch
from tests.git.kit import made

shop = cli.shop


@pytest.fixture
def branch(shop: Shop) -> Branch:
    """A repository without a commit, and a creation rule."""
    repo = made(shop.root)
    shop.write(".gitignore", ".reconciler/\n")
    shop.ok("keygen")
    return Branch(shop, repo)
