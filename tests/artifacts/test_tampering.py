"""Every change that SOPS accepts without a word is refused by our reader, each with its reason."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from reconciler.artifacts import binding, sops
from reconciler.artifacts.age import wrapped
from reconciler.artifacts.binding import check, differences, sealed_shape, shape
from reconciler.artifacts.formats import all_formats
from reconciler.artifacts.identities import Identities
from reconciler.artifacts.opener import FileOpener, read_header
from reconciler.artifacts.text import json as json_text
from reconciler.artifacts.tree import Metadata, Selection, Tree
from reconciler.errors import ArtifactTampered, CannotOpen
from reconciler.secret import Secret

from .kit import HEADER, NOW, Bench, key_pair, parcel

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
    "order": (_reorder, r"the keys of plain stand in another order"),
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
    lists = shape({"plain": ["x", "y"]}, MIXED), shape({"plain": ["x", 1]}, MIXED)
    assert [*differences(*lists)] == ["plain[1] is a plain number, and was a plain str"]
    new = shape({"plain": "x"}, MIXED), shape({"plain": "x", "a": "", "b": None}, MIXED)
    assert [*differences(*new)] == ["an empty string at a was added", "a null at b was added"]
    moved = shape({"plain": "x"}, MIXED), shape({"plain": {"a": "x"}}, MIXED)
    assert next(iter(differences(*moved))) == "plain is a map, and was a plain str"


MANIFEST: dict[str, str | Mapping[str, str]] = {
    "name": "plant-a",
    "namespace": "factory",
    "type": "Opaque",
    "labels": {"env": "ab", "tier": "c"},
}
EDITS = {
    "label renamed": ("tier: c", "teer: c", r"the key 'tier' of metadata.labels was renamed to 'teer'"),
    "border moved": ("env: ab\n        tier: c", "env: a\n        tier: bc", "moved over the border"),
    "null added": (
        "        tier: c\n",
        "        tier: c\n        x: null\n",
        "a null at metadata.labels.x was added",
    ),
    "empty added": ("type: Opaque\n", 'type: Opaque\nx: ""\n', "a plain str at x was added"),
    "namespace to label": (
        "    namespace: factory\n",
        "    namespaze: factory\n",
        "the key 'namespace' of metadata was renamed to 'namespaze'",
    ),
}


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("program", [False, True])
def test_silent_change_of_a_real_manifest(bench: Bench, name: str, *, program: bool) -> None:
    """A manifest edited so that sops still decrypts it is refused, whoever decrypts."""
    old, new, reason = EDITS[name]
    one = parcel("kubernetes", options=MANIFEST)
    data = bench.seal(one)
    edited = data.replace(old.encode(), new.encode())
    assert edited != data
    bench.write("edited.yaml", edited)
    assert bench.sops("decrypt", "edited.yaml").returncode == 0
    opener = bench.program_opener() if program else bench.opener()
    with pytest.raises(ArtifactTampered, match=re.escape(reason)):
        opener.open(edited, one.path)


@pytest.mark.parametrize("form", all_formats())
def test_a_swapped_file_is_refused(bench: Bench, form: str) -> None:
    """A whole file of another token, or of an older generation, is whole: what was expected decides."""
    one = parcel(form)
    data = bench.seal(one)
    for expected in (
        replace(HEADER, token_id="other"),
        replace(HEADER, generation=4),
        replace(HEADER, kind="JWTToken"),
    ):
        with pytest.raises(
            ArtifactTampered, match=r"it is whole, but made out to RSAToken k7\w+ generation 3, not to"
        ):
            bench.opener().open(data, one.path, expected)


@pytest.mark.parametrize("form", all_formats())
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("k7ylkf3mq2pzabcd2345", "k7ylkf3mq2pzabcd2346", "the header says token id"),
        ("RSAToken", "JWTToken", "the header says kind JWTToken, and the binding says RSAToken"),
    ],
)
def test_an_edited_header_is_refused(bench: Bench, form: str, old: str, new: str, reason: str) -> None:
    """Editing the plain header gives a reason that names both sides, and a header that reads so."""
    one = parcel(form)
    data = bench.seal(one).replace(old.encode(), new.encode(), 1)
    assert read_header(data, one.path) != HEADER
    with pytest.raises(ArtifactTampered, match=reason):
        bench.opener().open(data, one.path)


@pytest.mark.parametrize("form", all_formats())
def test_an_edited_generation_is_refused(bench: Bench, form: str) -> None:
    """The same for the generation, and the program refuses it by its MAC."""
    one = parcel(form)
    data = re.sub(rb'(?i)(generation"?[:=] ?"?)3', rb"\g<1>4", bench.seal(one), count=1)
    assert read_header(data, one.path) == replace(HEADER, generation=4)
    with pytest.raises(ArtifactTampered, match="the header says generation 4, and the binding says 3"):
        bench.opener().open(data, one.path)
    with pytest.raises(ArtifactTampered, match="MAC does not match"):
        bench.program_opener().open(data, one.path)


def test_a_changed_selection_rule_is_refused(bench: Bench) -> None:
    """The rule for what is encrypted is the format's own; another in the file is refused."""
    one = parcel("yaml")
    data = bench.seal(one).replace(b"unencrypted_regex: ^reconciler$", b"unencrypted_regex: ^recon")
    with pytest.raises(ArtifactTampered, match="its rule for what is encrypted"):
        bench.opener().open(data, one.path)


