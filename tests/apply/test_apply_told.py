"""What an auditor is told of runs is what apply did: its own records are read back."""

from __future__ import annotations

from contextlib import suppress

from reconciler.audit.applied import Lived, applied
from reconciler.audit.recorded import in_order
from reconciler.errors import SealFailed
from reconciler.records.chain import RecordFile, file_name
from tests.apply.breaking import BrokenFor
from tests.apply.kit import DAY, House, jwt_token
from tests.records.kit import bodies

TURNING = {"rotate": {"every": "30d", "overlap": "2d"}}


def lived(house: House) -> Lived:
    """What the records of a house tell."""
    found = house.store().records()
    return applied(in_order(RecordFile(file_name(one.sequence, one.run), one.body.encode()) for one in found))


def spans(house: House, name: str) -> list[tuple[tuple[str, ...], int, bool]]:
    """The APIs of a token in each of its spans, the day on which that began, and whether it is certain."""
    start = bodies(house.store())[0].at
    return [
        (span.grants["apis"], (span.since.at - start) // DAY, bool(span.normal))
        for span in lived(house).spans
        if span.name == name
    ]


def test_a_rotation_that_failed_took_no_access_away(house: House) -> None:
    """However often it fails: the token goes on as it was, and so does what is told of it."""
    house.declare(*(jwt_token(name, lifecycle=TURNING) for name in "ab"))
    house.apply()
    for _ in range(3):
        house.now += 30 * DAY
        house.apply(BrokenFor("b"))
    assert [one.outcome for body in bodies(house.store()) for one in body.changes if one.name == "b"] == [
        "done", "failed", "failed", "failed",
    ]  # fmt: skip
    assert spans(house, "b") == [(("a",), 0, True)]
    assert house.live()["b"].spec_digest == bodies(house.store())[-1].changes[-1].spec


def test_a_rotation_that_failed_and_was_to_take_away_leaves_the_most_that_it_could(house: House) -> None:
    """What it lost is gone before anything is minted; the next run that gives it a spec says so."""
    house.declare(*(jwt_token(name, apis=("x", "y")) for name in "ab"))
    house.apply()
    house.now += DAY
    house.declare(*(jwt_token(name, apis=("x",), algorithm="ES256") for name in "ab"))
    house.apply(BrokenFor("b"))
    assert spans(house, "b") == [(("x", "y"), 0, True), (("x", "y"), 1, False)]
    house.now += DAY
    house.apply()
    assert spans(house, "b")[2:] == [(("x",), 2, True)]


def test_where_nothing_came_of_a_run_nothing_is_told_to_have_changed(house: House) -> None:
    """All that there was to do failed: the record tells the spec that each token kept."""
    house.declare(jwt_token("a", lifecycle=TURNING))
    house.apply()
    house.now += 30 * DAY
    with suppress(SealFailed):
        house.apply(BrokenFor("a"))
    assert bodies(house.store())[-1].outcome == "failed"
    assert spans(house, "a") == [(("a",), 0, True)]


def test_the_end_of_an_overlap_in_the_run_of_an_edit_leaves_nothing_untold(house: House) -> None:
    """The change that ends it comes before the one that tells the new spec in words."""
    house.declare(jwt_token("a", lifecycle=TURNING))
    house.apply()
    house.now += 30 * DAY
    house.apply()
    house.now += 3 * DAY
    house.declare(jwt_token("a", apis=("b",), lifecycle=TURNING))
    house.apply()
    assert [one.action for one in bodies(house.store())[-1].changes] == ["retire", "modify"]
    assert lived(house).untold == ()
    assert spans(house, "a") == [(("a",), 0, True), (("b",), 33, True)]
