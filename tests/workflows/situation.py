"""A repository on a forge, as `init` leaves it: what is pushed to it, and the events that this makes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.artifacts import identities
from tests.workflows.runner import Run, git

PACKAGE = "reconciler[postgres,sops] @ git+https://git.example/reconciler@0123abc"
MAIN = "refs/heads/main"
REVIEW = ".github/workflows/tokens-review.yaml"
APPLY = ".github/workflows/tokens-apply.yaml"
DRIFT = ".github/workflows/tokens-drift.yaml"


@dataclass
class Forge:
    """A bare repository, and a clone in which somebody works."""

    place: Path
    runs: list[Run] = field(default_factory=list)

    @classmethod
    def made(cls, place: Path, ci: str) -> Forge:
        """A new repository, with a workspace that `init` made in it; pushed."""
        forge = cls(place)
        forge.hub.mkdir(parents=True)
        git(forge.hub, "init", "--quiet", "--bare", "--initial-branch=main")
        git(forge.hub, "config", "uploadpack.allowAnySHA1InWant", "true")
        git(place, "clone", "--quiet", str(forge.hub), "clone")
        recipient = identities.generate()[0]
        forge.reconcile(
            "init", "--ci", ci, "--name", "acme", "--age", recipient, "--org", "acme", "--package", PACKAGE
        )
        forge.push("A workspace")
        return forge

    def copy(self, place: Path) -> Forge:
        """The same in another place."""
        shutil.copytree(self.place, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("run-*"))
        other = Forge(place)
        git(other.clone, "remote", "set-url", "origin", str(other.hub))
        return other

    @property
    def store(self) -> str:
        """Address of the live store: a file that is in no clone."""
        return f"sqlite:///{self.place}/live.db"

    @property
    def hub(self) -> Path:
        """The bare repository."""
        return self.place / "hub.git"

    @property
    def clone(self) -> Path:
        """Where somebody works."""
        return self.place / "clone"

    def reconcile(self, *arguments: str, code: int = 0) -> str:
        """What the tool says to somebody in the clone."""
        home = self.place / "home"
        home.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "COVERAGE_PROCESS_START") if name in os.environ}
        environ = {**kept, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "RECONCILER_STORE": self.store}
        done = subprocess.run(
            [sys.executable, "-m", "reconciler.cli", *arguments],
            cwd=self.clone, env=environ, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return done.stdout

    def push(self, message: str) -> None:
        """Commits all, and pushes it to main."""
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "--allow-empty", "-m", message)
        git(self.clone, "push", "--quiet", "origin", "HEAD:main")

    def pull(self) -> None:
        """Takes over what was pushed to main meanwhile."""
        git(self.clone, "fetch", "--quiet", "origin")
        git(self.clone, "reset", "--quiet", "--hard", "origin/main")

    def write(self, file: str, text: str) -> None:
        """A file of the clone."""
        (self.clone / file).parent.mkdir(parents=True, exist_ok=True)
        (self.clone / file).write_text(text)

    def pull_request(self, *, fork: bool = False, login: str = "ada") -> Run:
        """A pull request of what is changed in the clone, which is as before then; the run that it starts."""
        base = git(self.clone, "rev-parse", "HEAD")
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "--allow-empty", "-m", "A change")
        head = git(self.clone, "rev-parse", "HEAD")
        tree = git(self.clone, "rev-parse", "HEAD^{tree}")
        merge = git(self.clone, "commit-tree", tree, "-p", base, "-p", head, "-m", "Merge")
        git(self.clone, "push", "--quiet", "--force", "origin", f"{merge}:refs/pull/7/merge")
        git(self.clone, "reset", "--quiet", "--hard", base)
        repository = {"full_name": "eve/tokens" if fork else "acme/tokens"}
        about = {
            "number": 7,
            "user": {"login": login},
            "head": {"sha": head, "repo": repository},
            "base": {"sha": base},
        }
        event = {"number": 7, "pull_request": about}
        run = self.run("pull_request", "refs/pull/7/merge", merge, event)
        if fork or login == "dependabot[bot]":
            run.secrets = {}
        return run

    def run(
        self, name: str, ref: str = MAIN, sha: str | None = None, event: dict[str, Any] | None = None
    ) -> Run:
        """A run that an event starts; by default one on main as it is."""
        commit = sha or git(self.hub, "rev-parse", ref)
        run = Run(
            hub=self.hub,
            place=self.place / f"run-{len(self.runs)}",
            event={"event_name": name, "ref": ref, "sha": commit, "event": event or {}},
            secrets={"RECONCILER_STORE": self.store, "RECONCILER_STORE_READ": self.store},
        )
        self.runs.append(run)
        return run
