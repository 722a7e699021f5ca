"""What a repository holds: revisions, and the files of a commit, read without a checkout."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import GitFailed
from reconciler.git import trees
from reconciler.git.running import Git, find_prefix, find_top, last_line
from reconciler.git.shallow import DEEPEN

PLACES = ("refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD")
"""Where git looks for a name that is not written in full, in this order."""
WHOLE_NAME = re.compile(r"refs/.*|[A-Z_]*HEAD|[0-9a-f]{40}|[0-9a-f]{64}")
"""A name that git takes for one thing only, whatever branches and tags there are."""
WHOLE_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
SHORT_ID = re.compile(r"[0-9a-f]{4,63}")
BEHIND_NAME = re.compile(r"[~^:]|@\{")
"""Begins what a revision says beside a name, as in `main~2`."""
MISSING = 1
"""How `rev-parse --verify --quiet` ends where there is no such thing; what else goes wrong is 128."""


@dataclass(frozen=True, slots=True)
class Blob:
    """One file, link or submodule of a commit."""

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
        """The id of the commit that a revision names.

        Raises GitFailed where it names none, and where branches, tags and ids differ in what it is:
        whoever may push a branch or a tag does not choose what another name means.
        """
        self._check_one_thing(revision)
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        ran = self.git.run(*asked)
        if ran.code == 0 and WHOLE_ID.fullmatch(ran.text):  # `^main` is answered with `^` and an id
            return ran.text
        if ran.code not in (0, MISSING):
            raise GitFailed(
                f"git does not say what {revision!r} is: {last_line(ran.err)}",
                hint=f"see what git says to it in {self.git.folder}",
            )
        hint = "name a branch, a tag or a commit that was fetched, such as origin/main"
        raise GitFailed(
            f"{revision!r} names no commit of this repository",
            hint=f"{hint}; this clone is shallow: {DEEPEN}" if self.is_shallow() else hint,
        )

    def head(self) -> str | None:
        """The commit that is checked out; None before the first."""
        ran = self.git.run("rev-parse", "--verify", "--quiet", "HEAD")
        return ran.text or None

    def merge_base(self, one: str, other: str) -> str | None:
        """The commit at which two lines parted; None where they have nothing in common."""
        ran = self.git.run("merge-base", one, other)
        return ran.text.partition("\n")[0] or None

    def parted(self, one: str, other: str) -> str:
        """The same, of two commit ids. Raises GitFailed where there is none, or none can be told."""
        base = self.merge_base(one, other)
        if base in (one, other):
            return base
        if self.is_shallow() and (base is None or self._is_cut(one, other, base)):
            raise GitFailed(
                f"where {one[:7]} and {other[:7]} parted is not in this clone, which is shallow",
                hint=DEEPEN,
            )
        if base is None:
            raise GitFailed(
                f"{one[:7]} and {other[:7]} have no commit in common",
                hint="name a branch that this one came from; or compare the two as they are: A..B",
            )
        return base

    def blobs(self, commit: str, folder: str = "") -> Iterator[Blob]:
        """Files, links and submodules of a commit below a folder of the workspace, or of that very name.

        In the order of their bytes. Raises GitFailed.
        """
        below = trees.listed(self.git, commit, f"{self.prefix}{folder}".rstrip("/"), "-r")
        return (Blob(path, one.mode, one.id) for path, one in below if not one.is_folder)

    def entry(self, commit: str, path: str) -> Blob | None:
        """What a commit has at a path from the top; None where there is nothing, or a folder.

        Raises GitFailed.
        """
        found = trees.listed(self.git, commit, path)
        named = (Blob(path, one.mode, one.id) for name, one in found if name == path and not one.is_folder)
        return next(named, None)

    def is_shallow(self) -> bool:
        """Whether history ends before it began, because this clone was made so."""
        return self.git.must("rev-parse", "--is-shallow-repository").text == "true"

    def _is_cut(self, one: str, other: str, base: str) -> bool:
        """Whether any way from the two to their base ends before it: a better base may be behind that end."""
        return bool(self.git.must("rev-list", "--max-parents=0", one, other, "--not", base).text)

    def _check_one_thing(self, revision: str) -> None:
        """Raises GitFailed for a name that is a tag and a branch, or a branch and the start of an id."""
        name = BEHIND_NAME.split(revision, maxsplit=1)[0]
        if not name or WHOLE_NAME.fullmatch(name):
            return
        found = self._refs(name)
        if found and SHORT_ID.fullmatch(name):
            ids = self.git.run("rev-parse", f"--disambiguate={name}").text.split()
            found.update({one: one for one in ids if self._is_commit(one)})
        if len(set(found.values())) > 1:
            raise GitFailed(
                f"{name!r} is more than one thing here: {', '.join(found)}",
                hint="write the one that is meant in full, as listed",
            )

    def _refs(self, name: str) -> dict[str, str]:
        """Branches and tags that a name may stand for → their commits."""
        places = [place.format(name) for place in PLACES]
        form = "%(refname) %(objectname) %(*objectname)"
        listed = self.git.must("for-each-ref", f"--format={form}", *places).text
        rows = [line.split(" ") for line in listed.splitlines()]
        return {ref: (peeled or [""])[0] or own for ref, own, *peeled in rows if ref in places}

    def _is_commit(self, found: str) -> bool:
        return self.git.run("cat-file", "-t", found).text == "commit"


def repository(root: Path, environ: Mapping[str, str]) -> Repository:
    """The repository that a workspace lies in. Raises GitFailed where it lies in none that git will read."""
    place = root.resolve()
    top = find_top(place)
    if top is None:
        raise _no_repository(root, place)
    git = Git(top, environ)
    # Where `.git` is not what it seems, git would go on looking above.
    if git.must("rev-parse", "--show-cdup").text:
        raise GitFailed(f"{top / '.git'} is no git repository", hint="remove it, or restore it")
    return Repository(git, find_prefix(place))


def _no_repository(root: Path, place: Path) -> GitFailed:
    """What is wrong where there is no `.git`. Git is not started: it would obey settings that it finds."""
    bare = next((one for one in (place, *place.parents) if _is_bare(one)), None)
    if bare is None:
        return GitFailed(f"{root} is in no git repository", hint="run git init there, and commit")
    return GitFailed(
        f"{bare} is a bare repository: it has no work tree to ask in",
        hint=f"clone it, and ask in the clone: git clone {shlex.quote(str(bare))} FOLDER",
    )


def _is_bare(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()
