"""Text from outside is shown in Markdown, and never obeyed: by two parsers, for whatever text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.markdown import Room, clipped, code, folded, marker, prose, row, size, table
from reconciler.cli.output import visible
from tests.comment.reading import EVIL, pages, texts

REFERENCE = re.compile(
    r"@[\w-]|#[0-9]|\bGH-[0-9]|\b[0-9a-f]{7,}\b|[!&%~$][\w]|://|www\.|:[a-z]+:|[<>`|\\*_\[\]]", re.IGNORECASE
)
"""What a forge makes a notification, a reference, a link or an image of."""


def shown(text: str) -> str:
    """The text as it must be seen: blanks evened, as HTML does, and what cannot be seen replaced."""
    return " ".join(text.split())


def spans(text: str) -> str:
    """The text of a code span, as Markdown was given it."""
    return code(text)[1:-1]


@given(texts)
def test_a_code_span_is_one_span_whatever_stands_in_it(text: str) -> None:
    for page in pages(f"it is {code(text)} here"):
        assert page.tags == ["p", "code"]
        assert page.loose.strip() == "it is  here"
        assert shown(page.codes[0]) == shown(spans(text))
        assert page.links == page.comments == []


@given(st.lists(texts, min_size=3, max_size=3), texts)
def test_a_table_has_the_cells_that_it_was_given(cells: list[str], words: str) -> None:
    lines = [*table(["a", "b", "c", "d"]), row([*map(code, cells), prose(words)])]
    for page in pages("\n".join(lines)):
        inner = [tag for tag in page.tags if tag != "code"]
        assert inner == ["table", "thead", "tr", *["th"] * 4, "tbody", "tr", *["td"] * 4]
        assert [shown(one) for one in page.codes[:3]] == [shown(spans(cell)) for cell in cells]
        assert page.links == page.comments == []


@given(texts)
def test_prose_holds_nothing_outside_of_code_that_a_forge_makes_anything_of(text: str) -> None:
    for template in ("- {}", "{}", "a {} b", "**x** {}"):
        for page in pages(template.format(prose(text))):
            assert set(page.tags) <= {"ul", "li", "p", "code", "strong"}
            assert page.tags.count("p") + page.tags.count("li") <= 1
            assert REFERENCE.search(page.loose) is None
            assert page.links == page.comments == []


@given(st.lists(texts, max_size=4))
def test_a_fold_closes_whatever_stands_in_it(found: list[str]) -> None:
    body = folded("Detail", [f"- {code(one)} {prose(two)}" for one, two in zip(found, found, strict=True)])
    for page in pages("\n".join([*marker("acme", news=True), "", *body, "", "after"])):
        assert page.comments == [" reconciler: acme "]
        assert page.tags[:2] == ["details", "summary"]
        assert page.tags.count("details") == 1
        assert page.tags[-1] == "p"
        assert page.loose.endswith("after\n")


@given(texts)
def test_no_end_of_a_line_and_nothing_invisible_gets_through(text: str) -> None:
    for made in (code(text), prose(text)):
        assert len(made.splitlines()) <= 1
        assert visible(made) == made
        assert not set("\u3164\u115f\U000e0101") & set(made)
        made.encode()


@pytest.mark.parametrize("text", EVIL)
def test_each_trick_of_the_list_is_harmless_on_its_own(text: str) -> None:
    for page in pages(f"- {prose(text)} {code(text)}"):
        assert set(page.tags) <= {"ul", "li", "code"}
        assert REFERENCE.search(page.loose) is None


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("due since 2026-11-20 (every 90d)", "due since 2026-11-20 (every 90d)"),
        ("it was called plant-a-historian", "it was called `plant-a-historian`"),
        ("sealed to age1xyz, whom no rule names", "sealed to `age1xyz`, whom no rule names"),
        ("ask @octocat and #12 first", "ask `@octocat` and `#12` first"),
        ("10 tokens or 20 % lets 1 through", "10 tokens or 20 % lets 1 through"),
        ("工厂 A", "工厂 A"),
        ("", ""),
    ],
)
def test_prose_stays_readable(text: str, made: str) -> None:
    assert prose(text) == made


def test_a_backtick_is_shown_as_one_that_fences_nothing() -> None:
    assert code("`x`") == "`ˋxˋ`"


def test_who_asks_first_gets_the_room() -> None:
    room = Room(20)
    assert list(room.reserve(["12345"])) == ["12345"]
    taken = room.take(["1234", "1234", "1234", "1"])
    assert (list(taken), taken.out, room.left) == (["1234", "1234"], 2, 4)
    assert room.take(["é1"], most=3).out == 1
    assert list(room.take(["é1"])) == ["é1"]
    assert size(["é1"]) == 4


def test_a_text_is_clipped_before_it_is_escaped() -> None:
    assert clipped("abcdef", 4) == "abc…"
    assert clipped("abcd", 4) == "abcd"


def test_the_page_knows_a_mention_when_it_sees_one() -> None:
    """The tests' own eyes: without escaping, all of it is found."""
    page = pages("@octocat www.evil.example")[0]
    assert REFERENCE.search(page.loose)
    assert page.links == ["http://www.evil.example"]
