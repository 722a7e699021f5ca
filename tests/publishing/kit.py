"""A bare remote, clones of it that are workspaces, and what must hold of what was published."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from reconciler.apply.git import PAUSES
from reconciler.cli.context import commit_of
from reconciler.records.body import to_json
from reconciler.records.envelope import read
from reconciler.surroundings import Surroundings
from reconciler.workspace import Workspace
from tests.apply.kit import House, check_quiet, check_settled

_numbers = count(1)

IDENTITY = {"GIT_AUTHOR_NAME": "dev", "GIT_AUTHOR_EMAIL": "dev@example.com"}
IDENTITY |= {"GIT_COMMITTER_NAME": "dev", "GIT_COMMITTER_EMAIL": "dev@example.com"}


def clean(home: Path) -> dict[str, str]:
    """An environment in which git finds no settings but those of the repository, and of `home`."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}


def git(folder: Path, *arguments: str, given: bytes | None = None) -> str:
    """What a developer's git says; it must end well."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        input=given,
        env=clean(folder / "home") | IDENTITY,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, (arguments, done.stderr.decode())
    return done.stdout.decode().strip()


@dataclass
class GitHouse(House):
    """A workspace in a clone, that publishes by git."""

    slept: list[float] = field(default_factory=list)

    def _opened_workspace(self) -> Workspace:
        around = Surroundings(
            environ=clean(self.root / "home") | {"RECONCILER_ACTOR": "tester"} | self.environ,
            home=self.root / "home",
            platform="linux",
            clock=lambda: self.now,
            sleep=self.slept.append,
            entropy=self.entropy,
            commit=commit_of,
        )
        return Workspace(self.root, around, self.url)

    def git(self, *arguments: str) -> str:
        """git in the clone, as its developer."""
        return git(self.root, *arguments)

    def propose(self, *documents: Mapping[str, object]) -> str:
        """Declares specs, commits and pushes them as a merged pull request would; returns the commit."""
        self.declare(*documents)
        self.git("add", ".sops.yaml", "specs")
        self.git("commit", "--quiet", "--allow-empty", "-m", "specs")
        self.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
        return self.git("rev-parse", "HEAD")


@dataclass
class Hub:
    """A bare remote, and who cloned it."""

    folder: Path
    url: str
    """Of the live store."""
    git_settings: dict[str, str] = field(default_factory=dict)

    @property
    def bare(self) -> Path:
        """The remote."""
        return self.folder / "hub.git"

    def made(self) -> Hub:
        """Itself, once the remote is there, and empty."""
        self.bare.mkdir(parents=True)
        git(self.bare, "init", "--quiet", "--bare", "--initial-branch=main")
        return self

    def clone(self, *options: str) -> GitHouse:
        """A new clone on another machine."""
        root = self.folder / f"clone{next(_numbers)}"
        git(self.folder, "clone", "--quiet", *options, self.bare.as_uri(), str(root))
        git(root, "config", "advice.detachedHead", "false")
        (root / ".git" / "info" / "exclude").write_text("home/\n.reconciler/\n")
        rules = root / ".sops.yaml"
        before = rules.read_bytes() if rules.exists() else None
        house = GitHouse(root, self.url, settings={"publish": "git", "git": self.git_settings})
        if before is not None:
            rules.write_bytes(before)
        return house

    def hook(self, name: str, script: str) -> None:
        """A hook of the remote, in shell."""
        place = self.bare / "hooks" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"#!/bin/sh\n{script}\n")
        place.chmod(place.stat().st_mode | stat.S_IXUSR)

    def unhook(self) -> None:
        """No hook any more."""
        for place in (self.bare / "hooks").iterdir():
            place.unlink()

    def head(self, branch: str = "main") -> str:
        """The newest commit of a branch."""
        return git(self.bare, "rev-parse", f"refs/heads/{branch}")

    def files(self, branch: str = "main") -> list[str]:
        """What a branch holds below the artifacts folder."""
        return git(
            self.bare, "ls-tree", "-r", "--name-only", f"refs/heads/{branch}", "artifacts"
        ).splitlines()

    def read(self, path: str, branch: str = "main") -> bytes:
        """The bytes of a file of a branch."""
        asked = ["git", "cat-file", "blob", f"refs/heads/{branch}:{path}"]
        return subprocess.run(asked, cwd=self.bare, capture_output=True, check=True).stdout

    def subjects(self, branch: str = "main") -> list[str]:
        """The first lines of the commits of a branch, newest first."""
        return git(self.bare, "log", "--format=%s", f"refs/heads/{branch}").splitlines()

    def message(self, branch: str = "main") -> str:
        """The message of the newest commit of a branch."""
        return git(self.bare, "log", "-1", "--format=%B", f"refs/heads/{branch}")

    def commit(self, branch: str, edit: Mapping[str, str | None], base: str | None = None) -> str:
        """Somebody else's commit to a branch: path → text, or None where it is removed."""
        index = self.folder / f"index{next(_numbers)}"
        place = ["-c", "core.bare=true"]
        environ = clean(self.folder) | IDENTITY | {"GIT_INDEX_FILE": str(index)}

        def run(*arguments: str, given: str = "") -> str:
            done = subprocess.run(
                ["git", *place, *arguments], cwd=self.bare, input=given.encode(), env=environ,
                capture_output=True, check=True,
            )  # fmt: skip
            return done.stdout.decode().strip()

        parent = base or self.head(branch)
        run("read-tree", parent)
        for path, text in edit.items():
            if text is None:
                run("update-index", "--index-info", given=f"0 {'0' * 40}\t{path}\n")
            else:
                blob = run("hash-object", "-w", "--stdin", given=text)
                run("update-index", "--index-info", given=f"100644 {blob}\t{path}\n")
        commit = run("commit-tree", "-p", parent, "-m", "by hand", run("write-tree"))
        run("update-ref", f"refs/heads/{branch}", commit)
        return commit


def check_linear(hub: Hub, branch: str = "main") -> None:
    """No commit has two parents."""
    assert git(hub.bare, "rev-list", "--merges", f"refs/heads/{branch}") == ""


def check_published(hub: Hub, now: int, branch: str = "main") -> None:
    """A fresh clone on another machine has everything, and plans nothing."""
    fresh = hub.clone("--branch", branch)
    fresh.now = now
    check_settled(fresh)
    check_quiet(fresh)
    assert fresh.git("status", "--porcelain") == ""
    fresh.close()


def records_of(hub: Hub, branch: str = "main") -> list[dict[str, object]]:
    """The records that a branch holds, in order."""
    paths = [path for path in hub.files(branch) if "/records/" in path]
    return [dict(to_json(read(hub.read(path, branch)).body)) for path in paths]


__all__ = ["PAUSES", "GitHouse", "Hub", "check_linear", "check_published", "git", "records_of"]
