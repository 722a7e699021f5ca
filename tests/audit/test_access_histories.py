"""Who could do what, asked at random of generated histories, agrees with what was done to make them."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from reconciler.audit.access import Question, Wish
from reconciler.readers.accessing import Asked, answer
from reconciler.times import timestamp
from tests.audit.declaring import PLAIN, Truth
from tests.audit.histories import Made, history
from tests.audit.operations import OTHERS, OWNERS
from tests.audit.reading import auditing


class Lived(NamedTuple):
    """A time in which a token could do what its truth says."""

    truth: Truth
    since: int
    until: int | None


def question(rng: Random) -> Question:
    """Some APIs, a project or a user, an owner."""
    wishes = [Wish("apis", name, by_section=True) for name in rng.sample(PLAIN, rng.randint(0, 2))]
    if not wishes or rng.random() < 0.3:
        section = rng.choice(("projects", "users"))
        wishes.append(Wish(section, rng.choice(OTHERS), by_section=True))
    owner = rng.choice(OWNERS)
    return Question(tuple(wishes), (), (), (owner,) if owner and rng.random() < 0.3 else ())


def fits(truth: Truth, asked: Question) -> bool:
    """Whether a token could do all of it."""
    grants = dict(truth.grants)
    able = all({wish.value, "*"} & set(grants.get(wish.where, ())) for wish in asked.wishes)
    return able and truth.enabled and (not asked.owners or truth.owner in asked.owners)


def expected(spans: list[Lived], asked: Question, since: int, until: int) -> set[tuple[str, str, str | None]]:
    """The tokens that could, at a moment or between two."""
    found = set()
    for one in spans:
        ends = min((end for end in (one.until, one.truth.ends) if end is not None), default=None)
        overlaps = one.since < max(until, since + 1) and (ends is None or ends > since)
        if overlaps and one.since != ends and fits(one.truth, asked):
            found.add((one.truth.name, one.truth.kind, one.truth.owner))
    return found


def check(made: Made, rng: Random, *, declared: bool, times: tuple[int, ...]) -> None:
    """One question, of what was declared or of what was live."""
    asked = question(rng)
    told = answer(auditing(made), Asked(asked, tuple(map(timestamp, times)), declared))
    spans = made.told.spans if declared else made.store.spans
    lived = [Lived(one.truth, one.since, one.until) for one in spans]
    since, until = times[0], times[-1] + (len(times) > 1)
    found = {(one.name, one.kind, one.owner) for one in told.periods}
    assert found == expected(lived, asked, since, until), (asked, times)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("declared", [True, False])
def test_who_could_do_what_agrees_with_the_truth(tmp_path: Path, seed: int, *, declared: bool) -> None:
    """At a moment, and between two."""
    made, rng = history(tmp_path / "it", seed, 100, most=40), Random(seed)
    first = made.told.steps[0][1]
    for number in range(12):
        one, other = sorted(rng.randrange(first - 10, made.end) for _ in range(2))
        check(made, rng, declared=declared, times=(one, other) if number % 2 else (one,))
