"""What the branches of a remote hold, where artifacts are published by pushing them.

A pipeline works on the commit that started it, and artifacts are committed after it: so a checkout is
older than what is published, as a rule and not by accident. What stands at a path is therefore what a merge
of the checkout with the branches would have there: the branch's, if the branch changed it since the two
parted; the checkout's, if nobody else did. Nobody looks at the remote as long as the checkout has the very
file that the live store expects.

There are two branches where `spec.git.push` names one: that one, as far as it is not merged, and the one
that it goes into. The file that the live store expects wins in either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from reconciler.artifacts.rules import places
from reconciler.artifacts.tree import MAX_BYTES
from reconciler.canonical import digest
from reconciler.errors import GitFailed
from reconciler.git.contents import Contents
from reconciler.git.converting import edited
from reconciler.git.lines import has_commit, is_ancestor, merged, parting
from reconciler.git.remote import Heads, Remote
from reconciler.git.repository import Repository
from reconciler.git.trees import Entry, Listing, blob_id, entry
from reconciler.specs.files import is_spec
from reconciler.specs.settings import GitSettings

COMMIT = re.compile("[0-9a-f]{40,64}")
SPECS = "specs"


@dataclass(frozen=True, slots=True)
class Ground:
    """What the next commit is made on."""

    parents: tuple[str, ...]
    """One, or two where the branch of a pull request takes in what it goes into."""
    tree: str
    """A commit, or a tree where it is that of a merge."""
    conflicts: tuple[str, ...] = ()
    """Paths at which that merge is not to be had."""


class Upstream:
    """One look at the branches: made when it is first asked about, and the same from then on.

    Paths are relative to the workspace. Every method raises GitFailed where the remote cannot be read.
    """

    def __init__(self, opened: Callable[[], Repository], settings: GitSettings, folder: str) -> None:
        self._opened = opened
        self.settings = settings
        self._folder = folder

    @cached_property
    def repository(self) -> Repository:
        """The repository that the workspace lies in."""
        return self._opened()

    @cached_property
    def remote(self) -> Remote:
        """The remote that artifacts are pushed to."""
        return Remote(self.repository.git, self.settings.remote)

    @cached_property
    def contents(self) -> Contents:
        """Reads files of commits."""
        return Contents(self.repository.git)

    @cached_property
    def _heads(self) -> Heads:
        named = (self.settings.branch, self.settings.push)
        return self.remote.heads(*(name for name in named if name is not None))

    @cached_property
    def branch(self) -> str:
        """The branch that specs are applied from."""
        name, where = self.settings.branch or self._heads.default, self.settings.remote
        if name is None:
            raise GitFailed(
                f"the remote {where} has no default branch",
                hint="push the specs there, or name the branch in spec.git.branch of the Workspace document",
            )
        if name not in self._heads.commits:
            raise GitFailed(
                f"the remote {where} has no branch {name} yet",
                hint=f"push the specs there first: git push {where} HEAD:{name}",
            )
        return name

    @property
    def direct(self) -> bool:
        """Whether artifacts are pushed to the branch that specs are applied from."""
        return self.settings.push in (None, self.branch)

    @property
    def target(self) -> str:
        """The branch that artifacts are pushed to."""
        return self.branch if self.direct else str(self.settings.push)

    @cached_property
    def main(self) -> str:
        """The newest commit of the branch that specs are applied from."""
        commit = self._heads.commits[self.branch]
        self.remote.bring(self.branch, commit)
        return commit

    @cached_property
    def pushed(self) -> str | None:
        """The newest commit of the branch beside it, if it is there and not merged."""
        commit = None if self.direct else self._heads.commits.get(self.target)
        if commit is None:
            return None
        self.remote.bring(self.target, commit)
        return None if is_ancestor(self.repository.git, commit, self.main) else commit

    @cached_property
    def ground(self) -> Ground:
        """What the next commit is made on.

        Alone, a branch is followed commit by commit. The branch beside it starts anew from it when it is not
        there, or is merged; it takes it in, by a merge, where that one moved on.
        """
        git, main, pushed = self.repository.git, self.main, self.pushed
        if pushed is None:
            return Ground((main,), main)
        if is_ancestor(git, main, pushed):
            return Ground((pushed,), pushed)
        tree, conflicts = merged(git, pushed, main)
        return Ground((pushed, main), tree, conflicts)

    def check_mergeable(self) -> None:
        """Whether there is something that the next commit can follow. Raises GitFailed where there is not."""
        if self.ground.conflicts:
            raise GitFailed(
                f"{self.branch} and {self.target} conflict at {self.ground.conflicts[0]}",
                hint=f"merge {self.branch} into {self.target} and push that; or, if the pull request of"
                f" {self.target} is merged, delete that branch",
            )

    @cached_property
    def listing(self) -> Listing:
        """What the next commit is made on, path by path from the top of the repository."""
        return self._listing(self.ground.tree)

    def place(self, path: str) -> str:
        """A path of the workspace, from the top of the repository."""
        return f"{self.repository.prefix}{path}"

    def published(self, path: str, limit: int = MAX_BYTES) -> bytes | None:
        """The file that is published at a path, one byte more than `limit` at most; None where none is, or a
        link."""
        return self._content(self.listing, path, limit)

    def has(self, folder: str) -> bool:
        """Whether a folder is published."""
        found = self.listing.at(self.place(folder))
        return found is not None and found.is_folder

    def read(self, path: str, here: bytes | None, expected: str | None = None) -> bytes | None:
        """What stands at a path by what the checkout and the branches say together; None where nothing does.

        `here` is what stands in the work tree, `expected` the digest that the live store wants. A file that
        is missing from the work tree and not from its commit was not deleted by a commit, so it is there.
        """
        if here is None:
            here = self._checked_out(path)
        if here is not None and digest(here) == expected:
            return here
        changed: list[bytes | None] = []
        for listing, base in self._sides:
            there = self._id(listing, path)
            mine = None if here is None else blob_id(here, listing.tree)
            if there == mine or (base is not None and there == self._id(base, path)):
                continue
            found = self._content(listing, path)
            if found is not None and digest(found) == expected:
                return found
            if base is not None and mine == self._id(base, path):
                changed.append(found)
        return changed[0] if changed else here

    def is_newer(self, commit: str) -> bool:
        """Whether a commit follows the one that is checked out, and declares something else.

        One that is not in this repository is looked for in the branches.
        """
        git, head = self.repository.git, self.head
        if head is None or commit == head or not COMMIT.fullmatch(commit):
            return False
        if not has_commit(git, commit) and not (self.main and has_commit(git, commit)):
            return False
        return self._declares(head) != self._declares(commit) and is_ancestor(git, head, commit)

    def is_in_main(self, commit: str) -> bool:
        """Whether the branch that specs are applied from follows a commit, or is at it."""
        return commit == self.main or is_ancestor(self.repository.git, commit, self.main)

    def edited(self) -> tuple[str, ...]:
        """Spec files, and the file of creation rules, that are not as committed, from the top."""
        specs, configs = self.place(SPECS), places(self.repository.prefix)
        nearest = None if self.head is None else self.rules(self.head)
        heeded = configs if nearest is None else configs[: configs.index(nearest[0]) + 1]
        found = sorted(edited(self.repository, (specs, *heeded)))
        return tuple(path for path in found if path in heeded or is_spec(path.removeprefix(f"{specs}/")))

    def _declares(self, commit: str) -> tuple[Entry | None, tuple[str, Entry] | None]:
        """What says which tokens there are, and to whom they are sealed."""
        return entry(self.repository.git, commit, self.place(SPECS)), self.rules(commit)

    def rules(self, commit: str) -> tuple[str, Entry] | None:
        """The file of creation rules that a commit has for the workspace: the nearest one, as for sops."""
        for place in places(self.repository.prefix):
            found = entry(self.repository.git, commit, place)
            if found is not None:
                return place, found
        return None

    @cached_property
    def head(self) -> str | None:
        """The commit that is checked out; None before the first."""
        return self.repository.head()

    @cached_property
    def _sides(self) -> tuple[tuple[Listing, Listing | None], ...]:
        """Each branch, and the commit at which the checkout parted from it, where that can be told."""
        return tuple((self._listing(commit), self._parted(commit)) for commit in self._commits())

    def _commits(self) -> Iterator[str]:
        if self.pushed is not None:
            yield self.pushed
        yield self.main

    def _parted(self, commit: str) -> Listing | None:
        base = None if self.head is None else parting(self.repository, self.head, commit)
        return None if base is None else self._listing(base)

    def _listing(self, tree: str) -> Listing:
        return Listing(self.repository.git, tree, self.place(self._folder))

    def _checked_out(self, path: str) -> bytes | None:
        return None if self.head is None else self._content(self._listing_of_head, path)

    @cached_property
    def _listing_of_head(self) -> Listing:
        return self._listing(str(self.head))

    def _id(self, listing: Listing, path: str) -> str | None:
        found = listing.at(self.place(path))
        return None if found is None else found.id

    def _content(self, listing: Listing, path: str, limit: int = MAX_BYTES) -> bytes | None:
        found = listing.at(self.place(path))
        if found is None or not found.is_file:
            return None
        return self.contents.read(found.id, limit + 1)

    def close(self) -> None:
        """Ends the process that reads, if there is one."""
        if "contents" in self.__dict__:
            self.contents.close()
