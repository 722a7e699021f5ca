"""Field types: what they take, what they make of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from reconciler.kinds import fields
from reconciler.kinds.fields import (
    Duration,
    Ending,
    Labels,
    Names,
    OneOrMany,
    Reference,
    end_of_date,
    parse_duration,
)


def held(kind: Any, value: object) -> object:
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("90m", 5400), ("12h", 43200), ("90d", 7776000), ("2w", 1209600), ("1y", 31536000)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds
    assert parse_duration(str(held(Duration, text))) == seconds


@pytest.mark.parametrize(
    "text", ["", "d", "90", "0d", "01d", "-1d", "1.5d", "1D", "1d ", " 1d", "1d\n", "1000000d", "٣d"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)
    for kind in (Duration, Ending):
        with pytest.raises(ValidationError):
            held(kind, text)


@given(st.integers(1, 36500), st.sampled_from("smhdwy"))
def test_a_duration_is_kept_in_its_largest_unit_up_to_days(number: int, unit: str) -> None:
    text = f"{number}{unit}"
    seconds = parse_duration(text)
    if seconds > fields.LONGEST:
        with pytest.raises(ValidationError, match="100y at the most"):
            held(Duration, text)
        return
    kept = str(held(Duration, text))
    assert parse_duration(kept) == seconds
    larger = {"s": 60, "m": 60, "h": 24}.get(kept[-1])
    assert larger is None or int(kept[:-1]) % larger


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("1970-01-01", 86400),
        ("2024-02-29", 1709251200),
        ("2027-06-30", 1814400000),
        ("9998-12-31", 253370764800),
    ],
)
def test_a_date_ends_when_the_day_is_over_in_utc(text: str, end: int) -> None:
    assert end_of_date(text) == end
    assert held(Ending, text) == text


@pytest.mark.parametrize(
    "text",
    ["2027-02-30", "2027-2-3", "20270203", "2027-W01-1", "2027-01-01T00:00:00", "27-01-01", "٢٠٢٧-01-01"],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.compile("")):
        end_of_date(text)
    with pytest.raises(ValidationError):
        held(Ending, text)


def test_names_are_sorted_distinct_and_all_stands_alone() -> None:
    assert held(Names, ["b", "a"]) == ("a", "b")
    assert held(Names, ["*"]) == ("*",)
    for wrong in ([], ["a", "a"], ["*", "a"], ["*", "*"], ["a b"], [1], [None], "a", {"a": 1}, None):
        with pytest.raises(ValidationError):
            held(Names, wrong)


def test_one_name_or_several() -> None:
    assert held(OneOrMany, "a") == ("a",)
    assert held(OneOrMany, ["b", "a"]) == ("a", "b")
    for wrong in ("", [], 1, ["*", "a"], [["a"]]):
        with pytest.raises(ValidationError):
            held(OneOrMany, wrong)


def test_a_reference_names_where_a_secret_is_kept() -> None:
    for right in ("env://P", "vault://secret/a#b", "file:///run/p", "op://v/i/f"):
        assert held(Reference, right) == right
    for wrong in ("hunter2", "env://", "http://x", "ENV://x", "env://a b", "env://a\n", "env://" + "x" * 501):
        with pytest.raises(ValidationError, match="a secret never stands in a spec"):
            held(Reference, wrong)


def test_labels_are_few_short_and_sorted() -> None:
    assert list(TypeAdapter(Labels).validate_python({"b": "", "a": "工"})) == ["a", "b"]
    for wrong in (
        {"a b": "c"},
        {"": "a"},
        {"a": "b" * 201},
        {"a": "b\nc"},
        {"a-": "b"},
        dict.fromkeys(map(str, range(65)), "x"),
    ):
        with pytest.raises(ValidationError):
            held(Labels, wrong)
