"""Groups that specs name, replaced by the names that they stand for, once the whole catalog is known.

What comes behind the specs sees names only: a group that gains a member gives its tokens a new meaning,
and so a new digest. Only tokens that name a group are looked at, and how much they gain is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic_core import from_json, to_json

from reconciler.canonical import digest
from reconciler.kinds import all_kinds
from reconciler.specs.catalog import AT
from reconciler.specs.faults import Fault
from reconciler.specs.gathering import Catalog
from reconciler.specs.reader import Declared

MAY_NAME_GROUP = f'"{AT}'
"""Stands in every normal form that names a group."""
MAX_LETTERS = 200_000_000
"""Letters that all groups in all specs may stand for: a short spec may name a large group."""


def may_name_group(token: Declared) -> bool:
    """A quick look: it may say yes for nothing."""
    return MAY_NAME_GROUP in token.normal


def resolved(
    tokens: Sequence[Declared], catalog: Catalog, most: int = MAX_LETTERS
) -> tuple[Sequence[Declared], list[Fault]]:
    """The tokens with names for groups. Every group must stand in the catalog."""
    naming = _Naming(catalog, most)
    made: list[Declared] = []
    for token in tokens:
        made.append(naming.named(token) if may_name_group(token) else token)
        if naming.left < 0:
            return tokens, [_too_much(token, most)]
    return made, []


def _too_much(token: Declared, most: int) -> Fault:
    return Fault(
        token.file,
        token.line,
        token.column,
        "catalog.size",
        f"the groups that specs name up to here stand for more than {most:,} letters",
        "name smaller groups; or list * in the catalog, and write that",
    )


class _Naming:
    def __init__(self, catalog: Catalog, left: int) -> None:
        self.catalog = catalog
        self.left = left
        self.weights: dict[tuple[str, str], int] = {}
        self.known: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        """What was written once is written often."""

    def named(self, token: Declared) -> Declared:
        tree = from_json(token.normal)
        sections, spec = all_kinds()[token.kind].catalog, tree["spec"]
        written = tuple(
            (field, tuple(spec[field]))
            for field in sections
            if isinstance(spec.get(field), list) and any(name.startswith(AT) for name in spec[field])
        )
        if not written:
            return token
        for field, names in written:
            groups = [name for name in names if name.startswith(AT)]
            self.left -= sum(self.weight(sections[field], group) for group in groups)
            if self.left < 0:
                return token
            spec[field] = self.names(sections[field], names)
        normal = to_json(tree).decode()
        return token._replace(normal=normal, digest=digest(normal.encode()), written=written)

    def weight(self, section: str, group: str) -> int:
        """Letters of all that a group holds, with quotes and a comma."""
        if (section, group) not in self.weights:
            self.weights[section, group] = sum(len(name) + 3 for name in self.catalog[section].held[group])
        return self.weights[section, group]

    def names(self, section: str, written: tuple[str, ...]) -> list[str]:
        """The names that a list stands for, sorted and distinct."""
        if (section, written) not in self.known:
            found = {name for name in written if not name.startswith(AT)}
            for group in written:
                if group.startswith(AT):
                    found.update(self.catalog[section].names_of(group))
            self.known[section, written] = sorted(found)
        return self.known[section, written]
