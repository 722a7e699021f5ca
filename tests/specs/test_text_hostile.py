"""No text makes the reader fail, go on for ever, or take more than its share of steps."""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType

import pytest

from reconciler.specs.compose import MAX_DEPTH, MAX_NODES
from reconciler.specs.faults import Fault
from reconciler.specs.files import MAX_BYTES
from reconciler.specs.reader import FileRead, read_file
from reconciler.specs.text import read
from reconciler.specs.values import Place, Problem


def rules(text: str) -> list[tuple[str, int, int]]:
    return [(fault.rule, fault.line, fault.column) for fault in sorted(read_file("f", text.encode()).faults)]


def steps(data: bytes) -> tuple[int, FileRead]:
    """How many calls of functions it takes to read a file: its cost, on any machine."""
    count: Counter[str] = Counter()

    def seen(_: FrameType, event: str, __: object) -> None:
        count["call"] += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        found = read_file("f", data)
    finally:
        sys.setprofile(before)
    return count["call"], found


UNITS = {
    "brackets": "[", "braces": "{", "flow mappings": "{a: ", "items": "- ", "complex keys": "? ",
    "open lists": "[a,", "brackets on lines": "[\n", "anchors": "&a ", "one anchor": "&",
    "aliases": "*a ", "tags": "!a ", "single quotes": "'", "double quotes": '"', "comment": "#",
    "comment lines": "# x\n", "documents": "---\n", "ends": "...\n", "keys": "a:\n", "key lines": "a: 1\n",
    "empty lines": "\n", "spaces": " ", "tabs": "\t", "colons": ":", "words": "a ", "item lines": "- a\n",
    "tag directives": "%TAG !a! b\n", "directives": "%YAML 1.2\n", "percent": "%", "block": "|\n",
    "escapes": "\\", "begin": "-----BEGIN ", "begins": "BEGIN ", "ids": "rcn_" + "a" * 49 + " ",
    "dots in a number": "1.", "digits": "7", "commas": ",", "secrets": "secret: x\n", "lone returns": "\r",
    "urls": "://a:b", "token words": "token ", "byte order marks": "\ufeff", "nuls": "\0",
    "indents": " \n  ", "lists of nothing": "[],", "dashes": "-", "minus words": "-a-", "quotes": "\"'",
}  # fmt: skip


