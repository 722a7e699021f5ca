"""A run can die or fail between any two steps of a publish, and the next run converges.

The steps are every command of git that changes something, every call of the publisher, every commit of the
store, and every file that goes into place. The next run is in the same clone, or in a new one on another
machine; and it may die too, at any of its own steps.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from reconciler.canonical import digest
from reconciler.live.interface import LiveToken
from tests.apply.breaking import How
from tests.apply.kit import House, check_quiet, jwt_token, login_token, recorded
from tests.publishing.dying import Late, run_broken
from tests.publishing.kit import GitHouse, Hub, check_linear, check_published, git

BEFORE = (jwt_token("old"), login_token("turned"), jwt_token("was", apis=("a", "b")), jwt_token("anew"))
AFTER = (
    login_token("turned", shop="T"),
    jwt_token("is", apis=("a",), metadata={"name": "is", "previously": ["was"]}),
    jwt_token("anew"),
    jwt_token("new"),
)
EXPECTED = [
    ("delete", "JWTToken", "old"),
    ("issue", "JWTToken", "new"),
    ("rename", "JWTToken", "is"),
    ("reseal", "JWTToken", "anew"),
    ("rotate", "LoginToken", "turned"),
]
LATER = 600
"""Seconds to the next run: the lease of the one that died has ended by then."""


@dataclass
class World:
    """A remote, a clone of it and a store, in one folder that can be copied."""

    folder: Path
    hub: Hub
    house: GitHouse

    def copy(self, folder: Path) -> World:
        """The same in another folder."""
        shutil.copytree(self.folder, folder)
        url = f"sqlite:///{folder}/live.db"
        house = GitHouse(folder / "clone", url, now=self.house.now, settings=self.house.settings)
        git(house.root, "checkout", "--quiet", "--", ".sops.yaml")
        return World(folder, Hub(folder, url, self.hub.git_settings), house)


def made(folder: Path, settings: Mapping[str, str]) -> World:
    """A fleet that was published, one artifact of it encrypted anew, and an edit that asks for more."""
    hub = Hub(folder, f"sqlite:///{folder}/live.db", dict(settings)).made()
    house = hub.clone()
    house.propose(*BEFORE)
    house.apply()
    house.reseal("anew")
    house.git("add", "artifacts")
    house.propose(*AFTER)
    house.close()
    house.git("remote", "set-url", "origin", "../hub.git")
    house.root.rename(folder / "clone")
    house.root = folder / "clone"
    shutil.rmtree(hub.bare / "hooks")
    return World(folder, hub, house)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """For every test to copy."""
    return made(tmp_path_factory.mktemp("world") / "world", {})


def check_promises(world: World, before: dict[str, LiveToken]) -> None:
    """Promise 3, at the moment after: nothing new is live unless the remote has its artifact."""
    store, now = world.house.store(), world.house.live()
    coming = {one.token_id: one.digest for one in store.intents()}
    for name, token in now.items():
        published = in_remote(world.hub, str(token.artifact_path))
        known = token.name in before and token.generation == before[token.name].generation
        allowed = {token.artifact_digest, coming.get(token.id)} if known else {token.artifact_digest}
        if token.id in coming and published is None:
            continue  # it moves, and its file is at its new place
        assert name in ("anew", "was") or published in allowed, name
    if store.state().run is not None:
        assert "old" not in now
        assert (now.get("was") or now["is"]).grants["apis"] == ("a",)


def in_remote(hub: Hub, path: str) -> str | None:
    """The digest of what the remote holds at a path."""
    if path not in hub.files():
        return None
    return digest(hub.read(path))


def check_converged(world: World, last: House) -> None:
    """Everything was done, each change once and on record; the clone in which a run died is of use too."""
    assert sorted(recorded(last)[len(BEFORE) :]) == sorted(EXPECTED)
    check_published(world.hub, last.now)
    check_linear(world.hub)
    world.house.now = last.now
    world.house.apply()
    check_quiet(world.house)
    last.close()


def go_on(world: World, *, elsewhere: bool) -> House:
    """The next run, in the same clone or in a new one on another machine."""
    world.house.now += LATER
    house = world.hub.clone() if elsewhere else world.house
    house.now = world.house.now
    house.apply()
    return house


@pytest.mark.parametrize(
    ("how", "elsewhere", "step"),
    [(How.DEATH, False, 1), (How.DEATH, True, 1), (How.BEFORE, False, 3), (How.AFTER, True, 3)],
)
def test_the_next_run_converges_whatever_step_breaks(
    world: World, tmp_path: Path, how: How, step: int, *, elsewhere: bool
) -> None:
    """Death at each step in turn, until there is none left to break; errors at every third."""
    for at in count(1, step):
        now = world.copy(tmp_path / str(at))
        before, fuse = now.house.live(), Late(at, how)
        run_broken(now.house, fuse)
        if fuse.blown is None:
            now.house.close()
            assert at > 15
            return
        check_promises(now, before)
        check_converged(now, go_on(now, elsewhere=elsewhere))
        now.house.close()
        shutil.rmtree(now.folder)


@pytest.mark.parametrize("first", ["git push", "git update-ref"])
def test_whoever_goes_on_may_die_too(world: World, tmp_path: Path, first: str) -> None:
    """One run dies before its push, or while its checkout moves; the next, elsewhere, at every third step."""
    for at in count(1, 3):
        now = world.copy(tmp_path / str(at))
        before = now.house.live()
        run_broken(now.house, Late(1, How.DEATH, only=first))
        now.house.now += LATER
        other = now.hub.clone()
        other.now, fuse = now.house.now, Late(at, How.DEATH, lit=True)
        run_broken(other, fuse)
        check_promises(now, before)
        if fuse.blown is None:
            assert at > 4
            return
        check_converged(now, go_on(now, elsewhere=bool(at % 2)))
        now.house.close()
        other.close()
        shutil.rmtree(now.folder)
