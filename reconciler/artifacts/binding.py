"""What SOPS does not check: whose file it is, and the shape of its tree.

SOPS authenticates values under their keys, and the plain text of all of them in a row. It does not
see a renamed plain key, text moved over the border of two plain values, an added null, other list
nesting, or `true` that became `"True"`. The binding is one more encrypted value: canonical JSON
with the header and the shape, made when the file is sealed and compared when it is opened. What we
seal has no comments, which SOPS does not check either: one that stands in a file is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from reconciler.artifacts.interface import Header
from reconciler.artifacts.text.canonical import canonical_text
from reconciler.artifacts.tree import Document, Leaf, Node, Selection, Tree, number
from reconciler.errors import ArtifactTampered
from reconciler.secret import Secret

Shape: TypeAlias = "str | Sequence[Shape] | Mapping[str, Sequence[Sequence[Shape]]]"
"""A leaf is a word, a list is a list, a map is `{"map": [[key, shape], …]}`, in any order.

SOPS itself changes the order of keys (`sops unset`, then `sops set`), and no value changes by it.
"""

VERSION = 1
_KEYS = {"generation", "id", "kind", "shape", "version"}
_KINDS = {"empty": "an empty string", "null": "a null", "damaged": "a damaged ENC[…]"}
_TYPED = re.compile(r"ENC\[AES256_GCM,[^\]]*type:(\w+)\]")


def shape(tree: Tree, selection: Selection) -> Shape:
    """The shape of a tree that is about to be sealed."""
    return _shape(tree, selection, _type, encrypted=selection.starts_encrypted)


def sealed_shape(tree: Tree, selection: Selection) -> Shape:
    """The shape of a sealed tree: that of the tree it was made from, if nobody touched it."""
    return _shape(tree, selection, _sealed_type, encrypted=selection.starts_encrypted)


def check_comments(document: Document) -> None:
    """Raises ArtifactTampered where a comment stands in a file. SOPS leaves them out of its MAC."""
    if document.comment is not None:
        raise ArtifactTampered(
            f"a comment stands at line {document.comment}, and none was sealed",
            hint="remove it with sops edit, or restore the file from git",
        )


def _shape(node: Node, selection: Selection, leaf: Callable[[Leaf], str], *, encrypted: bool) -> Shape:
    if isinstance(node, dict):
        below = selection.below
        return {
            "map": [
                [key, _shape(value, selection, leaf, encrypted=below(key, encrypted=encrypted))]
                for key, value in node.items()
            ]
        }
    if isinstance(node, list):
        return [_shape(item, selection, leaf, encrypted=encrypted) for item in node]
    if node is None:
        return "null"
    return leaf(node) if encrypted else _plain(node)


def _type(leaf: Leaf) -> str:
    if isinstance(leaf, str | Secret):
        return "str" if (leaf.open() if isinstance(leaf, Secret) else leaf) else "empty"
    return type(leaf).__name__


def _sealed_type(leaf: Leaf) -> str:
    """`ENC[…,type:str]` names its type at the end."""
    if leaf == "":
        return "empty"
    if isinstance(leaf, str) and leaf.startswith("ENC[AES256_GCM,"):
        # SOPS reads on past text that follows the bracket; we do not.
        typed = _TYPED.fullmatch(leaf)
        return typed[1] if typed else "damaged"
    return _plain(leaf)


def _plain(leaf: Leaf) -> str:
    """A plain leaf: its type and its text. Whole floats are ints: the program writes them as either."""
    if isinstance(leaf, bool):
        return f"=bool:{leaf}"
    if isinstance(leaf, int | float):
        return f"=number:{number(leaf)}"
    return f"=str:{leaf!s}"


def binding(header: Header, tree: Tree, selection: Selection) -> Secret:
    """The binding of a tree that is about to be sealed; its own place must be taken already."""
    return Secret(
        canonical_text(
            {
                "generation": header.generation,
                "id": header.token_id,
                "kind": header.kind,
                "shape": shape(tree, selection),
                "version": VERSION,
            }
        )
    )


def check(bound: Node, header: Header, found: Shape) -> None:
    """Raises ArtifactTampered, with what exactly differs, unless header and shape are those bound."""
    sealed = _read(bound)
    for word, key, value in (
        ("kind", "kind", header.kind),
        ("token id", "id", header.token_id),
        ("generation", "generation", header.generation),
    ):
        if sealed[key] != value:
            raise ArtifactTampered(f"the header says {word} {value}, and the binding says {sealed[key]}")
    fault = None if sealed["shape"] == found else next(iter(differences(sealed["shape"], found)), None)
    if fault is not None:
        raise ArtifactTampered(f"the file is not as it was sealed: {fault}")


def _read(bound: Node) -> dict[str, Shape]:
    if not isinstance(bound, Secret):
        raise ArtifactTampered("the file has no binding")
    try:
        sealed = json.loads(bound.open())
    except (ValueError, RecursionError):
        sealed = None  # raised outside: the error that Python makes carries the text
    if not isinstance(sealed, dict) or sealed.get("version") != VERSION or sealed.keys() != _KEYS:
        raise ArtifactTampered(
            "the binding cannot be read by this version", hint="upgrade, or rotate the token"
        )
    return sealed


def differences(sealed: Shape, found: Shape, place: str = "the file") -> Iterator[str]:
    """Every way in which a shape is not the one that was sealed, in words."""
    if isinstance(sealed, Mapping) and isinstance(found, Mapping):
        yield from _maps(_pairs(sealed), _pairs(found), place)
    elif isinstance(sealed, list) and isinstance(found, list):
        yield from _lists(sealed, found, place)
    elif sealed != found:
        yield _leaves(sealed, found, place)


def _pairs(node: Mapping[str, Sequence[Sequence[Shape]]]) -> dict[str, Shape]:
    return {str(key): value for key, value in node["map"]}


def _lists(sealed: list[Shape], found: list[Shape], place: str) -> Iterator[str]:
    if len(sealed) != len(found):
        yield f"the list at {place} has {len(found)} items, and had {len(sealed)}"
        return
    for index, (one, other) in enumerate(zip(sealed, found, strict=True)):
        yield from differences(one, other, f"{place}[{index}]")


def _maps(sealed: dict[str, Shape], found: dict[str, Shape], place: str) -> Iterator[str]:
    gone = [key for key in sealed if key not in found]
    new = [key for key in found if key not in sealed]
    if gone or new:
        yield from _keys(sealed, found, gone, new, place)
    else:
        yield from _moved(sealed, found, place)
        for key, one in sealed.items():
            yield from differences(one, found[key], _below(place, key))


def _keys(
    sealed: dict[str, Shape], found: dict[str, Shape], gone: list[str], new: list[str], place: str
) -> Iterator[str]:
    if len(gone) == len(new) == 1:
        renamed = sealed[gone[0]] == found[new[0]]
        verb = "renamed to" if renamed else "replaced by"
        yield f"the key {gone[0]!r} of {place} was {verb} {new[0]!r}"
        return
    for key in gone:
        yield f"{_kind(sealed[key])} at {_below(place, key)} was dropped"
    for key in new:
        yield f"{_kind(found[key])} at {_below(place, key)} was added"


def _moved(sealed: dict[str, Shape], found: dict[str, Shape], place: str) -> Iterator[str]:
    """Plain texts that differ one by one and agree in a row: what SOPS itself takes for equal."""
    changed = [key for key in sealed if sealed[key] != found[key]]
    before, after = ([_text(side[key]) for key in changed] for side in (sealed, found))
    if len(changed) > 1 and "".join(before) == "".join(after) != "":
        names = " and ".join(repr(key) for key in changed)
        yield f"text was moved over the border between {names} of {place}"


def _text(one: Shape) -> str:
    return one.partition(":")[2] if isinstance(one, str) and one.startswith("=") else ""


def _leaves(sealed: Shape, found: Shape, place: str) -> str:
    was, now = _kind(sealed), _kind(found)
    if was == now:
        return f"the plain text at {place} was changed"
    return f"{place} is {now}, and was {was}"


def _kind(one: Shape) -> str:
    if isinstance(one, Mapping):
        return "a map"
    if isinstance(one, list):
        return "a list"
    word = str(one)
    if word.startswith("="):
        return f"a plain {word[1:].partition(':')[0]}"
    return _KINDS.get(word, f"an encrypted {word}")


def _below(place: str, key: str) -> str:
    return key if place == "the file" else f"{place}.{key}"
