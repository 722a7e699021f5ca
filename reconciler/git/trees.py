"""What stands at the paths of a commit, submodules, links and folders too, without a checkout."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from reconciler.git.running import Git

TREE = "040000"
FILES = ("100644", "100755")
"""The modes of files."""
LINK = "120000"
"""The mode of a symbolic link; its blob is where it leads."""
SUBMODULE = "160000"
"""The mode of a submodule: a commit of another repository, whose files are not in this one."""
LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}
"""A path is a name, and no pattern."""
SHA256 = 64
"""Digits of an id in a repository of the newer object format."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at a path."""

    mode: str
    id: str

    @property
    def is_file(self) -> bool:
        """Whether it is a file, and no link, folder or submodule."""
        return self.mode in FILES

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.mode == TREE


def entries(git: Git, tree: str, folder: str) -> dict[str, Entry]:
    """All that stands at and below a folder of a commit or tree, the folder itself too, by path from the top.

    In the order of their bytes; of all of it, where the folder is empty. Empty where there is none.
    Raises GitFailed.
    """
    return dict(listed(git, tree, folder, "-r", "-t"))


def entry(git: Git, tree: str, path: str) -> Entry | None:
    """What stands at one path of a commit or tree; None where nothing does. Raises GitFailed."""
    return dict(listed(git, tree, path)).get(path)


def listed(git: Git, tree: str, path: str, *options: str) -> Iterator[tuple[str, Entry]]:
    """What `git ls-tree` tells of a path from the top, in the order of bytes: all of it, where that is empty.

    A tree that no git made may have one path twice. Raises GitFailed.
    """
    asked = ("ls-tree", *options, "-z", "--full-tree", tree, "--", *([path] if path else []))
    for line in git.must(*asked, more=LITERAL).out.split(b"\0"):
        if line:
            about, _, name = line.partition(b"\t")
            mode, _, ident = about.decode().split(" ")
            yield os.fsdecode(name), Entry(mode, ident)


@dataclass(slots=True)
class Listing:
    """What stands in a folder of a commit or tree, read once; other paths are asked for one by one."""

    git: Git
    tree: str
    folder: str
    """From the top of the repository."""
    _inside: dict[str, Entry] | None = field(default=None, init=False)
    _outside: dict[str, Entry | None] = field(default_factory=dict, init=False)

    @property
    def inside(self) -> dict[str, Entry]:
        """Everything at and below the folder, by path from the top. Raises GitFailed."""
        if self._inside is None:
            self._inside = entries(self.git, self.tree, self.folder)
        return self._inside

    def at(self, path: str) -> Entry | None:
        """What stands at a path from the top. Raises GitFailed."""
        if path == self.folder or path.startswith(f"{self.folder}/"):
            return self.inside.get(path)
        if path not in self._outside:
            self._outside[path] = entry(self.git, self.tree, path)
        return self._outside[path]

    def folders_above(self, path: str) -> Iterable[tuple[str, Entry | None]]:
        """Every folder on the way to a path, outermost first, and what stands there."""
        parts = path.split("/")[:-1]
        for length in range(1, len(parts) + 1):
            above = "/".join(parts[:length])
            yield above, self.at(above)


def blob_id(data: bytes, like: str) -> str:
    """The id that git gives to the content of a file, in the object format of another id."""
    algorithm = "sha256" if len(like) == SHA256 else "sha1"
    return hashlib.new(algorithm, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
