"""What is read of a history agrees with what was done to make it: at random dates, declared and live."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit.histories import Made, history
from tests.audit.reading import at, declared_spans, live_spans, told, true

SEEDS = range(2)


def disagreements(made: Made, rng: Random, dates: int = 50) -> list[tuple[str, int]]:
    """Random dates, and moments at which something changed, of which what is read says something else."""
    found, lived = declared_spans(made), live_spans(made)
    changed = [one.since for one in made.told.spans] + [one.since for one in made.store.spans]
    moments = [rng.randrange(made.told.steps[0][1] - 10, made.end) for _ in range(dates)]
    moments += rng.sample(changed, min(len(changed), dates))
    sides = (("declared", found, made.told), ("live", lived, made.store))
    return [
        (side, moment)
        for moment in moments
        for side, spans, truth in sides
        if at(spans, moment) != {true(one) for _, one in truth.at(moment)}
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_spans_agree_with_the_truth_at_random_dates(tmp_path: Path, seed: int) -> None:
    """Declared and live, in a workspace at the top and in one further down."""
    made = history(tmp_path / "it", seed, 150, prefix="deep/down/" if seed % 2 else "")
    assert len(made.store.spans) > 10
    assert disagreements(made, Random(seed)) == []


@given(seed=st.integers(0, 1 << 32), steps=st.integers(1, 40), most=st.integers(1, 12))
@settings(max_examples=15, deadline=None)
def test_spans_agree_with_the_truth_of_any_small_history(seed: int, steps: int, most: int) -> None:
    """Few tokens, so that names, renames and groups meet often."""
    with tempfile.TemporaryDirectory() as folder:
        assert disagreements(history(Path(folder) / "it", seed, steps, most=most), Random(seed), 20) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_tokens_are_told_apart_as_they_were(tmp_path: Path, seed: int) -> None:
    """One that was renamed is the same; one that was deleted and declared again is another."""
    made = history(tmp_path / "it", seed, 150)
    lives = {(one.since, one.commit, true(one.truth)): one.life for one in made.told.spans}
    found = declared_spans(made)
    pairs = {(lives[one.since.at, str(one.since.commit), told(one)], one.token) for one in found}
    assert len(found) == len(made.told.spans)
    assert len(pairs) == len({life for life, _ in pairs}) == len({token for _, token in pairs})


def test_what_a_shallow_clone_tells_is_true_and_says_where_it_ends(tmp_path: Path) -> None:
    """What began before the cut is said to have begun there or before."""
    made = history(tmp_path / "it", 7, 150)
    clone = made.repo.clone(tmp_path / "clone", "--depth", "40", "--single-branch")
    cut = clone.git("rev-list", "--first-parent", "main").split()[-1]
    place = next(place for place, (commit, _) in enumerate(made.told.steps) if commit == cut)
    assert place > 0
    moments = [moment for _, moment in made.told.steps[place:]]
    found = declared_spans(made, clone)
    assert {one.since.commit for one in found if one.earlier} <= {cut}
    late = [one for one in found if not one.earlier]
    assert {(one.since.commit, told(one)) for one in late} == {
        (one.commit, true(one.truth)) for one in made.told.spans if one.place > place
    }
    assert len(set(moments)) > 10
    for moment in (*moments, made.end):
        assert at(found, moment) == {true(one) for _, one in made.told.at(moment)}


def test_a_history_of_years_agrees_with_the_truth(tmp_path: Path) -> None:
    """Thousands of commits."""
    made = history(tmp_path / "it", 99, 1600, most=80)
    assert len(made.told.steps) > 1000
    assert made.end - made.told.steps[0][1] > 2 * 365 * 86_400
    assert disagreements(made, Random(99), 100) == []
