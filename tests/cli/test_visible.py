"""What reaches a terminal is seen: no letter of a text hides, and no script becomes illegible."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.cli.output import in_line, visible

MARK = "\ufffd"
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
SHAPES = "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
NEEDED = "\u200c\u200d\ufe0e\ufe0f"
"""What may stay where the letters around it need it."""
LEGIBLE = [
    "می\u200cخواهم",  # Persian: without it, two words run together
    "کتابِ\u200cها",  # after a mark
    "क्\u200dष क्\u200cष",  # Hindi: a half letter, and a letter with its virama shown
    "ශ්\u200dරී",  # Sinhala
    "👩\u200d💻 👩🏽\u200d💻 ❤\ufe0f\u200d🔥 🏴\u200d☠\ufe0f ☎\ufe0e",
    "工厂 A 历史库, Größe, Ёлка, ไทย, עברית, العربية, e\u0301, 한국어, ひらがな, ⠃⠗⠇",
]
texts = st.lists(
    st.one_of(
        st.sampled_from([*NEEDED, *FILLERS, *SHAPES[::40], "\u202e", "\U000e0041", "\t", "\n", *LEGIBLE]),
        st.text(max_size=3),
    ),
    max_size=8,
).map("".join)


def test_no_letter_of_unicode_hides_on_its_own() -> None:
    """Each of them between two that are seen."""
    shown = {one: visible(f"a{one}b")[1] for one in map(chr, range(0x110000)) if one not in "\t\n"}
    hidden = {one for one in shown if unicodedata.category(one) in HIDDEN} | {*FILLERS, *SHAPES}
    assert {one for one in hidden if shown[one] != MARK} == set()
    letters = {one for one in shown if unicodedata.category(one)[0] in "LNPS"} - hidden
    blanks = {"\U00013441", "\U00013442", "\U0001d159"}
    assert {one for one in letters - blanks if shown[one] != one} == set()


@given(texts)
@example("a\ufe0f\u200d😀")
@example("\u094d\u200d\u200d")
def test_what_is_visible_has_nothing_hidden_but_what_its_neighbours_need(text: str) -> None:
    """It keeps its length, and is the same when it is shown again."""
    shown = visible(text)
    assert (len(shown), visible(shown)) == (len(text), shown)
    assert all(one in "\t\n" or unicodedata.category(one) not in HIDDEN or one in NEEDED for one in shown)
    assert not {*shown} & {*FILLERS, *SHAPES} - {*NEEDED}
    assert all(not (one in NEEDED and other == one) for one, other in pairwise(shown))
    assert not {"\t", "\n"} & {*in_line(text)}


@pytest.mark.parametrize("text", LEGIBLE)
def test_text_of_any_script_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@given(st.text(st.sampled_from("abc 123-_.工Ж"), min_size=1), st.sampled_from([*NEEDED]), st.text(max_size=3))
def test_no_joiner_makes_two_plain_texts_look_alike(before: str, one: str, after: str) -> None:
    """`admin` with one in it is another text than `admin`, and so it is shown as another."""
    assert visible(before + one + after)[len(before)] == MARK