def test_a_value_of_another_file_is_refused(bench: Bench) -> None:
    """A value moved here from another artifact, or under another key, does not decrypt."""
    one = parcel("json")
    mine, other = (json.loads(bench.seal(one)) for _ in range(2))
    mine["private_key"] = other["private_key"]
    with pytest.raises(ArtifactTampered, match="the value at private_key was changed, or moved here"):
        bench.opener().open(json.dumps(mine).encode(), one.path)


def test_a_file_without_a_binding_is_refused(bench: Bench) -> None:
    """A SOPS file that somebody else made in our layout has no binding that reads."""
    bench.config()
    text = json.dumps({"reconciler": {"kind": "RSAToken", "id": "x", "generation": 1}, "private_key": "x"})
    flags = ("--input-type", "json", "--output-type", "json", "--unencrypted-regex", "^reconciler$")
    forged = bench.sops("encrypt", *flags, "--filename-override", "x.json", stdin=text.encode()).stdout
    with pytest.raises(ArtifactTampered, match="has no binding"):
        bench.opener().open(forged, "x.json")
    text = text.replace('"private_key"', '"binding": "[[[", "private_key"')
    forged = bench.sops("encrypt", *flags, "--filename-override", "x.json", stdin=text.encode()).stdout
    with pytest.raises(ArtifactTampered, match="binding cannot be read") as caught:
        bench.opener().open(forged, "x.json")
    assert "[[[" not in str(caught.value)


def test_a_deep_binding_is_refused() -> None:
    """A binding that would overflow the stack is an error, not a crash."""
    with pytest.raises(ArtifactTampered, match="binding cannot be read"):
        check(Secret("[" * 100_000), HEADER, {})


def test_another_identity_cannot_open(bench: Bench) -> None:
    """Another identity raises CannotOpen, which names the recipient; no identity does the same."""
    one = parcel("yaml")
    data = bench.seal(one)
    from reconciler.artifacts.identities import parse

    for mine, places in (
        (parse(key_pair(2)[1], "my keys"), "my keys"),
        (Identities(), "no identity was found"),
    ):
        with pytest.raises(CannotOpen, match=bench.recipient) as caught:
            FileOpener(mine).open(data, one.path)
        assert places in str(caught.value)
        assert "SOPS_AGE_KEY_FILE" in caught.value.hint


def test_a_foreign_data_key_is_refused(bench: Bench) -> None:
    """An age file that holds something else than a data key raises ArtifactTampered."""
    tree = json.loads(bench.seal(parcel("json")))
    tree["sops"]["age"][0]["enc"] = wrapped(b"short", [bench.recipient])[0].enc
    with pytest.raises(ArtifactTampered, match="data key"):
        bench.opener().open(json.dumps(tree).encode(), "x.json")


@pytest.mark.parametrize("form", all_formats())
def test_no_error_shows_a_secret(bench: Bench, form: str) -> None:
    """Whatever is wrong with a file, neither the error nor what led to it holds the secret."""
    canary = "canary-3f9b1c"
    one = parcel(form, {"private_key": Secret(canary), "more": Secret(canary)})
    data = bench.seal(one)
    assert canary.encode() not in data
    for old, new in ((b"RSAToken", b"JWTToken"), (b"type:str", b"type:int"), (b"data:", b"data:AAAA")):
        with pytest.raises(ArtifactTampered) as caught:
            bench.opener().open(data.replace(old, new), one.path)
        error: BaseException | None = caught.value
        while error is not None:
            assert canary not in f"{error!r} {vars(error)}"
            error = error.__context__
    assert canary not in repr(bench.opener().open(data, one.path))
