"""The SOPS encryption on any tree: types, lists, empty and null, both MAC modes; against sops."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.artifacts import sops
from reconciler.artifacts.age import wrapped
from reconciler.artifacts.agewrap import identity, unwrap
from reconciler.artifacts.text import json as json_text
from reconciler.artifacts.text import yaml as yaml_text
from reconciler.artifacts.tree import Metadata, Node, Selection, Tree, number, plain
from reconciler.errors import ArtifactTampered, SealFailed
from reconciler.secret import Secret

from .kit import NOW, Bench, values

KEY = bytes(range(32))
SELECTIONS = (
    Selection("unencrypted_suffix", "_unencrypted"),
    Selection("encrypted_suffix", "_s"),
    Selection("unencrypted_regex", "^p"),
    Selection("encrypted_regex", "^(s|q)$"),
)
keys = st.sampled_from(["p", "s", "q", "a_s", "b_unencrypted", "to.to", "to:to", "a b", "工"])
numbers = st.integers(-(10**9), 10**9) | st.floats(-1e6, 1e6).filter(lambda one: one == 0 or abs(one) > 1e-3)
leaf_values: st.SearchStrategy[Node] = (
    st.none() | st.booleans() | numbers | values().filter(lambda t: "\r" not in t)
)
nodes: st.SearchStrategy[Node] = st.recursive(
    leaf_values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
trees: st.SearchStrategy[Tree] = st.dictionaries(keys, nodes, min_size=1, max_size=4)


def metadata(bench: Bench, selection: Selection, *, only: bool = False) -> Metadata:
    """Metadata of a file for the bench's owner."""
    return Metadata(wrapped(KEY, [bench.recipient]), sops.timestamp(NOW), "", selection, only, sops.VERSION)


@settings(max_examples=40, deadline=None)
@given(tree=trees, selection=st.sampled_from(SELECTIONS), only=st.booleans())
def test_sops_decrypts_any_tree(bench: Bench, tree: Tree, selection: Selection, *, only: bool) -> None:
    """The program decrypts any tree that we encrypt, checks the MAC, and gives the same values."""
    meta = metadata(bench, selection, only=only)
    data = json_text.emit(*sops.seal_tree(tree, meta, KEY, os.urandom))
    done = bench.sops(
        "decrypt", "--input-type", "json", "--output-type", "json", "--filename-override", "x", stdin=data
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(json.dumps(tree))


@settings(max_examples=25, deadline=None)
@given(tree=trees, selection=st.sampled_from(SELECTIONS))
@pytest.mark.parametrize("store", ["yaml", "json"])
def test_we_decrypt_any_tree_of_sops(bench: Bench, store: str, tree: Tree, selection: Selection) -> None:
    """Any tree that the program encrypts opens here, and its MAC is the one we compute."""
    bench.rules(f"creation_rules: [{{age: {bench.recipient}, {selection.name}: '{selection.pattern}'}}]")
    done = bench.sops(
        "encrypt",
        "--input-type",
        "json",
        "--output-type",
        store,
        "--filename-override",
        "x",
        stdin=json.dumps(tree).encode(),
    )
    assert done.returncode == 0, done.stderr
    document = (yaml_text if store == "yaml" else json_text).parse(done.stdout)
    owner = identity(bench.identity)
    assert owner is not None
    key = unwrap(document.metadata.age[0].enc, [owner])
    found, mac = sops.open_tree(document.tree, document.metadata, key)
    sops.check_mac(document.metadata, key, mac)
    assert plain(found) == tree


@settings(max_examples=100, deadline=None)
@given(tree=trees, selection=st.sampled_from(SELECTIONS), only=st.booleans())
def test_yaml_text_gives_the_tree_back(bench: Bench, tree: Tree, selection: Selection, *, only: bool) -> None:
    """Seal, write as YAML, read, open: the same tree, whatever its keys and plain values are."""
    meta = metadata(bench, selection, only=only)
    sealed, meta = sops.seal_tree(tree, meta, KEY, os.urandom)
    document = yaml_text.parse(yaml_text.emit(sealed, meta))
    assert document.metadata == meta
    found, mac = sops.open_tree(document.tree, document.metadata, KEY)
    sops.check_mac(meta, KEY, mac)
    assert plain(found) == tree


def test_bytes_come_back_and_empty_bytes_are_empty_text() -> None:
    """A value of type bytes decrypts to bytes; an empty one is written as the empty string."""
    meta = Metadata((), "t", "", SELECTIONS[0])
    sealed, meta = sops.seal_tree({"a": b"\xff", "b": b""}, meta, KEY, os.urandom)
    assert sops.open_tree(sealed, meta, KEY)[0] == {"a": b"\xff", "b": ""}


def test_the_same_entropy_gives_the_same_bytes(bench: Bench) -> None:
    """Sealing draws randomness from the value it is given and from nowhere else."""
    meta = Metadata((), "t", "", SELECTIONS[0])
    one, two = (sops.seal_tree({"a": "x"}, meta, KEY, lambda n: b"\1" * n) for _ in range(2))
    assert one == two


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (1e21, "1" + "0" * 21),
        (1.5e-7, "0.00000015"),
        (0.1, "0.1"),
        (-2.50, "-2.5"),
        (10**20, "1" + "0" * 20),
    ],
)
def test_numbers_are_hashed_without_exponent(value: float, text: str) -> None:
    """A number's bytes are its shortest decimal."""
    assert number(value) == text


