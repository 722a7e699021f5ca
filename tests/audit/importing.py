"""Commits made with `git fast-import`: thousands of them in a second, with any parents, people and times."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.git.kit import ENVIRON, Repo, made


class Who(NamedTuple):
    """A person of a commit."""

    name: str
    email: str


class Signed(NamedTuple):
    """What a commit says of itself."""

    author: Who
    authored: int
    committer: Who
    committed: int
    message: str


@dataclass
class Importer:
    """Makes commits of a repository, and tells their ids at once."""

    repo: Repo
    _count: int = 0
    _blobs: dict[str, int] = field(default_factory=dict)
    _marks: dict[str, int] = field(default_factory=dict)
    """Id of a commit → what the importer calls it: until it ends, it knows no ids."""

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(
            ["git", "fast-import", "--quiet", "--date-format=raw-permissive", "--force"],
            cwd=self.repo.root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=ENVIRON,
        )

    def commit(self, parents: Sequence[str], files: Mapping[str, str | None], signed: Signed) -> str:
        """The id of a commit that differs from its first parent in these files; None for one that is gone."""
        marks = {path: self._blob(text) for path, text in files.items() if text is not None}
        self._count += 1
        mark = self._count
        self._say(f"commit refs/heads/made\nmark :{mark}\n")
        self._say(f"author {signed.author.name} <{signed.author.email}> {signed.authored} +0000\n")
        self._say(f"committer {signed.committer.name} <{signed.committer.email}> {signed.committed} +0000\n")
        self._data(signed.message)
        if parents:
            first, *others = (self._marks[one] for one in parents)
            self._say(f"from :{first}\n" + "".join(f"merge :{one}\n" for one in others))
        else:
            self._say("deleteall\n")
        for path in files:
            self._say(f"M 100644 :{marks[path]} {path}\n" if path in marks else f"D {path}\n")
        self._say(f"\nget-mark :{mark}\n")
        made = self._answer()
        self._marks[made] = mark
        return made

    def branch(self, name: str, commit: str) -> None:
        """Lets a branch be at a commit."""
        self._say(f"reset refs/heads/{name}\nfrom :{self._marks[commit]}\n\n")

    def close(self) -> None:
        """Writes all that was made."""
        self._say("done\n")
        self._process.communicate()
        assert self._process.returncode == 0
        self.repo.git("update-ref", "-d", "refs/heads/made")

    def _blob(self, text: str) -> int:
        if text not in self._blobs:
            self._count += 1
            self._blobs[text] = self._count
            self._say(f"blob\nmark :{self._count}\n")
            self._data(text)
        return self._blobs[text]

    def _data(self, text: str) -> None:
        raw = text.encode()
        self._say(f"data {len(raw)}\n")
        assert self._process.stdin is not None
        self._process.stdin.write(raw + b"\n")

    def _say(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())

    def _answer(self) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.flush()
        return self._process.stdout.readline().decode().strip()


def importer(root: Path) -> Importer:
    """Of a new repository."""
    return Importer(made(root))
