"""What an auditor is told of runs is what apply did: its own records are read back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from reconciler.apply.approval import approval
from reconciler.apply.interface import Ports
from reconciler.apply.session import apply
from reconciler.audit.applied import Lived, applied
from reconciler.audit.recorded import in_order
from reconciler.errors import SealFailed, SignFailed, StoreUnreadable
from reconciler.kinds.keys import generate, public_pem
from reconciler.live.interface import Batch, Lease
from reconciler.records.chain import RecordFile, file_name
from tests.apply.breaking import BreakingStore, BrokenFor, Fuse, How
from tests.apply.kit import DAY, House, Silent, check_quiet, check_settled, jwt_token
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


class _NeverBegun(BreakingStore):
    """A store that takes everything but the beginning of a run."""

    def commit(self, lease: Lease, batch: Batch) -> int:
        if batch.begin is not None:
            raise StoreUnreadable("the connection is gone")
        return super().commit(lease, batch)


def never_begun(ports: Ports) -> Ports:
    return replace(ports, store=_NeverBegun(ports.store, Fuse(0, How.BEFORE)))


def notes(house: House, wrap: Callable[[Ports], Ports] = lambda ports: ports) -> list[str]:
    """What a person is told while an apply fails."""
    progress, plan = Silent(), house.plan()
    session = house.session(plan, approval(plan))
    ports = replace(wrap(session.ports), progress=progress)
    with pytest.raises((StoreUnreadable, SignFailed)):
        apply(replace(session, ports=ports))
    return progress.notes


def test_a_run_that_never_began_is_recorded_with_what_was_in_its_way(house: House) -> None:
    """There is nothing of it to end, and nothing is said of that; the next run does all of it."""
    house.declare(jwt_token("a"))
    assert notes(house, never_begun) == []
    (told,) = bodies(house.store())
    assert (told.outcome, told.error, told.changes, told.live) == ("failed", "store-unreadable", (), {})
    assert lived(house).spans == ()
    house.apply()
    assert [span.name for span in lived(house).spans] == ["a"]
    check_settled(house)
    check_quiet(house)


def test_where_no_record_could_be_signed_nothing_begins_and_the_error_is_said_once(house: House) -> None:
    """It is raised: no note says the same again."""
    house.settings = {"audit": {"records": "signed", "keys": [public_pem(generate("ES256"))]}}
    house.declare(jwt_token("a"))
    assert notes(house) == []
    assert bodies(house.store()) == []