def test_half_a_surrogate_pair_is_refused_without_showing_it() -> None:
    """Text that is not Unicode raises SealFailed, and nothing of the error chain holds it."""
    meta = Metadata((), "t", "", SELECTIONS[0])
    with pytest.raises(SealFailed, match="not valid Unicode") as caught:
        sops.seal_tree({"a": Secret("canary\ud800")}, meta, KEY, os.urandom)
    assert caught.value.__context__ is None


def sealed_leaf(kind: str, data: bytes) -> Tree:
    return {"a": sops.Cipher(KEY).seal(kind, data, "a:", bytes(32))}


@pytest.mark.parametrize("kind", ["int", "bool", "float", "time", "str"])
def test_a_value_of_another_type_is_refused(kind: str) -> None:
    """A value that does not read as the type it names raises ArtifactTampered, without the value."""
    meta = Metadata((), "t", "", SELECTIONS[0])
    with pytest.raises(ArtifactTampered, match="not of the type") as caught:
        sops.open_tree(sealed_leaf(kind, b"canary\xff"), meta, KEY)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("leaf", ["plain", 3, "ENC[AES256_GCM,data:!,iv:!,tag:!,type:str]"])
def test_a_plain_value_in_an_encrypted_place_is_refused(leaf: Node) -> None:
    """What should be encrypted and is not raises ArtifactTampered and names the place."""
    meta = Metadata((), "t", "", SELECTIONS[0])
    with pytest.raises(ArtifactTampered, match="value at a"):
        sops.open_tree({"a": leaf}, meta, KEY)


def test_a_mac_that_is_missing_or_wrong_is_refused() -> None:
    """No MAC, a MAC of another time, and a MAC over other values each raise ArtifactTampered."""
    meta = Metadata((), "t", "", SELECTIONS[0])
    with pytest.raises(ArtifactTampered, match="no MAC"):
        sops.check_mac(meta, KEY, "X")
    _, meta = sops.seal_tree({"a": "x"}, meta, KEY, os.urandom)
    with pytest.raises(ArtifactTampered, match="MAC does not match"):
        sops.check_mac(meta, KEY, "X")
    with pytest.raises(ArtifactTampered, match="the MAC was changed"):
        sops.check_mac(Metadata((), "u", meta.mac, SELECTIONS[0]), KEY, "X")
