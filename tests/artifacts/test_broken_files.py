"""Files that are broken, and parcels that no format can carry: an error each, with its reason."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from reconciler.artifacts.identities import Identities
from reconciler.artifacts.interface import Header
from reconciler.artifacts.opener import FileOpener, metadata_of, read_header
from reconciler.errors import ArtifactTampered, SealFailed
from reconciler.secret import Secret

from .kit import HEADER, Bench, parcel

BROKEN = {
    "empty": (b"", "is not a"),
    "not sealed": (b"reconciler: {kind: A, id: b, generation: 1}\n", "not sealed"),
    "not yaml": (b"a: [\n", "it is not YAML at line 2"),
    "list": (b"- a\n", "not a YAML map"),
    "anchor": (b"a: &x b\n", "anchor"),
    "anchored map": (b"a: &x {b: c}\n", "anchor"),
    "alias": (b"a: *x\n", "alias"),
    "tag": (b"a: !!python/object x\n", "tag"),
    "deep": (b"[" * 100_000, "nests deeper than 32"),
    "twice": (b"a: 1\na: 2\n", "twice"),
    "number key": (b"? [a]\n: 2\n", "key is not text"),
    "documents": (b"a: 1\n---\nb: 2\n", "more than one document"),
    "octal": (b"a: 0777\n", "a number in a form"),
    "latin": (b"a: \xff\n", "not UTF-8"),
    "large": (b"#" * (5 * 1024 * 1024 + 1), "larger"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_yaml(name: str) -> None:
    """Each broken file raises ArtifactTampered with the path and the reason, never another error."""
    data, reason = BROKEN[name]
    for read in (metadata_of, read_header, FileOpener(Identities()).open):
        with pytest.raises(ArtifactTampered, match=reason) as caught:
            read(data, "artifacts/x.yaml")
        assert "artifacts/x.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("path", "data", "reason"),
    [
        ("x.json", b"{", "not a JSON map"),
        ("x.json", b"[" * 100_000, "not a JSON map"),
        ("x.json", b'{"a":' * 900 + b"1" + b"}" * 900, "deeper than 32"),
        ("x.json", b'{"a": NaN}', "not a JSON map"),
        ("x.json", b'{"a": 1, "a": 2}', "the same key twice"),
        ("x.json", b'{"sops": {"lastmodified": ""}}', "no header"),
        ("x.json", b'{"sops": {"lastmodified": 3}}', "lastmodified is missing or not text"),
        ("x.json", b'{"sops": {"lastmodified": "", "age": 3}}', "a list was expected"),
        (
            "x.json",
            b'{"sops": {"lastmodified": "", "encrypted_regex": "a", "encrypted_suffix": "b"}}',
            "more than one",
        ),
        ("x.json", b'{"reconciler": 1, "sops": {"lastmodified": ""}}', "no reconciler header"),
        ("x.json", b'{"reconciler": {"kind": 1}, "sops": {"lastmodified": ""}}', "names no kind"),
        ("x.json", b'{"reconciler": {"kind": "A"}, "sops": {"lastmodified": ""}}', "names no token id"),
        (
            "x.json",
            b'{"reconciler": {"kind": "A", "id": "b"}, "sops": {"lastmodified": ""}}',
            "names no generation",
        ),
        (
            "x.json",
            b'{"reconciler": {"kind": "A", "id": "b", "generation": true}, "sops": {"lastmodified": ""}}',
            "names no generation",
        ),
        ("x.env", b"A\n", "not KEY=value"),
        ("x.env", b"A=\xff\n", "not UTF-8"),
        ("x.env", b"A=1\nA=2\n", "twice"),
        ("x.env", b"A=1\n", "not sealed"),
        ("x.env", b"sops_age=1\nsops_age__list_0__map_enc=2\n", "metadata is damaged"),
        ("x.env", b"RECONCILER_KIND=A\nsops_lastmodified=\n", "names no token id"),
        ("x.yaml", b"apiVersion: v1\nkind: Secret\nsops: {lastmodified: x}\n", "names no kind"),
        ("x.yaml", b"a: 0x1f\nsops: {lastmodified: x}\n", "form that SOPS does not write"),
        (
            "x.yaml",
            b"reconciler:\n    kind: RSAToken\n    id: 0x1f\n    generation: 3\n",
            "form that SOPS does not write",
        ),
        (
            "x.yaml",
            b"reconciler:\n    kind: RSAToken\n    id: 123\n    generation: 3\nsops: {lastmodified: x}\n",
            "names no token id",
        ),
    ],
)
def test_broken_files_of_each_store(path: str, data: bytes, reason: str) -> None:
    """Broken JSON, dotenv, metadata and headers each raise ArtifactTampered with their reason."""
    with pytest.raises(ArtifactTampered, match=reason):
        read_header(data, path)


def test_every_sort_of_recipient_is_listed() -> None:
    """Recipients of other types and in key groups are listed; a grouped file is not opened natively."""
    group = {
        "age": [{"recipient": "age1x", "enc": "e"}],
        "hc_vault": [{"vault_address": "v", "engine_path": "t", "key_name": "k"}],
    }
    entries = {"lastmodified": "", "pgp": [{"fp": "AB"}], "kms": [{"arn": "arn:x"}], "key_groups": [group]}
    data = json.dumps({"reconciler": {"kind": "A", "id": "b", "generation": 1.0}, "sops": entries}).encode()
    assert metadata_of(data, "x.json").recipients == ("pgp AB", "kms arn:x", "age1x", "hc_vault v/t/k")
    assert read_header(data, "x.json") == Header("A", "b", 1)


@pytest.mark.parametrize(
    ("form", "contents", "header", "reason"),
    [
        ("yaml", {"binding": "x"}, HEADER, "cannot carry a field named 'binding'"),
        ("yaml", {"Bad": "x"}, HEADER, "cannot carry a field named 'Bad'"),
        ("dotenv", {"reconciler_id": "x"}, HEADER, "cannot carry a field named"),
        ("pem", {"secret": "x"}, HEADER, "has no private key"),
        ("yaml", {"a": "x"}, Header("RSA Token", "x", 1), "made out to"),
        ("json", {"a": "x"}, Header("RSAToken", "", 1), "made out to"),
        ("json", {"a": "x"}, Header("RSAToken", "x", -1), "made out to"),
    ],
)
def test_what_a_format_cannot_carry(
    bench: Bench, form: str, contents: dict[str, str], header: Header, reason: str
) -> None:
    """Field names and headers that would be ambiguous in the file are refused when sealing."""
    with pytest.raises(SealFailed, match=reason):
        bench.sealer().seal(parcel(form, contents, header))


def test_wrong_kubernetes_options_and_formats_are_refused(bench: Bench) -> None:
    """An option of the wrong shape and an unknown format raise SealFailed with what is possible."""
    for options in ({"labels": "x"}, {"name": {"a": "b"}}, {"other": "x"}):
        with pytest.raises(SealFailed, match="takes no option"):
            bench.sealer().seal(parcel("kubernetes", options=options))
    with pytest.raises(SealFailed, match="no delivery format 'toml'") as caught:
        bench.sealer().seal(replace(parcel("yaml"), format="toml"))
    assert "kubernetes" in caught.value.hint


def test_a_pem_with_an_empty_key_opens(bench: Bench) -> None:
    """An empty private key comes back empty."""
    one = parcel("pem", {"private_key": Secret("")})
    assert bench.opener().open(bench.seal(one), one.path).fields["private_key"] == Secret("")
