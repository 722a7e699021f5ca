"""One fixture, `url`, makes every test of the contract run on both makes of database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from reconciler.live.interface import LiveStore
from reconciler.live.opening import open_store
from tests.live.values import Opener
from tests.servers import Postgres, postgres

_numbers = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A PostgreSQL server with a database `made` that holds an empty store."""
    with postgres() as running:
        running.run(
            "CREATE DATABASE made",
            "CREATE ROLE guarded LOGIN PASSWORD 'opensesame'",
            "GRANT pg_read_all_data TO guarded",
        )
        open_store(running.url("made"), "acme").close()
        yield running


@pytest.fixture(scope="session")
def made_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that holds an empty store."""
    file = tmp_path_factory.mktemp("made") / "live.db"
    open_store(f"sqlite:///{file}", "acme").close()
    return file


@pytest.fixture
def file(made_file: Path, tmp_path: Path) -> Path:
    """A SQLite file of this test's own, with an empty store in it."""
    return Path(shutil.copy(made_file, tmp_path / "live.db"))


@pytest.fixture
def database(server: Postgres) -> str:
    """The URL of a PostgreSQL database of this test's own, with an empty store in it."""
    name = f"test{next(_numbers)}"
    server.run(f"CREATE DATABASE {name} TEMPLATE made")
    return server.url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """A store of this test's own, on each make of database."""
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('file')}"
    return str(request.getfixturevalue("database"))


@pytest.fixture
def opener() -> Iterator[Opener]:
    """Opens stores, and closes them when the test ends."""
    opened: list[LiveStore] = []

    def make(url: str, workspace: str = "acme", *, create: bool = True) -> LiveStore:
        opened.append(open_store(url, workspace, create=create))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def store(url: str, opener: Opener) -> LiveStore:
    """The store of the workspace `acme`."""
    return opener(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store could be, and none is."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new/live.db"
    server = request.getfixturevalue("server")
    assert isinstance(server, Postgres)
    name = f"new{next(_numbers)}"
    server.run(f"CREATE DATABASE {name}")
    return server.url(name)
