"""Every change that SOPS accepts without a word is refused by our reader, each with its reason."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from reconciler.artifacts import binding, sops
from reconciler.artifacts.age import wrapped
from reconciler.artifacts.binding import check, differences, sealed_shape, shape
from reconciler.artifacts.text import json as json_text
from reconciler.artifacts.tree import Metadata, Selection, Tree
from reconciler.errors import ArtifactTampered

from .kit import HEADER, NOW, Bench

KEY = bytes(range(32))
MIXED = Selection("unencrypted_regex", "^plain")
TREE: Tree = {
    "plain": {
        "a": "v1",
        "b": "v2",
        "flag": True,
        "list": [["x"], ["y"]],
        "to": {"to": "z"},
        "n": None,
        "e": "",
    },
    "secret": {"on": True, "empty": "", "none": None, "list": ["s", ["t"]], "to": {"to": "u"}},
    "binding": "?",
}


def _plain(tree: Tree) -> Tree:
    node = tree["plain"]
    assert isinstance(node, dict)
    return node


def _secret(tree: Tree) -> Tree:
    node = tree["secret"]
    assert isinstance(node, dict)
    return node


def _rename(tree: Tree) -> None:
    inner: Tree = {}
    for key, value in _plain(tree).items():
        inner["a2" if key == "a" else key] = value
    tree["plain"] = inner


def _reorder(tree: Tree) -> None:
    inner = _plain(tree)
    rest = {key: value for key, value in inner.items() if key != "n"}
    tree["plain"] = {"n": None, **rest}


def _join(tree: Tree) -> None:
    inner = _secret(tree)["to"]
    assert isinstance(inner, dict)
    joined: Tree = {}
    for key, value in _secret(tree).items():
        joined["to:to" if key == "to" else key] = inner["to"] if key == "to" else value
    tree["secret"] = joined


def _retype(tree: Tree) -> None:
    leaf = _secret(tree)["on"]
    assert isinstance(leaf, str)
    _secret(tree)["on"] = leaf.replace("type:bool", "type:str")


def _unnest(tree: Tree) -> None:
    node = _secret(tree)["list"]
    assert isinstance(node, list)
    assert isinstance(node[1], list)
    _secret(tree)["list"] = [node[0], *node[1]]


SILENT: dict[str, tuple[Callable[[Tree], object], str]] = {
    "renamed plain key": (_rename, r"the key 'a' of plain was renamed to 'a2'"),
    "border moved": (
        lambda t: _plain(t).update(a="v", b="1v2"),
        r"text was moved over the border between 'a' and 'b'",
    ),
    "null added": (lambda t: _plain(t).update(new=None), r"a null at plain.new was added"),
    "null dropped": (lambda t: _plain(t).pop("n"), r"a null at plain.n was dropped"),
    "encrypted null dropped": (lambda t: _secret(t).pop("none"), r"a null at secret.none was dropped"),
    "null for empty": (
        lambda t: _secret(t).update(empty=None),
        r"secret.empty is a null, and was an empty string",
    ),
    "empty added": (lambda t: _secret(t).update(more=""), r"an empty string at secret.more was added"),
    "empty dropped": (lambda t: _plain(t).pop("e"), r"a plain str at plain.e was dropped"),
    "list nesting": (
        _unnest,
        r"the list at secret.list has \d items|secret.list\[1\] is an encrypted str, and was a list",
    ),
    "plain list nesting": (
        lambda t: _plain(t).update(list=[["x", "y"]]),
        r"the list at plain.list has 1 items, and had 2",
    ),
    "plain list to scalar": (
        lambda t: _plain(t).update(list="xy"),
        r"plain.list is a plain str, and was a list",
    ),
    "key joined": (_join, r"the key 'to' of secret was replaced by 'to:to'"),
    "bool to text": (_retype, r"secret.on is an encrypted str, and was an encrypted bool"),
    "plain bool to text": (
        lambda t: _plain(t).update(flag="True"),
        r"plain.flag is a plain str, and was a plain bool",
    ),
    "two keys for one": (
        lambda t: (_plain(t).pop("n"), _plain(t).update(n1=None, n2=None)),
        r"a null at plain.n was dropped",
    ),
}


@pytest.mark.parametrize("name", SILENT)
def test_silent_change(bench: Bench, name: str) -> None:
    """SOPS accepts the change with its MAC intact; the binding refuses it and says what it was."""
    change, reason = SILENT[name]
    tree, meta = _sealed(bench)
    change(tree)
    done = bench.sops(
        "decrypt",
        "--input-type",
        "json",
        "--output-type",
        "json",
        "--filename-override",
        "x",
        stdin=json_text.emit(tree, meta),
    )
    assert done.returncode == 0, done.stderr
    opened, mac = sops.open_tree(tree, meta, KEY)
    sops.check_mac(meta, KEY, mac)
    with pytest.raises(ArtifactTampered, match=reason):
        check(opened["binding"], HEADER, sealed_shape(tree, MIXED))


def _sealed(bench: Bench) -> tuple[Tree, Metadata]:
    tree: Tree = {**TREE, "binding": binding.binding(HEADER, TREE, MIXED)}
    meta = Metadata(wrapped(KEY, [bench.recipient]), sops.timestamp(NOW), "", MIXED, version=sops.VERSION)
    sealed, meta = sops.seal_tree(tree, meta, KEY, os.urandom)
    return json_text.parse(json_text.emit(sealed, meta)).tree, meta


def test_another_order_of_keys_is_no_change(bench: Bench) -> None:
    """SOPS itself changes the order of keys, and nothing hangs on it: every value keeps its key."""
    tree, meta = _sealed(bench)
    _reorder(tree)
    opened, mac = sops.open_tree(tree, meta, KEY)
    sops.check_mac(meta, KEY, mac)
    check(opened["binding"], HEADER, sealed_shape(tree, MIXED))
    assert not list(
        differences(shape({"plain": {"a": "x", "b": 1}}, MIXED), shape({"plain": {"b": 1, "a": "x"}}, MIXED))
    )


def test_the_reasons_differ() -> None:
    """No two silent changes share a reason."""
    assert len({reason for _, reason in SILENT.values()}) >= len(SILENT) - 1


def test_an_untouched_tree_passes(bench: Bench) -> None:
    """The same tree, not touched, is accepted: the shape before and after sealing is one."""
    tree, meta = _sealed(bench)
    opened, _ = sops.open_tree(tree, meta, KEY)
    check(opened["binding"], HEADER, sealed_shape(tree, MIXED))
    assert sealed_shape(tree, MIXED) == json.loads(json.dumps(shape(TREE, MIXED)))


def test_plain_text_that_only_changed_is_named() -> None:
    """A plain text that changed, with no neighbour to explain it, is named."""
    before, after = (shape({"plain": {"a": text, "b": text}}, MIXED) for text in ("x", "y"))
    assert next(iter(differences(before, after))) == "the plain text at plain.a was changed"
    moved = shape({"plain": "x"}, MIXED), shape({"plain": {"a": "x"}}, MIXED)
    assert next(iter(differences(*moved))) == "plain is a map, and was a plain str"


def test_every_difference_is_told() -> None:
    """Read to its end, the comparison tells each difference once."""
    lists = shape({"plain": ["x", "y"]}, MIXED), shape({"plain": ["x", 1]}, MIXED)
    assert [*differences(*lists)] == ["plain[1] is a plain number, and was a plain str"]
    new = shape({"plain": "x"}, MIXED), shape({"plain": "x", "a": "", "b": None}, MIXED)
    assert [*differences(*new)] == ["an empty string at a was added", "a null at b was added"]
    longer = shape({"plain": ["x"]}, MIXED), shape({"plain": ["x", "y"]}, MIXED)
    assert [*differences(*longer)] == ["the list at plain has 2 items, and had 1"]
    renamed = shape({"plain": "x"}, MIXED), shape({"plainer": "x"}, MIXED)
    assert [*differences(*renamed)] == ["the key 'plain' of the file was renamed to 'plainer'"]
