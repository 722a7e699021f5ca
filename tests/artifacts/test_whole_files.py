"""Whole artifacts that were edited, swapped or forged, and readers who may not open them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from reconciler.artifacts.age import wrapped
from reconciler.artifacts.binding import check
from reconciler.artifacts.formats import all_formats
from reconciler.artifacts.identities import Identities
from reconciler.artifacts.interface import Expected
from reconciler.artifacts.opener import FileOpener, read_header
from reconciler.errors import ArtifactTampered, CannotOpen
from reconciler.secret import Secret

from .kit import HEADER, Bench, key_pair, parcel

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
            ArtifactTampered,
            match=r"it (belongs to another token|is of an older generation): RSAToken k7",
        ):
            bench.opener().open(data, one.path, Expected(expected))


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


@pytest.mark.parametrize("form", all_formats())
def test_a_changed_selection_rule_is_refused(bench: Bench, form: str) -> None:
    """The rule for what is encrypted is the format's own; another in the file is refused."""
    one = parcel(form)
    data, count = re.subn(rb'(encrypted_regex"?[:=] ?"?\^)', rb"\g<1>x?", bench.seal(one))
    assert count == 1
    with pytest.raises(ArtifactTampered, match="its rule for what is encrypted"):
        bench.opener().open(data, one.path)


@pytest.mark.parametrize("form", all_formats())
@pytest.mark.parametrize("only", [False, True])
def test_a_flipped_mac_mode_is_refused(bench: Bench, form: str, *, only: bool) -> None:
    """What the MAC is over cannot be changed in the metadata, in neither direction."""
    sealer, one = bench.sealer(), parcel(form)
    words = {True: "true", False: "false"}
    sealer._match = bench.rules(
        f"creation_rules: [{{age: {bench.recipient}, mac_only_encrypted: {words[only]}}}]"
    ).match
    form_of = all_formats()[form]
    document = form_of.parse(sealer.seal(one))
    data = form_of.emit(document.tree, replace(document.metadata, mac_only_encrypted=not only))
    for opener in (bench.opener(), bench.program_opener()):
        with pytest.raises(ArtifactTampered, match="MAC does not match"):
            opener.open(data, one.path)


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
