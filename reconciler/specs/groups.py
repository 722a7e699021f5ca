"""Groups of names: what each holds, at any depth. Bounded, so that a few lines cannot stand for too much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

MAX_CIRCLES = 100
"""Circles of groups that are told: each takes a look at the whole way to it."""
MAX_HELD = 10_000
"""Names and groups that one group may hold."""
MAX_STEPS = 1_000_000
"""What all groups of a section may hold together, as often as it is added up."""
SHOWN = 6
"""Groups of a circle that are named."""


class Trouble(NamedTuple):
    """What is wrong with a group."""

    group: str
    member: str
    """The member that is wrong; empty for the group itself."""
    rule: str
    message: str
    hint: str


def held_by(members: Mapping[str, Sequence[str]]) -> tuple[dict[str, frozenset[str]], list[Trouble]]:
    """What each group holds at any depth, names and groups; and the groups that hold themselves or too much.

    A group with trouble holds nothing, so that the groups above it have none for its sake.
    """
    weighing = _Weighing(members)
    for group in members:
        if group not in weighing.held:
            weighing.below(group)
    return weighing.held, weighing.troubles


class _Weighing:
    def __init__(self, members: Mapping[str, Sequence[str]]) -> None:
        self.members = members
        self.held: dict[str, frozenset[str]] = {}
        self.troubles: list[Trouble] = []
        self.steps = 0
        self.circles = 0

    def below(self, root: str) -> None:
        """Settles a group and all below it, the deepest first. Without recursion: a chain may be long."""
        path: dict[str, Iterator[str]] = {root: iter(self.members[root])}
        while path:
            group = next(reversed(path))
            member = next(path[group], None)
            if member is None:
                del path[group]
                self.held[group] = self.settled(group)
            elif member in path:
                self.in_a_circle(path, member)
            elif member in self.members and member not in self.held:
                path[member] = iter(self.members[member])

    def settled(self, group: str) -> frozenset[str]:
        found: set[str] = set()
        for member in self.members[group] if self.steps <= MAX_STEPS else ():
            inner = self.held.get(member, frozenset())
            self.steps += 1 + len(inner)
            if self.steps > MAX_STEPS:
                self.too_large(group, f"the groups up to {group} hold more than {MAX_STEPS:,} names together")
                return frozenset()
            found.add(member)
            found |= inner
            if len(found) > MAX_HELD:
                self.too_large(group, f"{group} holds more than {MAX_HELD:,} names")
                return frozenset()
        return frozenset(found)

    def too_large(self, group: str, message: str) -> None:
        hint = "make it smaller, or let the specs name several groups"
        self.troubles.append(Trouble(group, "", "catalog.size", message, hint))

    def in_a_circle(self, path: Mapping[str, object], member: str) -> None:
        self.circles += 1
        if self.circles > MAX_CIRCLES:
            return  # they are told from one another by those that are told already
        names = list(path)
        circle = names[names.index(member) :]
        way = [*circle[:SHOWN], *(["…"] if len(circle) > SHOWN else []), member]
        self.troubles.append(
            Trouble(
                circle[-1],
                member,
                "catalog.cycle",
                f"{member} holds itself: {' → '.join(way)}",
                "take one of them out of the group that it is in",
            )
        )
