"""Histories of years, made by chance from a seed, and the truth about them, told by what was done.

The truth comes from the operations alone: nothing of it is read back from the repository.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeAlias

from tests.audit.declaring import CATALOG, DAY, Catalog, State, Token, declared, files_of, text_of
from tests.audit.importing import Importer, Signed, Who, importer
from tests.audit.living import Store
from tests.audit.operations import Operations, Patch
from tests.audit.truth import Asked, Told
from tests.git.kit import Repo

PEOPLE = tuple(Who(name, f"{name.split()[0].lower()}@example.org") for name in ("Ann A", "Bob B", "历史 C"))
REVIEWERS = ("Rita R <rita@example.org>", "Rob R <rob@example.org>")
START = 1_600_000_000
FAR = 4_000_000_000
"""What a clock reads that is ahead."""
TRAILERS = ("Reviewed-by", "Approved-by")
Action: TypeAlias = "Callable[[], None]"


class Made(NamedTuple):
    """A history, and the truth about it."""

    repo: Repo
    prefix: str
    """Of the workspace, from the top."""
    head: str
    """The newest commit of the branch `main`."""
    told: Told
    """What was declared."""
    store: Store
    """What was live."""
    dropped: tuple[str, ...]
    """Commits that were applied and are on no line since a push by force."""
    end: int
    """After all of it."""


@dataclass
class Branch:
    """A line that was not merged yet."""

    tip: str
    state: State
    patch: Patch
    commits: list[Asked]


@dataclass
class Maker:
    """Makes one history."""

    rng: Random
    importer: Importer
    prefix: str
    pace: int
    """Seconds from one commit to the next, about."""
    now: int = START
    head: str = ""
    state: State = field(default_factory=dict)
    told: Told = field(default_factory=Told)
    branches: list[Branch] = field(default_factory=list)
    done: list[Patch] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    waiting: list[tuple[str, bytes]] = field(default_factory=list)
    """Records that are in the store and not yet in the repository."""
    notes: int = 0

    def __post_init__(self) -> None:
        self.store = Store(self.rng)
        self.operations = Operations(self.rng)

    def run(self, steps: int, most: int) -> None:
        """So many steps, with at most so many tokens."""
        self.operations.most = most
        self.direct(self.operations.found())
        weighted: list[tuple[int, Action]] = [
            (30, self.edit),
            (22, self.fork),
            (22, self.merge),
            (8, self.squash),
            (4, self.octopus),
            (4, self.revert),
            (4, self.update),
            (4, self.note),
            (30, self.apply),
            (2, self.block),
            (1, self.force),
        ]
        weights, actions = zip(*weighted, strict=True)
        for _ in range(steps):
            self.rng.choices(actions, weights)[0]()

    def edit(self) -> None:
        """A commit on the line itself."""
        self.direct(self.operations.any(self.state, self.pending()))

    def direct(self, patch: Patch) -> None:
        if patch:
            self.advance((), patch, "Edit the specs")
            self.done.append(patch)

    def fork(self) -> None:
        """A branch of some commits."""
        if len(self.branches) >= 4 or not self.head:
            return
        branch = Branch(self.head, self.state, {}, [])
        for _ in range(self.rng.randint(1, 4)):
            patch = self.operations.any(branch.state, self.pending(), branch.patch)
            if patch:
                self.grow(branch, patch)
        if branch.commits:
            self.branches.append(branch)

    def grow(self, branch: Branch, patch: Patch, *merged: str) -> None:
        """One more commit of a branch; with `merged`, the line is merged into it."""
        base = self.state if merged else branch.state
        after = _with(base, {**branch.patch, **patch} if merged else patch)
        signed = self.signed("Work on it")
        commit = self.commit((branch.tip, *merged), branch.state, after, signed)
        if patch:
            branch.commits.append(Asked(commit, frozenset(_means(patch)), signed))
        branch.tip, branch.state = commit, after
        branch.patch = _joined(branch.patch, patch)

    def update(self) -> None:
        """The line is merged into a branch."""
        if self.branches:
            self.grow(self.rng.choice(self.branches), {}, self.head)

    def merge(self) -> None:
        self.bring(self.rng.sample(self.branches, min(1, len(self.branches))))

    def octopus(self) -> None:
        self.bring(self.rng.sample(self.branches, min(3, len(self.branches))))

    def bring(self, branches: Sequence[Branch]) -> None:
        """A merge of some branches."""
        if not branches:
            return
        patch: Patch = {}
        for branch in branches:
            patch = _joined(patch, branch.patch)
            self.branches.remove(branch)
        asked = [one for branch in branches for one in branch.commits]
        self.advance([branch.tip for branch in branches], patch, "Merge it", asked)
        self.done.append(patch)

    def squash(self) -> None:
        """All of a branch as one commit, with those who helped."""
        if self.branches:
            branch = self.branches.pop(self.rng.randrange(len(self.branches)))
            helped = f"\n\nCo-authored-by: {PEOPLE[1].name} <{PEOPLE[1].email}>\n"
            self.advance((), branch.patch, f"Squash it{helped}")
            self.done.append(branch.patch)

    def revert(self) -> None:
        """What one of the last commits did is undone."""
        patch = self.rng.choice(self.done[-5:])
        undone = {key: (after, before) for key, (before, after) in patch.items()}
        if self.operations.fits(undone, self.state, self.pending()):
            self.direct(undone)

    def note(self, at: int | None = None) -> None:
        """A commit that has nothing to do with specs."""
        self.notes += 1
        signed = self.signed("Note it")
        if at is not None:
            signed = signed._replace(committed=at)
        self.step((), self.state, signed, files={"notes.txt": f"{self.notes}\n"})

    def apply(self) -> None:
        """A run from the newest commit, and the commit of its record. One whose clock is ahead is followed by
        another at once: it counts as made with that.
        """
        if not self.operations.broken(self.state):
            said = FAR if self.rng.random() < 0.05 else None
            at = self.now + 60
            made = [self.store.apply(declared(self.state), self.head, at, "ci", said)]
            if said is not None:
                made.append(self.store.block(self.head, at, "ci"))
            self.record(*made)

    def block(self) -> None:
        self.record(self.store.block(self.head, self.now + 60, "ci"))

    def force(self) -> None:
        """Commits that are applied, and dropped from the line again; the record stays."""
        patch = self.operations.any(self.state, self.pending())
        if not patch or self.operations.broken(after := _with(self.state, patch)):
            return
        commit = self.commit((self.head,), self.state, after, self.signed("Pushed by mistake"))
        self.dropped.append(commit)
        self.importer.branch(f"dropped-{len(self.dropped)}", commit)
        self.record(self.store.apply(declared(after), commit, self.now + 60, "ops"))

    def record(self, *made: tuple[str, bytes]) -> None:
        """The commit of records; sometimes later, with the next."""
        self.waiting.extend(made)
        self.now += 120
        if self.rng.random() < 0.9:
            self.publish()

    def publish(self) -> None:
        """The commit of what was recorded, if anything was."""
        if self.waiting:
            files = {f"artifacts/records/{name}": data.decode() for name, data in self.waiting}
            self.waiting.clear()
            self.step((), self.state, self.signed("Publish", PEOPLE[0]), files=files)

    def advance(self, merged: Sequence[str], patch: Patch, message: str, asked: Sequence[Asked] = ()) -> None:
        """The line goes on by a patch."""
        reviewers = ""
        if self.rng.random() < 0.5:
            reviewers = f"\n\n{self.rng.choice(TRAILERS)}: {self.rng.choice(REVIEWERS)}"
            message = message.replace("\n\n", f"{reviewers}\n") if "\n\n" in message else message + reviewers
        signed = self.signed(message)
        self.step(merged, _with(self.state, patch), signed, asked=asked or None, patch=patch)

    def step(
        self,
        merged: Sequence[str],
        after: State,
        signed: Signed,
        *,
        asked: Sequence[Asked] | None = None,
        patch: Patch | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        """One more commit of the line, and what is true from then on. One whose clock is ahead is followed by
        another at once: it counts as made with that.
        """
        parents = [*([self.head] if self.head else []), *merged]
        ahead = self.rng.random() < 0.03
        said = signed._replace(committed=FAR) if ahead else signed
        self.head = self.commit(parents, self.state, after, said, files or {})
        self.state = after
        own = Asked(self.head, frozenset(_means(patch or {})), signed)
        self.told.step(
            self.head,
            signed,
            declared(after),
            asked or [own],
            merged=asked is not None,
            hidden=frozenset(doc.name for doc in after.values() if isinstance(doc, Token) and doc.broken),
        )
        if ahead:
            self.note(signed.committed)

    def commit(
        self,
        parents: Sequence[str],
        before: State,
        after: State,
        signed: Signed,
        more: Mapping[str, str] | None = None,
    ) -> str:
        """A commit of a state, beside one that its first parent is in."""
        keys = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
        docs = [doc for key in keys for doc in (before.get(key), after.get(key)) if doc is not None]
        files: dict[str, str | None] = {doc.file: text_of(doc.file, after) for doc in docs}
        if not parents:
            files = dict(files_of(after))
        placed = {f"{self.prefix}{name}": text for name, text in {**files, **(more or {})}.items()}
        return self.importer.commit(parents, placed, signed)

    def signed(self, message: str, who: Who | None = None) -> Signed:
        """By somebody, a while after the last; now and then with a clock that is wrong."""
        self.now += self.rng.randint(self.pace // 10, 2 * self.pace)
        committed = self.now
        if self.rng.random() < 0.04:
            committed -= self.rng.randrange(40 * DAY)
        authored = committed - self.rng.randrange(3 * DAY) if self.rng.random() < 0.98 else 0
        author, committer = who or self.rng.choice(PEOPLE), who or self.rng.choice(PEOPLE)
        return Signed(author, authored, committer, committed, message)

    def pending(self) -> dict[str, Patch]:
        """What branches have done that the line has not."""
        return {branch.tip: branch.patch for branch in self.branches}


def history(
    root: Path, seed: int, steps: int, *, most: int = 60, prefix: str = "", pace: int = DAY // 2
) -> Made:
    """A history of so many steps. The same seed gives the same, commit ids too."""
    maker = Maker(Random(seed), importer(root), prefix, pace)
    maker.run(steps, most)
    maker.publish()
    maker.importer.branch("main", maker.head)
    maker.importer.close()
    maker.importer.repo.git("reset", "--quiet", "--hard", "main")
    return Made(
        maker.importer.repo,
        prefix,
        maker.head,
        maker.told,
        maker.store,
        tuple(maker.dropped),
        maker.now + DAY,
    )


def _with(state: State, patch: Patch) -> State:
    after = {**state, **{key: new for key, (_, new) in patch.items() if new is not None}}
    return {key: doc for key, doc in after.items() if key not in patch or patch[key][1] is not None}


def _joined(one: Patch, other: Patch) -> Patch:
    """Both, one after the other."""
    return {**one, **{key: (one.get(key, pair)[0], pair[1]) for key, pair in other.items()}}


def _means(patch: Patch) -> Iterator[str]:
    """The names of tokens that a patch gives another meaning; the key of the catalog, where it does."""
    for before, after in patch.values():
        if isinstance(before, Catalog) or isinstance(after, Catalog):
            yield CATALOG
            continue
        one = before.meant if before and not before.broken else None
        other = after.meant if after and not after.broken else None
        if one != other:
            yield from (found.name for found in (one, other) if found is not None)
