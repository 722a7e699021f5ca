"""What a repository holds: revisions, and the files of a commit, read without a checkout."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.errors import GitFailed
from reconciler.git.running import ALWAYS, Git, find_top

LINK = "120000"
"""The mode of a symbolic link; its blob is where it leads."""
FILES = ("100644", "100755")
"""The modes of files."""


@dataclass(frozen=True, slots=True)
class Blob:
    """One file of a commit."""

    path: str
    """From the top of the repository, with `/`."""
    mode: str
    id: str
    """Of its content, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository, and the workspace in it."""

    git: Git
    prefix: str
    """Of the workspace, from the top: empty, or ending in `/`."""

    def commit(self, revision: str) -> str:
        """The id of the commit that a revision names. Raises GitFailed where it names none."""
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        ran = self.git.run(*asked)
        if ran.code != 0 or not ran.text:
            raise GitFailed(
                f"{revision!r} names no commit of this repository",
                hint="name a branch, a tag or a commit that was fetched; a shallow clone lacks older ones:"
                " git fetch --unshallow",
            )
        return ran.text

    def head(self) -> str | None:
        """The commit that is checked out; None before the first."""
        ran = self.git.run("rev-parse", "--verify", "--quiet", "HEAD")
        return ran.text or None

    def merge_base(self, one: str, other: str) -> str | None:
        """The commit at which two lines parted; None where they have nothing in common."""
        ran = self.git.run("merge-base", one, other)
        return ran.text.partition("\n")[0] or None

    def blobs(self, commit: str, folder: str = "") -> Iterator[Blob]:
        """Files and links of a commit below a folder of the workspace, in the order of their bytes.

        Raises GitFailed.
        """
        place = f"{self.prefix}{folder}".rstrip("/")
        listed = self.git.must(
            "ls-tree", "-r", "-z", "--full-tree", commit, "--", *([place] if place else [])
        )
        for line in listed.out.split(b"\0"):
            if line:
                about, _, name = line.partition(b"\t")
                mode, kind, blob = about.decode().split(" ")
                if kind == "blob":
                    yield Blob(os.fsdecode(name), mode, blob)


@dataclass(slots=True)
class Contents:
    """Reads blobs by their ids, from one `git cat-file --batch` for all; a process has its own."""

    git: Git
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _owner: int = field(default=0, init=False)

    def read(self, blob: str, limit: int | None = None) -> bytes:
        """The bytes of a blob, one more than `limit` at most. Raises GitFailed where it is not there."""
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise _broken_off()
        try:
            process.stdin.write(blob.encode() + b"\n")
            process.stdin.flush()
            size = process.stdout.readline().split()[2:]
            if not size:  # "… missing"
                raise _broken_off(blob)
            wanted = int(size[0]) if limit is None else min(int(size[0]), limit + 1)
            data = process.stdout.read(wanted)
            if wanted == int(size[0]):
                process.stdout.read(1)
            else:
                self.close()  # what is left of it is in the way of the next
        except OSError:
            raise _broken_off(blob) from None
        if len(data) != wanted:
            raise _broken_off(blob)
        return data

    def close(self) -> None:
        """Ends the process, if this one started it."""
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            self._process.communicate()
        self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._owner != os.getpid():
            self._process = subprocess.Popen(
                ["git", *ALWAYS, "cat-file", "--batch"],
                cwd=self.git.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self.git.environment(),
            )
            self._owner = os.getpid()
        return self._process


def _broken_off(blob: str = "") -> GitFailed:
    return GitFailed(
        f"git does not give the content of {blob or 'a file'}",
        hint="run git fsck; a partial clone fetches what it lacks with git fetch --refetch",
    )


def repository(root: Path, environ: Mapping[str, str]) -> Repository:
    """The repository that a workspace lies in. Raises GitFailed where it lies in none."""
    place = root.resolve()
    top = find_top(place)
    if top is None:
        raise GitFailed(f"{root} is in no git repository", hint="run git init there, and commit")
    inner = place.relative_to(top).as_posix()
    return Repository(Git(top, environ), "" if inner == "." else f"{inner}/")
