"""Our YAML is the sops program's YAML, byte for byte, wherever it matters."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from ruamel.yaml import YAML

from reconciler.artifacts.formats import all_formats
from reconciler.artifacts.text import yaml
from reconciler.artifacts.text.events import comment_line, parse_node
from reconciler.artifacts.text.plain import yaml_text
from reconciler.artifacts.text.scalars import scalar
from reconciler.artifacts.tree import Metadata, Selection, Tree, at

from .kit import AWKWARD, Bench, parcel, values

WORDS = ("artifacts", "telegraf-1", "a.b/c", "0a1b", "1e5", "0x1f", "12345678", "null", "No")
NUMBERLIKE = ("y", "1:20", "2026-01-01", ".5", "+1", "0b12", "~", "1_0", "12e")
PLAIN = (*WORDS, *NUMBERLIKE)
ARMOR = "-----BEGIN AGE ENCRYPTED FILE-----\n"


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


@pytest.mark.parametrize(
    "value", [*AWKWARD, "a\rb\n", "\tx\ny", "\n a\n\n", "a\x85b\nc", "#\n", "---\n", "\0\n"]
)
def test_plain_text_reads_back(value: str) -> None:
    """What an owner downloads as YAML is the same text, whatever line breaks stand in it."""
    text = yaml_text({"first": value, "last": "x"})
    assert YAML(typ="safe", pure=True).load(text) == {"first": value, "last": "x"}


@pytest.mark.parametrize(
    "value", ["ENC[AES256_GCM,\na: b]", "ENC[AES256_GCM,a] # b", f"{ARMOR}x", f"{ARMOR} x\n"]
)
def test_plain_text_that_begins_like_sealed_text(value: str) -> None:
    """A label that begins like an encrypted value or an age file is one text, and reads back."""
    meta = Metadata((), "t", "", Selection("encrypted_regex", "^$"), version="3")
    assert yaml.parse(yaml.emit({"a": value, "b": 1}, meta)).tree == {"a": value, "b": 1}


COMMENTS = {
    "first": ("# a\nk: v\n", 1),
    "last": ("k: v\n# a", 2),
    "behind a value": ("k: v # a\n", 1),
    "behind a key": ("k: # a\n  - v\n", 1),
    "in a flow list": ("k: [v, # a\n  w]\n", 1),
    "below a plain text": ("k: v\n  w\n  # a\n", 3),
    "below a block": ("k: |\n  v\n\n # a\nl: w\n", 4),
    "behind the sign of a block": ("k: |+ # a\n\n\n", 1),
    "of an empty block": ("k: |\n# a\nl: v\n", 2),
    "behind a mark": ("k: v\n... # a\n", 2),
    "before a mark": ("--- # a\nk: v\n", 1),
    "behind wide text": ("é: '😀' # a\n", 1),
    "behind a byte order mark": ("\ufeffk: v\n# a\n", 2),
    "after line breaks of Windows": ("k: v\r\nl: w\r\n# a\r\n", 3),
    "after a text of several lines": ("k: 'v\n  #'\nl: w # a\n", 3),
    "none in plain text": ("k#l: v#w\n", None),
    "none in quotes": ("'# k': \"# v\"\n", None),
    "none in a block": ("k: |2\n    v\n  # w\n", None),
    "none in a folded block": ("k: >-\n\n # v\n  w\n", None),
    "none behind a byte order mark": ("\ufeff'#': v\n", None),
}


@pytest.mark.parametrize("name", COMMENTS)
def test_comments_are_found_by_their_line(name: str) -> None:
    """The line of the first comment is found; a `#` in a text is none."""
    text, line = COMMENTS[name]
    parse_node(text.encode())
    assert comment_line(text.encode()) == line


@settings(max_examples=100, deadline=None)
@given(value=values())
def test_no_text_is_taken_for_a_comment(value: str) -> None:
    """Whatever a value or a key is, what we write has no comment; with one added, it is found."""
    meta = Metadata((), "t", "", Selection("encrypted_regex", "^$"), version="3")
    data = yaml.emit({value: value, "k": [value, {"x": value}]}, meta)
    assert comment_line(data) is None
    assert comment_line(b"# a\n" + data) == 1
    assert comment_line(data + b"#") == data.count(b"\n") + 1


def test_every_file_of_formats_is_a_format() -> None:
    """The five formats are found by their files; none is listed elsewhere."""
    assert list(all_formats()) == ["dotenv", "json", "kubernetes", "pem", "yaml"]
    from reconciler.artifacts import formats

    files = {path.stem for path in Path(formats.__path__[0]).glob("*.py")} - {"__init__", "interface"}
    assert files == set(all_formats())
    assert at({"a": {"b": "c"}}, ("a", "b", "c")) is None