@pytest.mark.parametrize("name", UNITS)
def test_twice_the_text_takes_no_more_than_twice_the_steps(name: str) -> None:
    """1 MiB of anything ends, with faults inside the file, at a cost that grows with its length."""
    unit = UNITS[name]
    size = MAX_BYTES // len(unit.encode())
    half, _ = steps((unit * (size // 32)).encode())
    whole, found = steps((unit * (size // 16)).encode())
    assert whole <= 2.5 * half + 500
    for fault in read_file("f", (unit * size).encode()).faults[:50] + found.faults[:50]:
        assert fault.line >= 1
        assert fault.column >= 1


@pytest.mark.parametrize(
    ("opening", "item"),
    [("spec: [", "a, "), ("apis: {", None), ("", "- ["), ("kind: RSAToken\nx: [", "'a', "), ("x: ", None)],
)
def test_a_long_list_or_mapping_in_one_document_stops_at_the_limit(opening: str, item: str | None) -> None:
    body = (item or "") * 60_000 if item else "".join(f"k{number}: 1, " for number in range(60_000))
    calls, found = steps((opening + body).encode()[:MAX_BYTES])
    assert found.faults
    assert calls < 40 * MAX_NODES


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_depth_stops_at_the_limit_and_reads_no_further(opening: str) -> None:
    calls, found = steps((opening * 100_000).encode())
    assert "yaml.size" in [fault.rule for fault in found.faults]
    assert {fault.rule for fault in found.faults} <= {"yaml.size", "yaml.key"}
    assert calls < 200 * MAX_DEPTH
    assert read(f"{'[' * MAX_DEPTH}{']' * MAX_DEPTH}")[1] == []


def test_a_file_of_too_many_documents_is_read_no_further() -> None:
    text = "a: 1\n---\n" * 5000
    assert read(text.removesuffix("---\n"))[1] == []
    (problem,) = read(text)[1]
    assert problem == Problem(
        Place(10000, 1), "yaml.size", "this file has more than 5,000 documents", "split it into several files"
    )


def test_an_alias_bomb_stops_at_the_limit_because_aliases_count_as_what_they_stand_for() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    calls, found = steps("\n".join(lines).encode())
    assert [fault.rule for fault in found.faults] == ["yaml.size"]
    assert calls < 5_000


def test_a_long_text_that_is_named_often_is_never_written_out() -> None:
    """Faults show lists as lists: a text of 100 KB that an alias repeats stays one text."""
    text = f"apiVersion: reconciler/v1\nkind: RSAToken\nmetadata: {{name: x}}\nx: &a {'b' * 100_000}\nspec:\n"
    text += f"  algorithm: [{', '.join(['*a'] * 9000)}]\n  keySize: *a\n  apis: [*a, *a]\n"
    found = read_file("f", text.encode())
    assert found.faults
    assert all(len(fault.message + fault.hint) < 400 for fault in found.faults)


def test_many_faults_in_one_file_take_steps_by_their_number() -> None:
    """Ten thousand unknown fields, or wrong names, each with a place and a hint."""

    def spec(number: int) -> bytes:
        fields = "".join(f"  field{n}: 1\n" for n in range(number))
        names = ", ".join(f"'!{n}'" for n in range(number))
        return f"apiVersion: reconciler/v1\nkind: RSAToken\nspec:\n{fields}  apis: [{names}]\n".encode()

    few, _ = steps(spec(500))
    many, found = steps(spec(1000))
    assert many <= 2.5 * few
    assert len(found.faults) > 2000


CHARACTERS = {
    "NUL": ("a: \0b\n", ("yaml.character", 1, 4)),
    "escape": ("a: 1\nb: \x1b[31m\n", ("yaml.character", 2, 4)),
    "delete": ("a: \x7f\n", ("yaml.character", 1, 4)),
    "C1 control": ("a: x\x9f\n", ("yaml.character", 1, 5)),
    "next line": ("a: x\x85b\n", ("yaml.character", 1, 5)),
    "line separator": ('a: 1\nb: "工\u2028b"\n', ("yaml.character", 2, 6)),
    "lone return": ("a: 1\rb: 2\n", ("yaml.character", 1, 5)),
    "not a letter": ("a: \uffff\n", ("yaml.character", 1, 4)),
}


@pytest.mark.parametrize("name", CHARACTERS)
def test_a_character_that_is_no_text_is_a_fault_where_it_stands(name: str) -> None:
    text, fault = CHARACTERS[name]
    assert rules(text) == [fault]


def test_a_byte_order_mark_at_the_start_is_left_out_of_text_and_columns() -> None:
    assert rules("\ufeffa: [\n") == rules("a: [\n")


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"a: \xff\n", (1, 4)),
        (b"a: 1\nb: \xe5\xb7\xa5\xc3(\n", (2, 5)),
        (b"\xef\xbb\xbfa: \xff", (1, 4)),
        (b"\xff\xfea\0:\0", (1, 1)),
        (b"a: 1\n\xed\xa0\x80", (2, 1)),
        (b"a: \xe5\xb7", (1, 4)),
    ],
)
def test_bytes_that_are_not_utf8_are_a_fault_where_they_stand(data: bytes, place: tuple[int, int]) -> None:
    (fault,) = read_file("f", data).faults
    assert (fault.rule, (fault.line, fault.column)) == ("yaml.encoding", place)


def test_a_file_over_a_mebibyte_is_a_fault_and_is_not_read() -> None:
    assert read_file("f", b"#" * MAX_BYTES).faults == []
    (fault,) = read_file("f", b"\xff" * (MAX_BYTES + 1)).faults
    assert fault == Fault(
        "f", 1, 1, "yaml.size", "this file is larger than 1 MiB", "split it into several files"
    )


def test_a_document_before_a_syntax_error_is_still_looked_at() -> None:
    assert rules("kind: Rsatoken\n---\na: [\n") == [("kind", 1, 7), ("yaml.syntax", 4, 1)]


def test_faults_of_the_text_and_of_the_meaning_are_reported_at_once() -> None:
    text = "kind: Rsatoken\na: 1\na: 2\nb: !t x\nc: *d\n"
    assert rules(text) == [
        ("kind", 1, 7), ("yaml.duplicate-key", 3, 1), ("yaml.tag", 4, 4), ("yaml.alias", 5, 4),
    ]  # fmt: skip


def test_a_document_with_a_key_that_is_no_text_is_not_misread() -> None:
    """What follows such a key keeps its meaning: no key is taken for a value."""
    assert rules("? [a]\n: {b: c}\n? {d: e}\n: f\nkind: x\nkind: y\n") == [
        ("yaml.key", 1, 3), ("yaml.key", 3, 3), ("yaml.duplicate-key", 6, 1),
    ]  # fmt: skip
    assert rules("a: &x 1\n*x : 2\n") == [("yaml.key", 2, 1)]
    assert read_file("f", b"---\n").faults == []


def test_recursion_is_a_fault() -> None:
    (problem,) = read("a: &x\n  b: *x\n")[0][0].problems
    assert problem == Problem(
        Place(2, 6),
        "yaml.alias",
        "an alias that stands inside what it names",
        "write the value out; put text with * in quotes",
    )
