"""What sops and other tools write back, we still read: the owner edits with whatever is at hand."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from ruamel.yaml import YAML

from reconciler.artifacts.formats import all_formats
from reconciler.artifacts.opener import FileOpener, read_header
from reconciler.errors import ArtifactTampered

from .edits import FIELDS, usual
from .kit import FORMATS, HEADER, PEM, Bench, key_pair, opened_text

Openers = tuple[FileOpener, ...]
every_format = pytest.mark.parametrize("form", FORMATS)
SECRET = {
    "pem": '["data"]',
    "dotenv": '["PRIVATE_KEY"]',
    "kubernetes": '["stringData"]["private_key"]',
    "yaml": '["private_key"]',
    "json": '["private_key"]',
}
"""Where sops finds the private key."""
SEALED = opened_text(FIELDS)
EDITED = {**SEALED, "private_key": PEM.replace("MIIE", "NIIE")}


def editing(bench: Bench, form: str, script: str, *flags: str) -> tuple[bytes, int]:
    """An artifact after `sops edit`, whose editor runs a line of shell on "$1", and the exit code."""
    editor = bench.root / "editor"
    editor.write_text(f"#!/bin/sh\n{script}\n")
    editor.chmod(0o700)
    one = usual(form)
    bench.seal(one)
    person = replace(bench, environ={**bench.environ, "EDITOR": str(editor)})
    code = person.sops("edit", *flags, one.path).returncode
    return (bench.root / one.path).read_bytes(), code


def check(openers: Openers, form: str, data: bytes, fields: dict[str, str]) -> None:
    """The file opens, for whoever decrypts, with the same header and these fields."""
    path = usual(form).path
    assert read_header(data, path) == HEADER
    for opener in openers:
        found = opener.open(data, path)
        assert found.header == HEADER
        assert opened_text(found.fields) == fields


@pytest.fixture(scope="module")
def openers(bench: Bench) -> Openers:
    """The native opener and that by the program, which asks the program for its version once."""
    return bench.opener(), bench.program_opener()


@every_format
def test_a_value_changed_by_sops_edit(bench: Bench, openers: Openers, form: str) -> None:
    """After `sops edit` changed a secret value, the file opens with the value as edited."""
    flags = ("--input-type", "json", "--output-type", "json") if form == "pem" else ()
    data, code = editing(bench, form, 'sed -i s/MIIE/NIIE/g "$1"', *flags)
    assert code == 0
    check(openers, form, data, EDITED)


def test_a_pem_changed_by_plain_sops_edit(bench: Bench) -> None:
    """Of a .pem, `sops edit` keeps the private key alone: the file is refused, and the hint says how."""
    data, code = editing(bench, "pem", 'sed -i s/MIIE/NIIE/g "$1"')
    assert code == 0
    for read in (bench.opener().open, read_header):
        with pytest.raises(ArtifactTampered, match="only the private key is left in it") as caught:
            read(data, usual("pem").path)
        assert "sops edit --input-type json" in caught.value.hint


@every_format
def test_a_save_without_a_change(bench: Bench, openers: Openers, form: str) -> None:
    """`sops edit` that saves the same text says so (exit 200), and the file opens as before."""
    data, code = editing(bench, form, 'touch "$1"')
    assert code == 200
    check(openers, form, data, SEALED)


@pytest.mark.parametrize(("form", "line"), [("yaml", 1), ("kubernetes", 1), ("dotenv", 1)])
def test_a_comment_made_by_sops_edit(bench: Bench, openers: Openers, form: str, line: int) -> None:
    """A comment that a person adds is encrypted or not, and is refused with its line until it is gone."""
    data, code = editing(bench, form, "sed -i '1i # use the other key' \"$1\"")
    assert code == 0
    assert data.startswith(b"#")
    path = usual(form).path
    with pytest.raises(ArtifactTampered, match=f"a comment stands at line {line}, and none was sealed"):
        bench.opener().open(data, path)
    assert read_header(data, path) == HEADER
    done = replace(bench, environ={**bench.environ, "EDITOR": "sed -i 1d"}).sops("edit", path)
    assert done.returncode == 0, done.stderr
    check(openers, form, (bench.root / path).read_bytes(), SEALED)


@every_format
@pytest.mark.parametrize("command", ["rotate", "updatekeys", "set", "unset"])
def test_commands_of_sops(bench: Bench, openers: Openers, form: str, command: str) -> None:
    """After each command of sops, the file opens; `unset` and `set` move a key to the end of its map."""
    one = usual(form)
    bench.seal(one)
    if command == "updatekeys":
        bench.rules(f"creation_rules: [{{age: '{bench.recipient},{key_pair(1)[0]}'}}]")
    steps = {
        "rotate": [["rotate", "-i", one.path]],
        "updatekeys": [["updatekeys", "--yes", one.path]],
        "set": [["set", one.path, SECRET[form], json.dumps(EDITED["private_key"])]],
        "unset": [
            ["unset", one.path, SECRET[form]],
            ["set", one.path, SECRET[form], json.dumps(EDITED["private_key"])],
        ],
    }[command]
    for step in steps:
        done = bench.sops(*step)
        assert done.returncode == 0, done.stderr
    data = (bench.root / one.path).read_bytes()
    check(openers, form, data, EDITED if "set" in command else SEALED)
    assert (key_pair(1)[0].encode() in data) is (command == "updatekeys")


@every_format
def test_decrypted_and_encrypted_again(bench: Bench, openers: Openers, form: str) -> None:
    """Decrypted to a file and encrypted anew with the same selection, the artifact opens."""
    known, one = all_formats()[form], usual(form)
    store = ("--input-type", known.store, "--output-type", known.store, "--filename-override", "x")
    clear = bench.sops("decrypt", *store, stdin=bench.seal(one)).stdout
    rule = (f"--{known.selection.name.replace('_', '-')}", known.selection.pattern)
    done = bench.sops("encrypt", *store, *rule, stdin=clear)
    assert done.returncode == 0, done.stderr
    check(openers, form, done.stdout, SEALED)


def dumped(data: bytes, *, width: int = 80, flow: bool = False) -> bytes:
    """The YAML text, as the library writes it with its own settings."""
    yaml = YAML(typ="rt")
    yaml.width, yaml.default_flow_style = width, flow
    out = io.StringIO()
    yaml.dump(_loaded(data), out)
    return out.getvalue().encode()


def _loaded(data: bytes) -> dict[str, object]:
    tree: dict[str, object] = YAML(typ="safe", pure=True).load(data)
    return tree


def with_lists(data: bytes) -> dict[str, object]:
    """The tree with the empty lists that older versions of sops wrote, its metadata the other way round."""
    tree = _loaded(data)
    metadata = tree["sops"]
    assert isinstance(metadata, dict)
    empty: dict[str, object] = {
        "kms": [],
        "gcp_kms": [],
        "azure_kv": [],
        "hc_vault": [],
        "pgp": None,
        "key_groups": [],
    }
    tree["sops"] = {**empty, **dict(reversed(metadata.items())), "mac_only_encrypted": False}
    return tree


OF_YAML: dict[str, Callable[[bytes], bytes]] = {
    "quotes": lambda data: re.sub(rb"(ENC\[.*\]|RSAToken)$", rb'"\1"', data, flags=re.MULTILINE),
    "single quotes": lambda data: re.sub(rb"(ENC\[.*\]|RSAToken)$", rb"'\1'", data, flags=re.MULTILINE),
    "narrow": lambda data: dumped(data, width=40),
    "indent 2": lambda data: dumped(data, flow=False),
    "flow": lambda data: dumped(data, flow=True),
    "JSON": lambda data: json.dumps(_loaded(data)).encode(),
    "marked": lambda data: b"%YAML 1.1\n---\n" + data + b"...\n",
    "byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "blank lines": lambda data: data.replace(b"sops:", b"\n\nsops:") + b"\n\n",
    "older metadata": lambda data: json.dumps(with_lists(data), indent=2).encode(),
}
OF_JSON: dict[str, Callable[[bytes], bytes]] = {
    "compact": lambda data: json.dumps(json.loads(data), separators=(",", ":")).encode(),
    "indent 2": lambda data: json.dumps(json.loads(data), indent=2).encode(),
    "older metadata": lambda data: json.dumps(with_lists(data)).encode(),
    "floats": lambda data: data.replace(b'"generation": 3', b'"generation": 3.0'),
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
}
OF_DOTENV: dict[str, Callable[[bytes], bytes]] = {
    "blank lines": lambda data: data.replace(b"\n", b"\n\n"),
    "metadata first": lambda data: b"".join(_metadata_first(data.splitlines(keepends=True))),
    "newer version": lambda data: re.sub(rb"(sops_version=).*", rb"\g<1>3.11.0", data),
    "no final line break": lambda data: data.rstrip(b"\n"),
}


def _metadata_first(lines: list[bytes]) -> list[bytes]:
    return sorted(lines, key=lambda line: not line.startswith(b"sops_"))


STYLES = [
    pytest.param(form, write, id=f"{form}-{name}")
    for forms, styles in (
        (("yaml", "kubernetes"), OF_YAML),
        (("json", "pem"), OF_JSON),
        (("dotenv",), OF_DOTENV),
    )
    for form in forms
    for name, write in styles.items()
]


@pytest.mark.parametrize(("form", "write"), STYLES)
def test_written_by_another_tool(
    bench: Bench, openers: Openers, form: str, write: Callable[[bytes], bytes]
) -> None:
    """In another style, with other quotes, line breaks and order of the metadata, it is the same artifact."""
    data = write(bench.seal(usual(form)))
    place = bench.write(f"styled.{all_formats()[form].extension}", data)
    done = bench.sops("decrypt", place.name)
    assert done.returncode == 0, done.stderr
    check(openers, form, data, SEALED)
