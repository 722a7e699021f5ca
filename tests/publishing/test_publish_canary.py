"""No secret is in the repository, in what git is told, or in what it and the remote see."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.apply.approval import approval
from reconciler.apply.interface import Ports
from reconciler.apply.session import apply
from reconciler.errors import PartlyApplied, PublishFailed
from reconciler.git.running import Git, Ran
from tests.apply.kit import auth_token, jwt_token, login_token, rsa_token
from tests.apply.test_apply_canary import Canary
from tests.publishing.kit import GitHouse, Hub

WITHHELD = {
    "SOPS_AGE_KEY": "AGE-SECRET-KEY-CANARY",
    "SOPS_AGE_KEY_FILE": "/canary/keys.txt",
    "RECONCILER_STORE": "postgresql://u:canarystore@h/d",
    "PGPASSWORD": "canarypassword",
    "PGPASSFILE": "/canary/pgpass",
}


def objects(folder: Path) -> bytes:
    """Every object that a repository has, reached or not: contents, trees, messages."""
    asked = ["git", "cat-file", "--batch-all-objects", "--batch", "--unordered"]
    return subprocess.run(asked, cwd=folder, capture_output=True, check=True).stdout


def listened(house: GitHouse, canary: Canary, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What every command of git is told, and answers, from now on."""
    told: list[str] = []
    real = Git.run

    def run(self: Git, *arguments: str, **more: object) -> Ran:
        ran = real(self, *arguments, **more)  # type: ignore[arg-type]  # as they were given
        told.append(repr((arguments, more, ran, self.environment())))
        return ran

    monkeypatch.setattr(Git, "run", run)
    return told


def test_no_secret_is_in_any_object_message_argument_or_environment(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After issues and a rotation, which was refused once; of both repositories, and of what hooks see."""
    house, canary = hub.clone(), Canary()
    house.environ = dict(WITHHELD)
    for name in ("pre-push", "reference-transaction"):
        place = house.root / ".git" / "hooks" / name
        place.write_text(f"#!/bin/sh\nenv >>{hub.folder}/seen\nps -ef >>{hub.folder}/seen\ncat >/dev/null\n")
        place.chmod(0o755)
    hub.hook("pre-receive", f"env >>{hub.folder}/seen\ncat >/dev/null\ntest -f {hub.folder}/open")
    told = listened(house, canary, monkeypatch)

    def wrap(ports: Ports) -> Ports:
        return canary.ports(ports)

    (hub.folder / "open").touch()
    house.propose(rsa_token("r"), jwt_token("j"), login_token("l"), auth_token("t"))
    house.apply(wrap)
    house.propose(rsa_token("r"), jwt_token("j"), login_token("l", shop="T"), auth_token("t", "HS512"))
    (hub.folder / "open").unlink()
    with pytest.raises(PartlyApplied):
        house.apply(wrap)
    (hub.folder / "open").touch()
    house.apply(wrap)
    assert len(canary.seen) >= 8
    assert len(told) > 40
    canary.seen += WITHHELD.values()
    for folder in (hub.bare, house.root):
        canary.check(folder.name, objects(folder))
    canary.check("hooks", (hub.folder / "seen").read_bytes())
    canary.check("git", "".join(told))
    house.close()


def test_an_address_with_a_password_is_not_repeated(hub: Hub) -> None:
    """git names the address that it could not reach."""
    house = hub.clone()
    house.propose(jwt_token("one"))
    house.git("remote", "set-url", "origin", "http://user:canary@127.0.0.1:1/x.git")
    plan = house.plan()
    with pytest.raises(PublishFailed) as raised:
        apply(replace(house.session(plan, approval(plan))))
    assert "cannot be read" in str(raised.value)
    assert "canary" not in str(raised.value)
    house.close()
