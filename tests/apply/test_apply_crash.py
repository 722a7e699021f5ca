"""A run can die, fail or be interrupted at any effect, and the next run converges.

Every effect of an apply goes through a port, so the tests can count them and break the n-th, for
every n until there is none left to break.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from reconciler.apply.interface import Ports
from reconciler.canonical import digest
from reconciler.errors import ReconcilerError
from reconciler.live.interface import LiveToken, TokenState
from reconciler.plan.brakes import Overrides
from tests.apply.breaking import DIED, Fuse, How, breaking_system
from tests.apply.fleet import EXPECTED, aged_fleet, edit_fleet
from tests.apply.kit import House, check_quiet, check_settled, recorded
from tests.records.kit import bodies
from tests.servers import Postgres

TAKEN_UP = ("sealed-anew", "rsa-modify", "old-name")
"""Tokens whose artifact is taken as somebody or something put it there."""
LATER = 600
"""Seconds to the next run: the lease of the one that died has ended by then."""


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A fleet with a past and an edited folder of specs, for every test to copy."""
    root = tmp_path_factory.mktemp("prepared") / "house"
    house = House(root, f"sqlite:///{root}/.reconciler/live.db")
    aged_fleet(house)
    edit_fleet(house)
    house.close()
    return house


@pytest.fixture(scope="session")
def prepared_server(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> House:
    """The same on PostgreSQL, as a database to be copied."""
    server.run("CREATE DATABASE prepared")
    house = House(tmp_path_factory.mktemp("prepared") / "house", server.url("prepared"))
    aged_fleet(house)
    edit_fleet(house)
    house.close()
    return house


@dataclass
class Copies:
    """A workspace that is put back to how it was prepared, as often as it is asked for."""

    prepared: House
    house: House
    server: Postgres | None = None

    def fresh(self) -> House:
        """The workspace as it was prepared. It is the same object, so that nothing is compiled anew."""
        self.house.close()
        shutil.rmtree(self.house.root)
        shutil.copytree(self.prepared.root, self.house.root)
        if self.server is not None:
            self.server.run("DROP DATABASE IF EXISTS copied", "CREATE DATABASE copied TEMPLATE prepared")
        self.house.now = self.prepared.now
        return self.house


def run_broken(house: House, fuse: Fuse, overrides: Overrides | None = None) -> None:
    """One apply that may blow; the process that dies is a child."""

    def wrap(ports: Ports) -> Ports:
        return fuse.wrapped(ports)

    if fuse.how is not How.DEATH:
        with breaking_system(fuse):
            house.apply(wrap, overrides)
        return
    house.close()
    child = os.fork()
    if child == 0:
        try:
            with breaking_system(fuse):
                house.apply(wrap, overrides)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    fuse.blown = "death" if os.waitstatus_to_exitcode(status) == DIED else None


def check_promises(house: House, before: dict[str, LiveToken]) -> None:
    """Promise 3, at the moment after: nothing new is live without its artifact; what is gone is gone."""
    state, now = house.store().state(), house.live()
    coming = {one.token_id: (one.path, one.digest) for one in house.store().intents()}
    for name, token in now.items():
        own = (token.artifact_path, token.artifact_digest)
        may_wait = name in before and token.generation == before[name].generation
        published = [own, *([coming[token.id]] if may_wait and token.id in coming else [])]
        assert name in TAKEN_UP or any(in_place(house, *one) for one in published), name
    ended = state.head is not None and state.head.sequence > 2
    if state.run is not None or (ended and bodies(house.store())[-1].changes):  # else it never began
        assert "old-gone" not in now
        assert now.get("shifty", before["shifty"]).id != before["shifty"].id or "shifty" not in now
        assert set(now["rsa-modify"].grants["apis"]) <= {"b", "c"}
        assert now["jwt-narrow"].grants["users"] == ("u",)
        assert len(now["turning"].credentials) == 1
        assert [one.generation for one in now["leaky"].credentials] in ([], [2])
        renamed = now.get("old-name") or now["new-name"]
        assert (renamed.id, renamed.grants["apis"]) == (before["old-name"].id, ("a",))
        assert all(token.state is TokenState.ACTIVE for token in now.values())


def in_place(house: House, path: str | None, expected: str | None) -> bool:
    """Whether the artifact at a path is the one expected; a key that its owner brought has none."""
    if path is None:
        return True
    place = house.root / path
    return place.exists() and digest(place.read_bytes()) == expected


def check_converged(house: House) -> None:
    """Everything was done, each change once and on record, and nothing is left to do."""
    check_settled(house)
    made = recorded(house)[len(recorded_before()) :]
    assert sorted(made) == sorted(EXPECTED)
    check_quiet(house)


def recorded_before() -> list[None]:
    """The fleet's own past: thirteen were issued, and one was rotated."""
    return [None] * 14


def break_at_every_effect(copies: Copies, how: How, first: int, step: int) -> int:
    """Breaks each effect in turn; returns how many there were."""
    for at in count(first, step):
        house = copies.fresh()
        before = house.live()
        fuse = Fuse(at, how)
        try:
            run_broken(house, fuse)
        except (ReconcilerError, RuntimeError, OSError, KeyboardInterrupt):
            assert fuse.blown is not None
        if fuse.blown is None:
            house.close()
            return at
        check_promises(house, before)
        house.now += LATER
        house.apply()
        check_converged(house)
    raise AssertionError


STEPS = {How.BEFORE: 1, How.AFTER: 1, How.DEATH: 1, How.INTERRUPT: 7}


@pytest.mark.parametrize("how", How)
def test_sqlite_converges_whatever_effect_breaks(prepared: House, house: House, how: How) -> None:
    """Every single effect, on SQLite; Ctrl-C after every seventh."""
    assert break_at_every_effect(Copies(prepared, house), how, 1, STEPS[how]) > 60


@pytest.mark.parametrize(("how", "first"), [(how, 3 + 2 * place) for place, how in enumerate(How)])
def test_postgresql_converges_whatever_effect_breaks(
    server: Postgres, prepared_server: House, tmp_path: Path, how: How, first: int
) -> None:
    """A sample of the effects, on PostgreSQL."""
    house = House(tmp_path / "house", server.url("copied"))
    assert break_at_every_effect(Copies(prepared_server, house, server), how, first, 13) > 60
