"""doctor, where artifacts are pushed: whether an apply could do it here. Nothing changes by the question."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.apply.kit import jwt_token
from tests.apply.processes import reconcile
from tests.publishing.kit import GitHouse, Hub, git

ENVIRON = {"GIT_CONFIG_NOSYSTEM": "1"}
UNKNOWN = "whether a rule of the forge or a hook refuses it, only a push tells"


@pytest.fixture
def house(hub: Hub) -> GitHouse:
    """A clone from which something was applied."""
    made = hub.clone()
    made.now = int(time.time())
    made.propose(jwt_token("one"))
    made.apply()
    made.close()
    return made


def asked(house: GitHouse, **environ: str) -> list[tuple[str, str, str]]:
    """(state, message, hint) of all that doctor says of it."""
    done = reconcile(house, "doctor", "--format", "json", environ=ENVIRON | environ)
    found = [one for one in json.loads(done.out)["checks"] if one["name"] == "publishing"]
    return [(one["state"], one["message"], one["hint"]) for one in found]


def everything(*folders: Path) -> dict[Path, bytes]:
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files}


def test_what_an_apply_could_do_is_said_and_nothing_is_done(hub: Hub, house: GitHouse) -> None:
    """No object, no branch and no file is another, here or there, and no hook runs."""
    hook = house.root / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho ran >ran\n")
    hook.chmod(0o755)
    hub.hook("pre-receive", "exit 1")
    before = everything(hub.bare, house.root)
    assert asked(house) == [("ok", f"origin/main can be read and pushed to; {UNKNOWN}", "")]
    assert everything(hub.bare, house.root) == before


def test_a_branch_of_pull_requests_is_named_with_what_it_goes_into(hub: Hub) -> None:
    hub.git_settings = {"push": "artifacts"}
    made = hub.clone()
    made.propose(jwt_token("one"))
    where = "origin/artifacts, for pull requests into main,"
    assert asked(made) == [("ok", f"{where} can be read and pushed to; {UNKNOWN}", "")]


def test_who_cannot_push_is_told_so_and_what_to_do(house: GitHouse) -> None:
    """It is no fault: whoever only reads works here as well."""
    house.git("config", "remote.origin.pushUrl", "/nowhere/hub.git")
    ((state, message, hint),) = asked(house)
    assert (state, hint) == ("note", "where apply is to run, give git the right to push there")
    assert message.startswith("the remote can be read, and origin/main cannot be pushed to: ")
    assert "/nowhere/hub.git" in message
    assert reconcile(house, "doctor", environ=ENVIRON).code == 0


def test_a_remote_that_cannot_be_read_and_a_branch_that_is_not_there_are_faults(
    hub: Hub, house: GitHouse
) -> None:
    """Each with the remedy."""
    git(hub.bare, "update-ref", "-d", "refs/heads/main")
    ((state, message, hint),) = asked(house)
    assert (state, message) == ("fault", "the remote origin has no default branch")
    assert hint.startswith("push the specs there, or name the branch in spec.git.branch")
    shutil.rmtree(hub.bare)
    ((state, message, hint),) = asked(house)
    assert state == "fault"
    assert message.startswith("the remote origin cannot be read: ")
    assert "run this again" in hint
    house.git("remote", "remove", "origin")
    ((state, message, hint),) = asked(house)
    assert (state, message) == ("fault", "this repository has no remote origin")
    assert "git remote add origin ADDRESS" in hint
    assert reconcile(house, "doctor", environ=ENVIRON).code == 1


def test_whether_commits_can_be_signed_is_tried_where_they_are_to_be(
    hub: Hub, house: GitHouse, tmp_path: Path
) -> None:
    """The commit that is tried stays nowhere."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for name, value in {"gpg.format": "ssh", "user.signingKey": str(key), "commit.gpgSign": "true"}.items():
        house.git("config", name, value)
    before = everything(hub.bare, house.root)
    assert asked(house)[1:] == [("ok", "commits are signed, as commit.gpgSign asks", "")]
    assert everything(hub.bare, house.root) == before
    key.unlink()
    (_, (state, message, hint)) = asked(house)
    assert state == "fault"
    assert message.startswith("the commit could not be signed as commit.gpgSign asks")
    assert "user.signingKey" in hint
    assert everything(hub.bare, house.root) == before


def test_where_artifacts_stay_in_their_folder_there_is_nothing_to_say(house: GitHouse) -> None:
    assert asked(house, RECONCILER_PUBLISH="folder") == []
