"""What files of commits contain, read by their ids."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field

from reconciler.errors import GitFailed
from reconciler.git.running import ALWAYS, Git
from reconciler.git.trees import LITERAL

HEADER = ("id", "type", "size")
"""What comes before a content."""
PROMISED = re.compile(r"^remote\.(?P<remote>.+)\.promisor true$", re.MULTILINE)
"""The remote that a partial clone has the rest from, as git lists its settings."""
CHUNK = 1 << 20
"""Bytes of what is not wanted that are read at once."""


@dataclass(slots=True)
class Contents:
    """Reads blobs by their ids, from one `git cat-file --batch` for all; a process has its own."""

    git: Git
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _owner: int = field(default=0, init=False)

    def bring(self, tree: str, path: str, walk: str = "--no-walk") -> None:
        """Fetches all that a partial clone lacks of a path of a commit at once: git asks for each by itself.

        With another `walk`, of the commits that it leads to as well. What does not come so is fetched when it
        is read. Raises GitFailed where that takes too long.
        """
        promised = self.git.run("config", "--type=bool", "--get-regexp", r"^remote\..*\.promisor$").text
        found = PROMISED.search(promised)
        if found is None:
            return
        asked = ("rev-list", "--objects", walk, "--missing=print", tree, "--", path)
        listed = self.git.run(*asked, more=LITERAL).text.splitlines()
        lacking = [line.removeprefix("?") for line in listed if line.startswith("?")]
        if lacking:
            self.git.over_network(
                "fetch", "--quiet", "--no-tags", "--filter=blob:none",
                "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance", "--refmap=",
                "--stdin", "--", found["remote"], given="".join(f"{one}\n" for one in lacking).encode(),
            )  # fmt: skip

    def read(self, blob: str, limit: int | None = None) -> bytes:
        """The bytes of a blob, `limit` at most. Raises GitFailed where the repository lacks it."""
        try:
            return self._read(blob, limit)
        except (OSError, ValueError):
            self.close()
            raise _broken_off(blob) from None

    def _read(self, blob: str, limit: int | None) -> bytes:
        """The same. Raises OSError or ValueError where git breaks off."""
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise OSError
        process.stdin.write(blob.encode() + b"\n")
        process.stdin.flush()
        answer = process.stdout.readline().split()
        if answer[1:] == [b"missing"]:
            raise _broken_off(blob)
        if len(answer) != len(HEADER):
            raise OSError
        size = int(answer[HEADER.index("size")])
        data = process.stdout.read(size if limit is None else min(size, limit))
        left = size - len(data) + 1  # with the end of the line
        while left and (more := process.stdout.read(min(left, CHUNK))):
            left -= len(more)
        if left:
            raise OSError
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


def _broken_off(blob: str) -> GitFailed:
    return GitFailed(
        f"git does not give the content of {blob}",
        hint="run git fsck; a partial clone fetches what it lacks with git fetch --refetch",
    )
