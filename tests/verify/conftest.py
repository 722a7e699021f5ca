"""Fixtures of the verifier's tests: a workspace that is applied for real, on each make of store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from reconciler.kinds import keys
from tests.apply.kit import House, quick_generate
from tests.servers import Postgres, postgres

_numbers = count(1)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """RSA keys from a pool, and no waiting for the disk."""
    monkeypatch.setattr(keys, "generate", quick_generate)
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A PostgreSQL server of these tests' own."""
    with postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path, quick: None) -> Iterator[House]:
    """An empty workspace, on each make of store."""
    root = tmp_path / "house"
    url = f"sqlite:///{root}/.reconciler/live.db"
    if request.param == "postgresql":
        running = request.getfixturevalue("server")
        assert isinstance(running, Postgres)
        name = f"verify{next(_numbers)}"
        running.run(f"CREATE DATABASE {name}")
        url = running.url(name)
    made = House(root, url)
    yield made
    made.close()
