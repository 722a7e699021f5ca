"""Who could do what, asked at random of generated histories, agrees with what was done to make them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeVar

import pytest

from reconciler.audit.access import Period, Question, Wish
from reconciler.audit.spans import Cause, State
from reconciler.errors import GitFailed
from reconciler.readers.accessing import Asked, answer
from reconciler.times import timestamp
from tests.audit.declaring import DAY, PLAIN, Truth
from tests.audit.histories import Made, history
from tests.audit.operations import OTHERS, OWNERS
from tests.audit.reading import auditing

T = TypeVar("T")
PACE = 6 * DAY
"""Years go by, in which tokens come to the ends that their specs say."""


class Why(NamedTuple):
    """What began or ended something."""

    at: int
    commit: str | None
    run: str | None


class Lived(NamedTuple):
    """A time in which a token had one spec."""

    life: object
    """Tells it from others that had its name."""
    truth: Truth
    certain: bool
    since: Why
    until: Why | None
    lasts: int | None = None
    """When its newest credential ends."""


class Able(NamedTuple):
    """A time in which a token could do what was asked."""

    life: object
    name: str
    kind: str
    owner: str | None
    state: State
    grants: tuple[tuple[str, tuple[str, ...]], ...]
    certain: bool
    since: Why
    until: Why | None
    ends: int | None
    lasts: int | None
    previously: tuple[str, ...] = ()
    owned: tuple[str | None, ...] = ()

    @property
    def over(self) -> int | None:
        ends = (None, None) if self.state is State.EXPIRED else (self.ends, self.lasts)
        return min((one for one in (self.until and self.until.at, *ends) if one is not None), default=None)

    def goes_on_as(self, other: Able) -> bool:
        """Whether nothing but the name and the owner may differ."""
        same = self._replace(name=other.name, owner=other.owner)
        return self.over == other.since.at and same[:7] == other[:7]


def declared_lives(made: Made) -> list[Lived]:
    """What was declared."""
    steps = made.told.steps
    return [
        Lived(
            one.life,
            one.truth,
            certain=True,
            since=Why(one.since, one.commit, None),
            until=None if one.until is None or one.gone is None else Why(one.until, steps[one.gone][0], None),
        )
        for one in made.told.spans
    ]


def real_lives(made: Made) -> list[Lived]:
    """What was live."""
    return [
        Lived(
            one.id,
            one.truth,
            one.certain,
            Why(one.since, one.by.commit, one.by.run),
            None
            if one.until is None or one.ended is None
            else Why(one.until, one.ended.commit, one.ended.run),
            one.lasts,
        )
        for one in made.store.spans
    ]


def question(rng: Random) -> Question:
    """Some APIs, a project or a user, an owner."""
    wishes = [Wish("apis", name, by_section=True) for name in rng.sample(PLAIN, rng.randint(0, 2))]
    if not wishes or rng.random() < 0.3:
        section = rng.choice(("projects", "users"))
        wishes.append(Wish(section, rng.choice(OTHERS), by_section=True))
    owner = rng.choice(OWNERS)
    states = tuple(State) if rng.random() < 0.4 else (State.ACTIVE,)
    return Question(tuple(wishes), (), (), (owner,) if owner and rng.random() < 0.3 else (), states)


def met(truth: Truth, asked: Question) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    """What lets a token do all of it; None where it cannot."""
    found: dict[str, set[str]] = {} if asked.wishes else {name: set(had) for name, had in truth.grants}
    for wish in asked.wishes:
        lets = {wish.value, "*"} & set(dict(truth.grants).get(wish.where, ()))
        if not lets:
            return None
        found.setdefault(wish.where, set()).update(lets)
    if asked.owners and truth.owner not in asked.owners:
        return None
    return tuple(sorted((field, tuple(sorted(names))) for field, names in found.items()))


def pieces(one: Lived, asked: Question) -> Iterator[Able]:
    """A time up to the end that its spec gives it, and the time after that."""
    truth, lets = one.truth, met(one.truth, asked)
    if lets is None:
        return
    lasts = one.lasts if truth.enabled else None  # one that is off needs no credential
    first = Able(
        one.life, truth.name, truth.kind, truth.owner, State.ACTIVE if truth.enabled else State.DISABLED,
        lets, one.certain, one.since, one.until, truth.ends, lasts,
    )  # fmt: skip
    yield first
    if ends := [end for end in (truth.ends, lasts) if end is not None]:
        ended = one.since if min(ends) <= one.since.at else Why(min(ends), None, None)
        yield first._replace(state=State.EXPIRED, since=ended)


def expected(lives: list[Lived], asked: Question, since: int, until: int) -> list[tuple[object, ...]]:
    """The times at a moment or between two in which tokens could: each as long as nothing of it changes."""
    told: list[Able] = []
    last: dict[object, int] = {}
    for one in (able for lived in lives for able in pieces(lived, asked)):
        if one.state not in asked.states or (one.over is not None and one.over <= one.since.at):
            continue
        before = told[last[one.life]] if one.life in last else None
        if before and before.goes_on_as(one):
            told[last[one.life]] = one._replace(
                since=before.since,
                previously=_before((*before.previously, before.name), one.name),
                owned=_before((*before.owned, before.owner), one.owner),
            )
            continue
        last[one.life] = len(told)
        told.append(one)
    overlaps = (
        one for one in told if one.since.at < max(until, since + 1) and (one.over is None or one.over > since)
    )
    return sorted((one[1:] for one in overlaps), key=repr)


def _before(had: tuple[T, ...], now: T) -> tuple[T, ...]:
    """Each once, in the order of the first time, without what it is now."""
    return tuple(one for place, one in enumerate(had) if one != now and one not in had[:place])


def why(cause: Cause | None) -> Why | None:
    return None if cause is None else Why(cause.at, cause.commit, cause.run)


def said(one: Period) -> tuple[object, ...]:
    """A time as the answer has it."""
    grants = tuple(sorted((field, tuple(sorted(names))) for field, names in one.grants.items()))
    return (
        one.name, one.kind, one.owner, one.state, grants, one.certain,
        why(one.since), why(one.until), one.ends, one.lasts, one.previously, one.owned,
    )  # fmt: skip


def check(made: Made, asked: Question, *, declared: bool, times: tuple[int, ...]) -> list[Period]:
    """One question, of what was declared or of what was live."""
    told = answer(auditing(made), Asked(asked, tuple(map(timestamp, times)), declared))
    lives = declared_lives(made) if declared else real_lives(made)
    since, until = times[0], times[-1] + (len(times) > 1)
    assert sorted(map(said, told.periods), key=repr) == expected(lives, asked, since, until), (asked, times)
    return list(told.periods)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("declared", [True, False])
def test_who_could_do_what_agrees_with_the_truth(tmp_path: Path, seed: int, *, declared: bool) -> None:
    """At a moment, and between two: who, since when and until when, by which commit and which run."""
    made, rng = history(tmp_path / "it", seed, 250, most=40, pace=PACE), Random(seed)
    first, found = made.told.steps[0][1], list[Period]()
    for number in range(12):
        one, other = sorted(rng.randrange(first - 10, made.end) for _ in range(2))
        found += check(made, question(rng), declared=declared, times=(one, other) if number % 2 else (one,))
    assert len({one.name for one in found}) > 5


def test_histories_hold_what_answers_are_held_against(tmp_path: Path) -> None:
    """Every state, access that lasted over edits, access that a run took away before it failed, and runs that
    failed and took none away.
    """
    made = history(tmp_path / "it", 5, 400, most=40, pace=PACE)
    first = made.told.steps[0][1]
    asked = Question(states=tuple(State))
    found = check(made, asked, declared=False, times=(first - 10, made.end))
    assert {one.state for one in found} == set(State)
    assert {one.certain for one in found} == {True, False}
    assert any(one.previously for one in found)
    assert any(one.owned for one in found)
    assert any(one.lasts is not None and one.over == one.lasts for one in found)
    happened = made.store.happened
    failed = {(one.run, one.id) for one in happened if (one.action, one.outcome) == ("rotate", "failed")}
    assert failed - {(one.by.run, one.id) for one in made.store.spans}
    edits = {(one.by.run, one.id) for one in made.store.spans}
    assert any(
        one.until is not None and (one.until.run, one.token) in edits and one.since.at < one.until.at
        for one in found
    )


@pytest.mark.parametrize("declared", [True, False])
def test_a_shallow_clone_tells_the_truth_or_that_it_is_not_whole(tmp_path: Path, *, declared: bool) -> None:
    """Since its oldest commit it tells who could; of before it refuses, as far as specs are asked."""
    made, rng = history(tmp_path / "it", 4, 150, most=40), Random(4)
    repo = made.repo.clone(tmp_path / "shallow", "--depth", "20")
    lives = declared_lives(made) if declared else real_lives(made)
    cut = auditing(made, repo).line(made.head).cut_at
    assert made.told.steps[0][1] < cut < made.end
    told_all = set[bool]()
    for _ in range(24):
        asked, at = question(rng), rng.randrange(made.told.steps[0][1], made.end)
        ask = Asked(asked, (timestamp(at),), declared)
        if declared and at < cut:
            with pytest.raises(GitFailed, match="shallow"):
                answer(auditing(made, repo), ask)
            continue
        told = answer(auditing(made, repo), ask)
        told_all.add(told.whole)
        named = sorted((said(one)[:6] for one in told.periods), key=repr)
        assert named == sorted((one[:6] for one in expected(lives, asked, at, at)), key=repr)
        if told.whole:
            assert sorted(map(said, told.periods), key=repr) == expected(lives, asked, at, at)
    assert False in told_all
