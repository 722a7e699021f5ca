"""What a generated history declared, and by whom: told step by step, by rules of this module alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.audit.declaring import CATALOG, Truth
from tests.audit.importing import Signed


class Asked(NamedTuple):
    """A commit, and what it changed in meaning."""

    commit: str
    means: frozenset[str]
    """Names of tokens, as they were and as they are since; and the catalog's key."""
    signed: Signed


class Changed(NamedTuple):
    """What one step of the line made of one token."""

    life: int
    """Tells it from others that had its name."""
    before: Truth | None
    after: Truth | None
    at: int
    commit: str
    merged: bool
    asked: frozenset[str]
    """The commits that asked for it."""


class Declared(NamedTuple):
    """A time in which one token had one spec."""

    life: int
    truth: Truth
    since: int
    until: int | None
    commit: str
    place: int
    """The step of the line at which it began."""
    gone: int | None
    """The step at which it ended."""


@dataclass
class Told:
    """All that was declared on the line."""

    spans: list[Declared] = field(default_factory=list)
    changes: list[Changed] = field(default_factory=list)
    steps: list[tuple[str, int]] = field(default_factory=list)
    """(commit, when it counts as made) of the line, oldest first."""
    _now: dict[int, Truth] = field(default_factory=dict)
    _asleep: dict[tuple[str, str], int] = field(default_factory=dict)
    """(name, kind) of what a fault hides → its life."""
    _open: dict[int, int] = field(default_factory=dict)
    _lives: int = 0

    def step(
        self,
        commit: str,
        signed: Signed,
        after: Mapping[str, Truth],
        asked: Sequence[Asked],
        *,
        merged: bool,
        hidden: frozenset[str] = frozenset(),
    ) -> None:
        """One commit of the line; `hidden` are names whose file cannot be read."""
        at = max(signed.committed, self.steps[-1][1] if self.steps else 0)
        self.steps.append((commit, at))
        lives = self._matched(after, hidden)
        for life in self._now.keys() | lives.keys():
            old, new = self._now.get(life), lives.get(life)
            if old == new:
                continue
            by = frozenset(_askers(asked, old, new)) or frozenset({commit})
            self.changes.append(Changed(life, old, new, at, commit, merged and by != {commit}, by))
            if old is not None:
                place = self._open.pop(life)
                self.spans[place] = self.spans[place]._replace(until=at, gone=len(self.steps) - 1)
            if new is not None:
                self._open[life] = len(self.spans)
                self.spans.append(Declared(life, new, at, None, commit, len(self.steps) - 1, None))
        self._now = dict(lives)

    def _matched(self, after: Mapping[str, Truth], hidden: frozenset[str]) -> dict[int, Truth]:
        """Life → what it is now: by name and kind, else by a name that it says it had."""
        by_name = {(one.name, one.kind): life for life, one in self._now.items()}
        known = {**self._asleep, **by_name}
        found: dict[int, Truth] = {}
        for name, truth in after.items():
            life = known.get((name, truth.kind))
            if life is None:
                olds = (old for old in truth.token.previously if old not in after)
                life = next((known[old, truth.kind] for old in olds if (old, truth.kind) in known), None)
            if life is None:
                self._lives += 1
                life = self._lives
            found[life] = truth
        gone = {(one.name, one.kind): life for life, one in self._now.items() if life not in found}
        self._asleep = {
            who: life
            for who, life in {**self._asleep, **gone}.items()
            if who[0] in hidden and life not in found
        }
        return found

    def as_of(self, name: str, commit: str) -> Declared | None:
        """What was declared under a name at a commit of the line; None where nothing was."""
        place = next((place for place, (one, _) in enumerate(self.steps) if one == commit), -1)
        named = (one for one in self.spans if one.truth.name == name and one.place <= place)
        return next((one for one in named if one.gone is None or place < one.gone), None)

    def at(self, moment: int) -> set[tuple[int, Truth]]:
        """What was declared at a moment and had not ended by itself, enabled or not."""
        return {
            (one.life, one.truth)
            for one in self.spans
            if one.since <= moment
            and (one.until is None or moment < one.until)
            and (one.truth.ends is None or moment < one.truth.ends)
        }


def _askers(asked: Sequence[Asked], old: Truth | None, new: Truth | None) -> Iterator[str]:
    names = {one.name for one in (old, new) if one is not None}
    named = [one.commit for one in asked if one.means & names]
    yield from named or (one.commit for one in asked if CATALOG in one.means)
