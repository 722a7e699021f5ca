"""The comment on a pull request: golden ones, and what holds for every plan that there can be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.cli.markdown import LIMIT
from reconciler.cli.unplanned import unplanned_lines
from reconciler.plan.brakes import Block, Warned
from reconciler.plan.change import Action, Change, FieldChange
from tests.comment.golden import FOLDER
from tests.comment.plans import APPROVED, EACH, GOLDEN, KIOSK, comment, many, plan, shown
from tests.comment.reading import EVIL, pages
from tests.comment.reading import texts as any_texts

TAME = "word"
texts = any_texts.map(lambda text: text.replace("\ud800", "").encode(errors="replace").decode())
"""A plan is UTF-8."""


@pytest.mark.parametrize("name", GOLDEN)
def test_a_comment_is_the_golden_one(name: str) -> None:
    """After a change: `python -m tests.comment.golden`, and read the difference."""
    assert comment(GOLDEN[name]()) == (FOLDER / f"{name}.md").read_text("utf-8")


def test_every_golden_file_is_of_a_comment() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(GOLDEN)


changes = st.builds(
    Change,
    action=st.sampled_from(list(Action)),
    kind=st.just("JWTToken"),
    name=texts,
    reasons=st.lists(texts.filter(str.strip), max_size=4).map(tuple),
    fields=st.lists(
        st.builds(FieldChange, field=texts, before=texts, after=texts)
        | st.builds(FieldChange, field=texts, added=st.lists(texts, min_size=1, max_size=3).map(tuple)),
        max_size=4,
    ).map(tuple),
    disables=st.booleans(),
)
spoken = st.tuples(texts, texts, texts)


def tame(change: Change) -> Change:
    """The same change with harmless words in the place of each text."""
    fields = [
        replace(one, field=TAME, added=tuple(TAME for _ in one.added))
        if one.is_set
        else replace(one, field=TAME, before=TAME, after=TAME)
        for one in change.fields
    ]
    return replace(change, name=TAME, reasons=tuple(TAME for _ in change.reasons), fields=tuple(fields))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(changes, max_size=4),
    st.lists(spoken, max_size=2),
    st.lists(spoken, max_size=2),
    st.sampled_from([None, APPROVED]),
)
def test_a_comment_has_the_structure_of_the_template_whatever_is_in_it(
    found: list[Change],
    blocks: list[tuple[str, str, str]],
    warnings: list[tuple[str, str, str]],
    approved: str | None,
) -> None:
    """The same elements, and the same begins of lines, as with harmless words; no link, image or mention."""
    made = plan(found, [Block(*one) for one in blocks], [Warned(*one) for one in warnings])
    ours = [" reconciler: acme "]
    if not (found or blocks or warnings or approved):
        ours.append(" updates a comment, adds none ")
    calm = plan(
        (),
        [Block(TAME, TAME, one[2] and TAME) for one in blocks],
        [Warned(TAME, TAME, one[2] and TAME) for one in warnings],
    )
    calm = replace(calm, changes=tuple(map(tame, made.changes)))
    evil, harmless = comment(shown(made, approved)), comment(shown(calm, approved))
    assert [line[:2] for line in evil.split("\n")] == [line[:2] for line in harmless.split("\n")]
    for page, twin in zip(pages(evil), pages(harmless), strict=True):
        assert [tag for tag in page.tags if tag != "code"] == [tag for tag in twin.tags if tag != "code"]
        assert page.comments == ours
        assert page.links == []
        assert "@" not in page.loose
        assert "#" not in page.loose


@pytest.mark.parametrize("text", [text for text in EVIL if text != "\ud800"][::6])
def test_a_comment_is_never_over_its_limit_and_always_closed(text: str) -> None:
    """However many changes, fields and names there are, and however long each text is."""
    long = f"{text} " * (4000 // (len(text) + 1))
    names = (long, *(f"{text}{number}" for number in range(42)))
    fields = tuple(FieldChange(f"{number}{text}", added=names, removed=names) for number in range(41))
    evil = Change(Action.MODIFY, "JWTToken", long, (long,) * 20, fields)
    found = [replace(evil, action=action) for action in Action]
    made = plan([*found, *many(200)], [Block(long, long, long)] * 40, [Warned(long, long, long)] * 40)
    told = comment(shown(made, APPROVED))
    assert len(told.encode()) <= LIMIT
    assert "See all: `reconcile plan`" in told.splitlines()[-1]
    for page in pages(told):
        assert page.tags.count("details") <= 1
        assert page.comments == [" reconciler: acme "]
        assert "Blocked: apply refuses this plan." in page.loose


def test_a_comment_of_many_long_changes_is_not_over_its_limit() -> None:
    """Each of the longest kind, in letters of four bytes."""
    long = "😀 @" * 2000
    fields = tuple(FieldChange(long[:90] + str(number), before=long, after=long) for number in range(5))
    evil = Change(Action.ROTATE, "JWTToken", long, (long,) * 4, fields)
    for count in (1, 2, 5, 20, 100):
        told = comment(shown(plan([evil] * count)))
        assert len(told.encode()) <= LIMIT
        for page in pages(told):
            assert page.comments == [" reconciler: acme "]


def test_what_is_destroyed_gets_the_room_first() -> None:
    """200 deletions stand there to the last, before the first of 1,000 others."""
    gone = [replace(KIOSK, name=f"gone-{number}") for number in range(200)]
    told = comment(shown(plan([*(one for one in many(2000) if one.action is not Action.RETIRE), *gone])))
    assert all(f"`gone-{number}`" in told for number in range(200))
    assert told.index("`gone-199`") < told.index("**Changed and issued**")


def test_what_does_not_fit_is_counted() -> None:
    """What is shown and what is told to be missing make up the whole."""
    told = comment(shown(plan(many(5000))))
    rows = sum(line.startswith("| ") and "`" in line for line in told.splitlines())
    missing = told.splitlines()[-1].partition("room:** ")[2].partition(";")[0]
    counted = sum(int(part.split(" ")[0].replace(",", "")) for part in missing.split(", "))
    assert rows + counted == 5000
    assert rows > 300


def test_all_is_shown_where_there_is_room() -> None:
    told = comment(shown(plan(EACH)))
    assert "Not shown" not in told
    assert "reconcile apply --expect sha256:" in told


def test_the_same_plan_gives_the_same_bytes() -> None:
    """And no clock but the plan's own is read."""
    assert comment(shown(plan(many(50)))) == comment(shown(plan([*reversed(many(50))])))


@given(st.lists(texts | st.sampled_from([*EVIL[:-1]]), max_size=6))
def test_what_is_shown_of_a_plan_that_failed_is_code_and_nothing_else(why: list[str]) -> None:
    """Whatever was printed: no element, link, mention or marker comes of it."""
    text = "\n".join(why).replace("\ud800", "").splitlines()
    told = "\n".join(unplanned_lines("acme", "", "3f2c1a9d5e", "https://ci.example/runs/7", text))
    for page in pages(told):
        assert page.comments == [" reconciler: acme ", " updates a comment, adds none "]
        assert set(page.tags) <= {"h3", "code", "blockquote", "div", "p", "strong", "a", "pre"}
        assert [link for link in page.links if link != "https://ci.example/runs/7"] == []
        assert "@" not in page.loose
        assert "#" not in page.loose


def test_what_is_shown_of_a_plan_that_failed_is_never_over_its_limit() -> None:
    told = "\n".join(unplanned_lines("acme", "", "", "", ["😀" * 5000] * 5000))
    assert len(told.encode()) <= LIMIT
    assert told.splitlines()[-1].startswith("**Not shown here, for want of room:** 4,9")
