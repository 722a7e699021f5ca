"""YAML 1.2 core types, and nothing that YAML 1.1 made of words."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reconciler.specs.text import read
from reconciler.specs.values import Document, Value


def one(text: str) -> Document:
    documents, problems = read(text)
    assert problems == []
    return documents[0]


CORE = [
    ("~", None), ("null", None), ("Null", None), ("NULL", None), ("", None),
    ("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False),
    ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"), ("N", "N"), ("nUll", "nUll"),
    ("0", 0), ("-0", 0), ("+7", 7), ("007", 7), ("0o14", 12), ("0x1F", 31), ("012345678", 12345678),
    ("0b11", "0b11"), ("1_000", "1_000"), ("0o8", "0o8"), ("12:30:00", "12:30:00"), ("+", "+"),
    ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("-1e3", -1000.0), ("1e3", 1000.0), (".", "."), ("1e", "1e"),
    (".inf", ".inf"), (".nan", ".nan"), ("1e999", "1e999"),
    ("2027-06-30", "2027-06-30"), ("2001-12-14t21:59:43Z", "2001-12-14t21:59:43Z"), ("1.2.3", "1.2.3"),
    ("=", "="), ("<<", "<<"), ("٣", "٣"), ("nothing", "nothing"), ("Truely", "Truely"),
    ('"12"', "12"), ("'true'", "true"), ('""', ""), ("''", ""), ('"\\u5de5"', "工"), ('"a\\tb"', "a\tb"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "value"), CORE, ids=[written or "nothing" for written, _ in CORE])
def test_a_plain_scalar_is_what_the_core_schema_says(written: str, value: Value) -> None:
    found = one(f"key: {written}\n").at(("key",))
    assert found == value
    assert type(found) is type(value)


def test_blocks_flows_and_multi_line_scalars_are_read() -> None:
    text = "a: |\n  x\n  y\nb: >-\n  x\n  y\nc: [1, {d: [e]}]\n? f\n: g\nh:\n- i\n-\n  - j\n"
    assert one(text).value == {
        "a": "x\ny\n", "b": "x y", "c": [1, {"d": ["e"]}], "f": "g", "h": ["i", ["j"]],
    }  # fmt: skip


def test_keys_are_text_whatever_they_look_like() -> None:
    assert one("1: a\ntrue: b\nnull: c\n").value == {"1": "a", "true": "b", "null": "c"}


def test_an_alias_stands_for_what_its_anchor_named_last() -> None:
    assert one("a: &x [1]\nb: *x\nc: &x two\nd: *x\n&k e: 1\nf: *k\n").value == {
        "a": [1], "b": [1], "c": "two", "d": "two", "e": 1, "f": "e",
    }  # fmt: skip


def test_an_anchor_that_is_used_again_inside_itself_names_the_inner_value_from_then_on() -> None:
    assert one("a: &x [&x b, *x]\nc: *x\n").value == {"a": ["b", "b"], "c": "b"}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_of_both_kinds_give_the_same_values_and_places(end: str) -> None:
    document = one(f"a: 1{end}b:{end}  c: x{end}")
    assert document.value == {"a": 1, "b": {"c": "x"}}
    assert document.place(("b", "c")) == (3, 6)


@pytest.mark.parametrize("text", ["", "\n\n", "# a comment\n", "---\n", "---\n---\n", "---\n...\n"])
def test_empty_documents_have_no_value(text: str) -> None:
    documents, problems = read(text)
    assert problems == []
    assert all(document.value is None for document in documents)


def test_several_documents_are_read_one_by_one() -> None:
    documents, problems = read("a: 1\n---\nb: 2\n...\n---\n- c\n")
    assert problems == []
    assert [document.value for document in documents] == [{"a": 1}, {"b": 2}, ["c"]]
    assert [document.start.line for document in documents] == [1, 3, 6]


def test_places_count_letters_and_not_bytes() -> None:
    document = one('{title: "工厂", owner: x}\n')
    assert document.place(("owner",)) == (1, 22)
    assert document.place(("owner",), key=True) == (1, 15)


def test_a_place_that_is_not_there_is_that_of_the_nearest_parent() -> None:
    document = one("a:\n  b: [c, d]\n")
    assert document.place(("a", "b", 1)) == (2, 10)
    assert document.place(("a", "b", 7)) == (2, 6)
    assert document.place(("a", "x", "y")) == (2, 3)
    assert document.at(("a", "x", "y")) is None


def test_the_key_is_meant_only_where_the_path_ends() -> None:
    document = one("a:\n  a:\n    a: x\n")
    assert document.place(("a", "a", "a"), key=True) == (3, 5)
    assert document.place(("a", "a"), key=True) == (2, 3)


words = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cs", "Cc", "Co", "Cn"], exclude_characters="\u2028\u2029\ufeff"
    ),
    max_size=12,
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | words
    | st.sampled_from([written for written, _ in CORE])
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(value=trees, style=st.sampled_from(["block", "flow"]), indent=st.sampled_from([2, 4]))
def test_what_a_safe_dumper_writes_is_read_as_the_same_values(value: Value, style: str, indent: int) -> None:
    yaml = YAML(typ="safe")
    yaml.default_flow_style = style == "flow"
    yaml.indent = indent
    yaml.allow_unicode = True
    out = io.StringIO()
    yaml.dump({"value": value}, out)
    documents, problems = read(out.getvalue())
    assert problems == []
    assert documents[0].problems == []
    assert documents[0].value == {"value": value}
