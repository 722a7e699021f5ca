"""Commands that read artifacts, in a checkout that is older than what is published."""

from __future__ import annotations

import json
import time

import pytest

from tests.apply.kit import jwt_token, login_token, owner
from tests.apply.processes import Ended, reconcile
from tests.publishing.kit import GitHouse, Hub

ENVIRON = {"GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture
def older(hub: Hub) -> GitHouse:
    """A checkout from before a rotation, an issue and a deletion; its owner's identity is at hand."""
    house = hub.clone()
    house.now = int(time.time())
    house.propose(login_token("turned"), jwt_token("gone"))
    house.apply()
    old = hub.clone()
    house.propose(login_token("turned", shop="T"), jwt_token("new"))
    house.apply()
    house.close()
    old.git("fetch", "--quiet", "origin")
    old.git("checkout", "--quiet", "origin/main", "--", "specs")
    old.git("reset", "--quiet")
    return old


def run(house: GitHouse, *arguments: str) -> Ended:
    """A command of somebody who can open artifacts."""
    return reconcile(house, *arguments, environ=ENVIRON | {"SOPS_AGE_KEY": owner()[1].open()})


def test_each_command_sees_what_is_published(older: GitHouse) -> None:
    """plan, apply, drift, download and doctor; not one file of the checkout is another afterwards."""
    before = older.files()
    assert "artifacts/JWTToken/gone.yaml" in before
    assert "Nothing to do" in run(older, "plan").out
    assert run(older, "apply", "--yes").code == 0
    drift = run(older, "drift", "--format", "json")
    assert (drift.code, json.loads(drift.out)["findings"]) == (0, []), drift
    for name, generation in (("turned", 2), ("new", 1)):
        done = run(older, "download", name, "--output", f"{name}.out")
        assert done.code == 0, done
        assert f"generation {generation}" in done.out + done.err
    assert run(older, "doctor").code == 0
    assert older.files() == before


def test_a_remote_that_cannot_be_read_is_an_error_and_not_an_empty_world(hub: Hub, older: GitHouse) -> None:
    """Only where it has to be asked: what stands here as it is expected needs no remote."""
    hub.bare.rename(hub.bare.with_name("aside"))
    for command in (["plan"], ["apply", "--yes"], ["drift"], ["download", "new", "--stdout"]):
        done = run(older, *command)
        assert done.code == 1, (command, done)
        assert "the remote origin cannot be read" in done.err
        assert "see that the remote can be reached" in done.err
    hub.bare.with_name("aside").rename(hub.bare)
    older.git("checkout", "--quiet", "--", ".")
    older.git("pull", "--quiet", "--ff-only", "origin", "main")
    hub.bare.rename(hub.bare.with_name("aside"))
    for command in (["plan"], ["apply", "--yes"], ["drift"], ["download", "new", "--stdout"]):
        done = run(older, *command)
        assert done.code == 0, (command, done)
