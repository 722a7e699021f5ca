"""Our YAML is the sops program's YAML, byte for byte, wherever it matters."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from reconciler.artifacts.formats import all_formats
from reconciler.artifacts.text import yaml
from reconciler.artifacts.text.events import parse_node
from reconciler.artifacts.text.scalars import scalar
from reconciler.artifacts.tree import Metadata, Selection, Tree, at

from .kit import AWKWARD, Bench, parcel, values

WORDS = ("artifacts", "telegraf-1", "a.b/c", "0a1b", "1e5", "0x1f", "12345678", "null", "No")
NUMBERLIKE = ("y", "1:20", "2026-01-01", ".5", "+1", "0b12", "~", "1_0", "12e")
PLAIN = (*WORDS, *NUMBERLIKE)


def test_plain_words_are_quoted_as_sops_quotes_them(bench: Bench) -> None:
    """Words and number-like words of plain values come out as the program writes them."""
    bench.config()
    tree = {f"k{index}": word for index, word in enumerate(PLAIN)}
    flags = ("--unencrypted-regex", ".", "--input-type", "json", "--output-type", "yaml")
    done = bench.sops("encrypt", *flags, "--filename-override", "x", stdin=json.dumps(tree).encode())
    theirs = done.stdout.decode().split("sops:")[0].splitlines()
    assert [f"k{index}: {scalar(word)}" for index, word in enumerate(PLAIN)] == theirs


@settings(max_examples=200, deadline=None)
@given(value=values())
def test_any_plain_value_reads_back(value: str) -> None:
    """Any text, as a plain value or a key, reads back as the same text."""
    meta = Metadata((), "t", "", Selection("encrypted_regex", "^$"), version="3")
    tree: Tree = {"a": value, "l": [value, [], {}, {"x": [value]}], value or "k": 1}
    assert yaml.parse(yaml.emit(tree, meta)).tree == tree


@pytest.mark.parametrize("value", AWKWARD)
def test_awkward_values_read_back(value: str) -> None:
    """Each awkward text on one line of YAML is the same text."""
    assert parse_node(f"a: {scalar(value)}\n".encode()) == {"a": value}


@pytest.mark.parametrize("form", all_formats())
def test_the_layout_is_that_of_sops(bench: Bench, form: str) -> None:
    """Natively or by the program, the lines are the same but for keys, MACs and times."""
    one = parcel(form, options={"labels": {"env": "prod"}} if form == "kubernetes" else {})
    mine, theirs = bench.seal(one), bench.seal_by_program(one)
    (body, metadata), (their_body, their_metadata) = _lines(mine), _lines(theirs)
    assert body == their_body
    # The program's own order of the metadata changed with 3.13: ours is the newer, alphabetical one.
    assert sorted(metadata) == sorted(their_metadata)


def _lines(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """The lines before and in the metadata, without what is random: keys, MACs, padding of age."""
    whole = re.sub(rb"-----BEGIN.*?-----END", b"", data, flags=re.DOTALL)
    marks = rb"(ENC\[|lastmodified|version).*"
    lines = [re.sub(marks, b"", line) for line in whole.splitlines()]
    start = next(index for index, line in enumerate(lines) if b"sops" in line)
    return lines[:start], lines[start:]


def test_every_file_of_formats_is_a_format() -> None:
    """The five formats are found by their files; none is listed elsewhere."""
    assert list(all_formats()) == ["dotenv", "json", "kubernetes", "pem", "yaml"]
    from reconciler.artifacts import formats

    files = {path.stem for path in Path(formats.__path__[0]).glob("*.py")} - {"__init__", "interface"}
    assert files == set(all_formats())
    assert at({"a": {"b": "c"}}, ("a", "b", "c")) is None
