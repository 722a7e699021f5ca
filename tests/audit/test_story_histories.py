"""Stories agree with what was done to make a history: who asked, what it meant, who applied it, and when."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.audit.events import Event, Standing, What
from reconciler.readers.telling import Told, tell
from tests.audit.histories import Made, history
from tests.audit.reading import auditing

SEEDS = range(2)


def asked(event: Event) -> tuple[object, ...]:
    """What an event says of a commit."""
    assert event.asked is not None
    commits = sorted(step.commit for step in event.asked.asking)
    return event.asked.step.commit, event.at, event.name, event.previously, commits, bool(event.asked.commits)


def all_asked(told: Told) -> list[Event]:
    return [event for story in told.stories for event in story.events if event.asked is not None]


def true_asked(made: Made) -> list[tuple[object, ...]]:
    """The same of the model."""
    return [
        (
            one.commit,
            one.at,
            (one.after or one.before).name,  # type: ignore[union-attr]
            one.before.name if one.before and one.after and one.before.name != one.after.name else None,
            sorted(one.asked),
            one.merged,
        )
        for one in made.told.changes
    ]


def did(event: Event) -> tuple[object, ...]:
    """What an event says of a run."""
    assert event.run is not None
    late = event.due.late if event.due is not None else None
    body = event.run.body
    return (
        body.run,
        event.at,
        body.actor,
        body.commit,
        event.token,
        event.name,
        event.what,
        event.outcome,
        late,
    )


def all_done(told: Told) -> list[Event]:
    return [
        event
        for story in told.stories
        for event in story.events
        if event.asked is None and event.what not in (What.BLOCKED, What.ENDED, What.LAPSED)
    ]


def check(made: Made) -> Told:
    """All that stories tell; gives them."""
    told = tell(auditing(made), None, with_records=True)
    assert told.whole
    assert sorted(map(repr, map(asked, all_asked(told)))) == sorted(map(repr, true_asked(made)))
    assert sorted(map(repr, map(did, all_done(told)))) == sorted(map(repr, _true_done(made)))
    _check_together(made, told)
    _check_standing(made, told)
    assert {ran.body.commit for ran in told.runs if not ran.on_line} == set(made.dropped)
    assert all(ran.here for ran in told.runs)
    return told


def _true_done(made: Made) -> list[tuple[object, ...]]:
    found = list[tuple[object, ...]]()
    for one in made.store.happened:
        late = None if one.late is None else max(0, one.late)
        found.append(
            (one.run, one.at, one.actor, one.commit, one.id, one.name, one.action, one.outcome, late)
        )
    return found


def _check_together(made: Made, told: Told) -> None:
    """Each live token and each that was declared is in one story, which is live or declared if one of its own
    is; what is declared and live by one name is one.
    """
    now = {one.truth.name: one.life for one in made.told.spans if one.gone is None}
    live = {one.truth.name: one.id for one in made.store.live.values()}
    lives = {(one.commit, (one.after or one.before).name): one.life for one in made.told.changes}  # type: ignore[union-attr]
    seen = Counter[object]()
    for story in told.stories:
        steps = [(event.asked.step.commit, event.name) for event in story.events if event.asked is not None]
        declared, ids = {lives[one] for one in steps}, set(story.ids)
        assert story.declared is bool(declared & set(now.values())), story.name
        assert story.live is (bool(ids & set(live.values())) if made.store.files else None), story.name
        for name in now.keys() & live.keys():
            assert (now[name] in declared) is (live[name] in ids), name
        seen.update((*declared, *ids))
    assert seen.keys() == {one.life for one in made.told.spans} | {one.id for one in made.store.spans}
    assert set(seen.values()) <= {1}


def _check_standing(made: Made, told: Told) -> None:
    """What is said to be applied is live from that run on; what waits is not what is live."""
    for story in told.stories:
        for event in story.events:
            if event.standing is Standing.APPLIED:
                assert event.run is not None
                gave = {one.name for one in made.store.happened if one.run == event.run.body.run}
                assert gave & story.names
                if not event.run.on_line:
                    assert event.run.body.commit in made.dropped
                    continue
                assert made.told.steps.index((event.asked.step.commit, event.at)) <= _place(made, event)  # type: ignore[union-attr]
        waits = any(event.standing is Standing.WAITING for event in story.events)
        declared = {
            one.truth for one in made.told.spans if one.gone is None and one.truth.name in story.names
        }
        live = {one.truth for one in made.store.live.values() if one.id in story.ids and not one.narrowed}
        if story.declared and waits:
            assert not declared & live
        runs = [event.run for event in story.events if event.run is not None and event.asked is None]
        if story.declared and not waits and runs and runs[-1].on_line:
            assert declared & live


def _place(made: Made, event: Event) -> int:
    assert event.run is not None
    return next(place for place, (commit, _) in enumerate(made.told.steps) if commit == event.run.body.commit)


@pytest.mark.parametrize("seed", SEEDS)
def test_stories_agree_with_the_truth(tmp_path: Path, seed: int) -> None:
    """Merges, squashes, octopus merges, reverts, renames, faults, runs that failed or were held."""
    told = check(history(tmp_path / "it", seed, 150, prefix="deep/" if seed % 2 else ""))
    assert {event.what for event in all_done(told)} > {"issue", "rotate"}


@given(seed=st.integers(0, 1 << 32), steps=st.integers(1, 40), most=st.integers(1, 12))
@settings(max_examples=15, deadline=None)
def test_stories_of_any_small_history_agree_with_the_truth(seed: int, steps: int, most: int) -> None:
    """Few tokens, so that names, renames and groups meet often."""
    with tempfile.TemporaryDirectory() as folder:
        made = history(Path(folder) / "it", seed, steps, most=most)
        assert len(all_asked(check(made))) == len(made.told.changes)


def test_the_stories_of_years_agree_with_the_truth(tmp_path: Path) -> None:
    """Thousands of commits; some were applied and dropped from the line by a push by force."""
    made = history(tmp_path / "it", 99, 1600, most=80)
    assert made.dropped
    assert len(check(made).stories) > len(made.dropped)


def test_a_shallow_clone_tells_the_part_that_it_has_and_that_it_is_a_part(tmp_path: Path) -> None:
    """All that runs did, for records are whole; of commits, those since the oldest that it has."""
    made = history(tmp_path / "it", 4, 150)
    told = tell(auditing(made, made.repo.clone(tmp_path / "part", "--depth", "30")), None, with_records=True)
    places = {commit: place for place, (commit, _) in enumerate(made.told.steps)}
    cut = places[told.line.cut or ""]
    assert 0 < cut < len(places) - 1
    assert not told.whole
    assert sorted(map(repr, map(did, all_done(told)))) == sorted(map(repr, _true_done(made)))
    found = {asked(one)[:3:2] for one in all_asked(told) if one.what is not What.FOUND}
    true = {(commit, name) for commit, _, name, *_ in true_asked(made) if places[str(commit)] > cut}
    assert found == true
    assert {one.asked.step.commit for one in all_asked(told) if one.what is What.FOUND and one.asked} == {
        told.line.cut
    }
    assert {ran.body.commit for ran in told.runs if not ran.on_line} > set(made.dropped)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_token_that_had_a_name_is_found_by_it(tmp_path: Path, seed: int) -> None:
    """And by its id, and by no other name."""
    made = history(tmp_path / "it", seed, 150)
    told = tell(auditing(made), None, with_records=True)
    names = {one.truth.name for one in made.told.spans} | {one.truth.name for one in made.store.spans}
    assert told.names == names
    for name in Random(seed).sample(sorted(names), 5):
        found = tell(auditing(made), None, name, with_records=True).stories
        assert found
        for story in told.stories:
            had = {event.name for event in story.events} | {event.previously for event in story.events}
            assert (name in had) <= (story in found) <= (name in story.names)
    ident = Random(seed).choice(sorted({one.id for one in made.store.spans}))
    assert [ident in one.ids for one in tell(auditing(made), None, ident, with_records=True).stories] == [
        True
    ]
