"""Fixtures of the apply tests."""

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


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """RSA keys from a pool."""
    monkeypatch.setattr(keys, "generate", quick_generate)


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for the disk: what dies here is a process, and the kernel keeps what that wrote.

    That everything is synced, and in which order, has a test of its own.
    """
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A PostgreSQL server of these tests' own."""
    with postgres() as running:
        yield running


@pytest.fixture
def database(server: Postgres) -> str:
    """The URL of an empty PostgreSQL database."""
    name = f"apply{next(_numbers)}"
    server.run(f"CREATE DATABASE {name}")
    return server.url(name)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty workspace with a SQLite store."""
    root = tmp_path / "house"
    made = House(root, f"sqlite:///{root}/.reconciler/live.db")
    yield made
    made.close()
