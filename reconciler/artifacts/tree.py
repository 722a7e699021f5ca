"""The plain trees that SOPS encrypts, and the rule that picks which leaves are encrypted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Literal, TypeAlias

from reconciler.errors import ArtifactTampered
from reconciler.secret import Secret

Leaf: TypeAlias = "bool | int | float | str | bytes | Secret | None"
Node: TypeAlias = "Leaf | list[Node] | dict[str, Node]"
Tree: TypeAlias = "dict[str, Node]"
Entropy: TypeAlias = Callable[[int], bytes]
"""n → n random bytes, fit for keys. A value, so that a test can repeat a run."""

MAX_BYTES = 5 << 20
"""Bytes that a file may have: more than any consumer of SOPS takes. One that is larger is cut there, and is
then not what was published."""
MAX_DEPTH = 32
"""Levels of nesting that a file may have. Ours have three."""

RuleName: TypeAlias = Literal[
    "unencrypted_regex", "encrypted_regex", "unencrypted_suffix", "encrypted_suffix"
]
RULE_NAMES: tuple[RuleName, ...] = (
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_suffix",
    "encrypted_suffix",
)


@dataclass(frozen=True)
class Selection:
    """Which leaves are encrypted: a match on any key on the way to a leaf decides."""

    name: RuleName
    pattern: str

    @cached_property
    def starts_encrypted(self) -> bool:
        """Whether a leaf whose path matches nowhere is encrypted."""
        return self.name.startswith("unencrypted")

    @cached_property
    def matches(self) -> Callable[[str], object]:
        """Whether a key matches. Truthy when it does."""
        if self.name.endswith("suffix"):
            return lambda key: key.endswith(self.pattern)
        return re.compile(self.pattern).search

    def below(self, key: str, *, encrypted: bool) -> bool:
        """Whether what stands below a key is encrypted, given what holds for the key's own map."""
        if encrypted is not self.starts_encrypted or not self.matches(key):
            return encrypted
        return not encrypted


DEFAULT_SELECTION = Selection("unencrypted_suffix", "_unencrypted")
"""What SOPS takes when a file names no rule."""


@dataclass(frozen=True, slots=True)
class Stanza:
    """The data key, wrapped for one age recipient."""

    recipient: str
    enc: str
    """One armored age file, with its final newline."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What stands under `sops` in a file. Recipients are called as `names` says."""

    age: tuple[Stanza, ...]
    """Each opens the file by itself; none where the data key is split over key groups."""
    lastmodified: str
    """RFC 3339, UTC, whole seconds."""
    mac: str
    selection: Selection
    mac_only_encrypted: bool = False
    version: str = ""
    others: tuple[str, ...] = ()
    """Recipients of other types, who open the file by themselves too."""
    split: tuple[tuple[str, ...], ...] = ()
    """The recipients of each key group over which the data key is split."""
    threshold: int = 0
    """How many key groups it takes to open the file; 0 where it is not split."""

    @property
    def grouped(self) -> bool:
        """Whether the data key is split over key groups, so that one stanza is not enough."""
        return bool(self.split)

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The recipients of each key group, age first; one group where the data key is not split."""
        whole = tuple(stanza.recipient for stanza in self.age) + self.others
        return (whole, *self.split) if whole else self.split

    @property
    def recipients(self) -> tuple[str, ...]:
        """Every recipient of every group, age first, in the order of the file."""
        return tuple(name for group in self.groups for name in group)


@dataclass(frozen=True, slots=True)
class Document:
    """A SOPS file, taken apart and still sealed."""

    tree: Tree
    metadata: Metadata
    comment: int | None = None
    """The line of the first comment, if there is one: none is ever sealed."""


def at(tree: Node, path: tuple[str, ...]) -> Node:
    """The node at a path of keys; None where there is none."""
    for key in path:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(key)
    return tree


def plain(node: Node) -> Node:
    """The same tree with every Secret opened: for a program's stdin and nothing else."""
    if isinstance(node, Secret):
        return node.open()
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(value) for value in node]
    return node


def bounded(node: Node, levels: int = MAX_DEPTH) -> None:
    """Raises ArtifactTampered for a tree deeper than any that an artifact has."""
    if levels == 0:
        raise ArtifactTampered(f"the file nests deeper than {MAX_DEPTH} levels", hint="restore it from git")
    for child in _children(node):
        bounded(child, levels - 1)


def _children(node: Node) -> Iterator[Node]:
    if isinstance(node, Mapping):
        yield from node.values()
    elif isinstance(node, list):
        yield from node


def number(value: float) -> str:
    """A number as SOPS hashes it: the shortest decimal, without an exponent."""
    if isinstance(value, int):
        return str(value)
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
