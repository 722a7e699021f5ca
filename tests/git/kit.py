"""A real git repository to try things in."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from reconciler.git.repository import Repository, repository

ENVIRON = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Author",
    "GIT_AUTHOR_EMAIL": "author@example.org",
    "GIT_COMMITTER_NAME": "Committer",
    "GIT_COMMITTER_EMAIL": "committer@example.org",
}


@dataclass
class Repo:
    """A repository with a work tree."""

    root: Path

    def git(self, *arguments: str, given: bytes | None = None) -> str:
        """What git prints; it must end well."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, input=given, capture_output=True, check=False, env=ENVIRON
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout.decode().strip()

    def write(self, file: str, text: str | bytes) -> Path:
        """A file of the work tree."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def commit(self, *files: tuple[str, str], message: str = "m") -> str:
        """Writes files, commits all that is there, and returns the commit's id."""
        for name, text in files:
            self.write(name, text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def blob(self, data: bytes) -> str:
        """The id of a content, which is in the repository then."""
        return self.git("hash-object", "-w", "--stdin", given=data)

    def tree(self, *entries: tuple[str, str, str, str]) -> str:
        """The id of a tree made of (mode, type, id, name): git looks at none of it."""
        lines = b"".join(f"{mode} {kind} {one}\t{name}\0".encode() for mode, kind, one, name in entries)
        return self.git("mktree", "-z", "--missing", given=lines)

    def commit_of(self, tree: str, *parents: str) -> str:
        """The id of a commit of a tree."""
        named = [part for parent in parents for part in ("-p", parent)]
        return self.git("commit-tree", tree, "-m", "made", *named)

    def clone(self, root: Path, *options: str) -> Repo:
        """A clone of it, over the transport that honours depth and filters."""
        self.git("clone", "--quiet", *options, f"file://{self.root}", str(root))
        return Repo(root)

    def opened(self, folder: str = "") -> Repository:
        """As the package reads it."""
        return repository(self.root / folder, ENVIRON)


def made(root: Path, *options: str) -> Repo:
    """A new repository with the branch `main`."""
    root.mkdir(parents=True, exist_ok=True)
    repo = Repo(root)
    repo.git("init", "--quiet", "--initial-branch", "main", *options)
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    return repo
