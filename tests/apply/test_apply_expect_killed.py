"""Real processes that apply an approved plan, killed at each step, and run again with the same digest."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.apply.kit import House, auth_token, check_quiet, check_settled, jwt_token, recorded
from tests.apply.processes import Ended, ended, reconcile, start

BEFORE = (jwt_token("wide", apis=("a", "b")), jwt_token("turned"), auth_token("gone"))
AFTER = (
    jwt_token("wide", apis=("a",)),
    jwt_token("turned", algorithm="ES256"),
    jwt_token("new"),
    auth_token("newer"),
)
EXPECTED = [
    ("delete", "TokenAuth", "gone"), ("issue", "JWTToken", "new"), ("issue", "TokenAuth", "newer"),
    ("modify", "JWTToken", "wide"), ("rotate", "JWTToken", "turned"),
]  # fmt: skip
KILLED = """
import os, itertools, signal
from reconciler.live.sql import SqlStore
calls = itertools.count(1)
def deadly(name, real, owner):
    def call(*arguments, **named):
        now = next(calls) == {at}
        if now and {before}:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*arguments, **named)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(owner, name, call)
deadly("commit", SqlStore.commit, SqlStore)
deadly("replace", os.replace, os)
"""
"""The process dies at the n-th thing that it does to the store or to the tree: before it, or after it."""


@pytest.fixture
def sold(tmp_path: Path) -> Iterator[House]:
    """A workspace in real time, with a past and an edit that is to be approved."""
    root = tmp_path / "house"
    house = House(root, f"sqlite:///{root}/.reconciler/live.db", now=int(time.time()))
    house.declare(*BEFORE)
    house.apply()
    house.declare(*AFTER)
    house.close()
    yield house
    house.close()


def approved(house: House) -> str:
    """The digest of what is planned now."""
    return str(json.loads(reconcile(house, "plan", "--format", "json").out)["digest"])


def killed(house: House, digest: str, at: int, *, before: bool) -> Ended:
    """An apply that dies at its n-th step, if it has so many."""
    return ended(start(house, "apply", "--expect", digest, prelude=KILLED.format(at=at, before=before)))


def done_once(house: House) -> None:
    """All of the plan happened, each change once, and nothing else did.

    Who died after the last step leaves the lease, which ends by itself.
    """
    lease = house.store().state().lease
    if lease is not None:
        house.store().release(lease)
    check_settled(house)
    assert sorted(recorded(house)[3:]) == EXPECTED
    check_quiet(house)


@pytest.mark.parametrize("before", [True, False])
def test_an_approved_apply_that_died_anywhere_goes_on_by_its_digest(
    sold: House, tmp_path: Path, *, before: bool
) -> None:
    """For every step until there is none left to die at; nobody is asked, and nobody approves anew."""
    digest = approved(sold)
    saved = {path: path.read_bytes() for path in sold.root.rglob("*") if path.is_file()}
    for at in count(1):
        _put_back(sold, saved)
        died = killed(sold, digest, at, before=before)
        if died.code == 0:
            break
        assert died.code == -signal.SIGKILL, died
        again = reconcile(sold, "apply", "--expect", digest)
        assert again.code == 0, (at, again)
        done_once(sold)
    assert at > 6
    done_once(sold)


def _put_back(house: House, saved: dict[Path, bytes]) -> None:
    house.close()
    for path in [path for path in house.root.rglob("*") if path.is_file() and path not in saved]:
        path.unlink()
    for path, data in saved.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def test_an_apply_that_dies_again_and_again_goes_on_by_its_digest(sold: House) -> None:
    """Three times: also between settling what died and beginning anew."""
    digest = approved(sold)
    for at in (1, 2, 1):
        assert killed(sold, digest, at, before=False).code in (0, -signal.SIGKILL)
    assert reconcile(sold, "apply", "--expect", digest).code == 0
    done_once(sold)


def test_what_was_added_after_the_death_is_not_the_rest_of_what_was_approved(sold: House) -> None:
    """One spec more, or another wish for one that was approved: the digest does not stand for it."""
    digest = approved(sold)
    assert killed(sold, digest, 2, before=False).code == -signal.SIGKILL
    for edit in ((*AFTER, jwt_token("slipped-in")), (*AFTER[:2], jwt_token("new", apis=("everything",)))):
        sold.declare(*edit)
        again = reconcile(sold, "apply", "--expect", digest)
        assert again.code == 4, again
        assert "not the plan that was approved" in again.err
        assert not {"slipped-in"} & sold.live().keys()
        sold.close()
    sold.declare(*AFTER)
    assert reconcile(sold, "apply", "--expect", digest).code == 0
    done_once(sold)


def test_another_apply_after_the_death_ends_the_approval(sold: House) -> None:
    """It carries out the rest by itself; then nothing is left that the digest could stand for."""
    digest = approved(sold)
    assert killed(sold, digest, 2, before=False).code == -signal.SIGKILL
    assert reconcile(sold, "apply", "--yes").code == 0
    done_once(sold)
    (sold.root / str(sold.live()["new"].artifact_path)).unlink()
    sold.close()
    assert reconcile(sold, "apply", "--expect", digest).code == 4
