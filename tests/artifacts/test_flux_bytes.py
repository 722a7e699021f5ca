"""What Flux, Argo CD and kustomize look at: the bytes they know a SOPS file by, and the manifest itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest
from ruamel.yaml import YAML

from reconciler.artifacts.formats import all_formats
from reconciler.artifacts.interface import Parcel
from reconciler.artifacts.opener import read_header
from reconciler.artifacts.tree import Tree
from reconciler.errors import SealFailed
from reconciler.secret import Secret

from .kit import AWKWARD, FORMATS, HEADER, PEM, Bench, opened_text, parcel

MARKS = {
    "yaml": rb"^    mac: ENC\[",
    "kubernetes": rb"^    mac: ENC\[",
    "json": rb'^\t\t"mac": "ENC\[',
    "pem": rb'^\t\t"mac": "ENC\[',
    "dotenv": rb"^sops_mac=ENC\[",
}
LABELS = {
    "version": "1.0",
    "flag": "yes",
    "other": "on",
    "true": "true",
    "none": "null",
    "tilde": "~",
    "empty": "",
    "3": "3",
    "hex": "0x1f",
    "octal": "0777",
    "float": "1e5",
    "time": "12:30:45",
    "date": "2026-01-01",
    "moment": "2026-01-01T00:00:00Z",
    "null": "Null",
    "y": "n",
    "app.kubernetes.io/name": "plant-a",
    "colon": "a: b",
    "hash": "a # b",
    "quotes": "'\"",
    "lines": "a\nb\n",
    "spaces": "  a  ",
    "nul": "a\0b",
    "script": "工厂",
    "sealed": "ENC[AES256_GCM,data:aA==]",
    "like sealed": "ENC[AES256_GCM,\nstringData: {}\n# ]",
    "armored": "-----BEGIN AGE ENCRYPTED FILE-----\n  a\x85b",
}
OPTIONS: Mapping[str, str | Mapping[str, str]] = {
    "name": "plant-a-token",
    "namespace": "factory",
    "type": "example.org/token",
    "labels": LABELS,
}


def manifest(**fields: str | Secret) -> Parcel:
    """A parcel with everything that a manifest can have."""
    return parcel("kubernetes", {"token_id": "t1", "private_key": Secret(PEM), **fields}, options=OPTIONS)


def read(data: bytes, version: tuple[int, int] = (1, 2)) -> Tree:
    """YAML, as another library reads it: 1.1 is what Kubernetes itself reads."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = version
    tree: Tree = yaml.load(data)
    return tree


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("program", [False, True])
def test_the_mark_that_flux_looks_for(bench: Bench, form: str, *, program: bool) -> None:
    """Flux knows a SOPS file by the bytes before its MAC; natively or by the program, they are there."""
    one = parcel(form)
    data = bench.seal_by_program(one) if program else bench.seal(one)
    assert len(re.findall(MARKS[form], data, flags=re.MULTILINE)) == 1


def test_only_the_data_is_encrypted(bench: Bench) -> None:
    """A sealed manifest is one `v1/Secret` whose options stand in it in the clear."""
    data = bench.seal(manifest())
    tree = read(data)
    texts = tree.pop("stringData")
    metadata = tree.pop("sops")
    assert tree == {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "example.org/token",
        "metadata": {
            "name": "plant-a-token",
            "namespace": "factory",
            "annotations": {
                "reconciler/kind": HEADER.kind,
                "reconciler/id": HEADER.token_id,
                "reconciler/generation": str(HEADER.generation),
            },
            "labels": LABELS,
        },
    }
    assert isinstance(texts, dict)
    assert all(str(text).startswith("ENC[AES256_GCM,") for text in texts.values())
    assert isinstance(metadata, dict)
    assert metadata["encrypted_regex"] == "^(data|stringData)$"
    assert b"\n    encrypted_regex: ^(data|stringData)$\n" in data


@pytest.mark.parametrize("program", [False, True])
def test_the_decrypted_manifest_is_a_secret(bench: Bench, *, program: bool) -> None:
    """What `sops decrypt` prints is a manifest that Kubernetes takes: valid keys, and text everywhere."""
    one = manifest(empty="", number="12345", word=Secret("yes"))
    data = bench.seal_by_program(one) if program else bench.seal(one)
    bench.write(one.path, data)
    clear = bench.sops("decrypt", one.path)
    assert clear.returncode == 0, clear.stderr
    for version in ((1, 1), (1, 2)):
        tree = read(clear.stdout, version)
        assert tree.keys() == {"apiVersion", "kind", "metadata", "type", "stringData"}
        texts = tree["stringData"]
        assert isinstance(texts, dict)
        assert all(re.fullmatch(r"[-._a-zA-Z0-9]+", key) for key in texts)
        assert all(isinstance(text, str) for text in texts.values())
        assert {key: texts[key] for key in one.fields} == opened_text(one.fields)
        metadata = tree["metadata"]
        assert isinstance(metadata, dict)
        assert metadata["labels"] == LABELS


def test_awkward_labels_come_back(bench: Bench) -> None:
    """Labels that look like numbers, booleans or nulls do not keep sops or us from opening the file."""
    one = manifest()
    for data in (bench.seal(one), bench.seal_by_program(one)):
        assert read_header(data, one.path) == HEADER
        for opener in (bench.opener(), bench.program_opener()):
            assert opened_text(opener.open(data, one.path).fields) == opened_text(one.fields)


@pytest.mark.parametrize("value", [*AWKWARD[:4], "\0"])
def test_awkward_namespaces_and_types(bench: Bench, value: str) -> None:
    """Whatever text an option is, it is one text in the manifest; an empty one is as good as none."""
    options = {"name": value, "namespace": value, "type": value}
    tree = all_formats()["kubernetes"].parse(bench.seal(parcel("kubernetes", options=options))).tree
    expected: Tree = {"name": value or "plant-a", **({"namespace": value} if value else {})}
    found = tree["metadata"]
    assert isinstance(found, dict)
    found.pop("annotations")
    assert (found, tree["type"]) == (expected, value or "Opaque")


@pytest.mark.parametrize("labels", ['{"a": 1}', '{"a": true}', '{"a": null}', '{"a": {}}', '["a"]'])
def test_labels_that_are_no_text_are_refused(bench: Bench, labels: str) -> None:
    """A label that is a number or a boolean is refused when sealing: Kubernetes would refuse it later."""
    options: Mapping[str, Mapping[str, str]] = {"labels": json.loads(labels)}
    with pytest.raises(SealFailed, match="takes no option 'labels' of that shape"):
        bench.sealer().seal(parcel("kubernetes", options=options))


@pytest.mark.parametrize("form", FORMATS)
def test_a_zero_byte_is_text(bench: Bench, form: str) -> None:
    """A value with a zero byte passes through sealing, sops and opening like any other."""
    one = parcel(form, {"private_key": Secret("a\0b"), "other": "\0"})
    for data in (bench.seal(one), bench.seal_by_program(one)):
        for opener in (bench.opener(), bench.program_opener()):
            assert opened_text(opener.open(data, one.path).fields) == opened_text(one.fields)
