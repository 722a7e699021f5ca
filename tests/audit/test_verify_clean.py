"""A workspace in which nothing was done behind anybody's back: nothing is found, and all of it is told."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from reconciler.audit.verifying.finding import Check
from reconciler.canonical import digest
from reconciler.plan.change import Action
from reconciler.records.body import Outcome
from reconciler.records.envelope import read
from tests.audit.audited import ENDS, Audited, lived


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """A workspace with some history, signed."""
    return lived(tmp_path_factory.mktemp("clean") / "house")


def test_nothing_is_found_where_nothing_was_edited(house: Audited) -> None:
    """Not in git, not in the live store; that keys were named is told, and no fault."""
    report = house.found(live=True)
    assert report.faults == []
    assert [one.check for one in report.notes] == [Check.KEYS_CHANGED]


def test_what_is_verified_here_ended_in_every_way_that_a_run_can(house: Audited) -> None:
    """So whatever a record may say is held against git and the live store, here and where it is tampered
    with.
    """
    bodies = [read(path.read_bytes()).body for path in house.records()]
    assert tuple(body.outcome for body in bodies) == ENDS
    assert set(ENDS) == set(get_args(Outcome))
    assert {change.outcome for body in bodies for change in body.changes} == {"done", "failed", "untried"}
    assert {change.action for body in bodies for change in body.done} == {*Action} - {Action.RETIRE}


def test_what_was_checked_is_told_with_how_much_of_it(house: Audited) -> None:
    """So that nobody takes a look at nothing for a look at everything."""
    report = house.found(live=True)
    assert report.checked["records"] == "12 records"
    assert report.checked["artifacts in place"] == "2 artifacts"
    assert report.checked["changes"] == "12 changes against the specs of 12 commits"
    assert report.checked["signatures of records"].startswith("12 by ")
    assert report.checked["live store"] == "3 tokens and tombstones, 12 records"


def test_what_was_not_checked_is_told_with_the_reason(house: Audited) -> None:
    """And with what to pass."""
    whole = " ".join(house.found().unchecked)
    for option in ("--anchor", "--keys", "--commits signed", "--live"):
        assert option in whole


def test_the_head_is_the_digest_of_the_last_file_and_serves_as_an_anchor(house: Audited) -> None:
    """What `sha256sum` prints of it."""
    head = house.found().head
    assert head == digest(house.records()[-1].read_bytes())
    assert house.found(anchors=[head]).faults == []


def test_an_older_revision_is_verified_as_it_was(house: Audited) -> None:
    """With the records and artifacts that it had."""
    report = house.found(revision="HEAD~2")
    assert report.faults == []
    assert report.checked["records"] == "11 records"


def test_a_shallow_clone_is_never_called_whole(house: Audited, tmp_path: Path) -> None:
    """What is cut off is not there to be checked: that is a fault, and says how to get it."""
    house.repo.clone(tmp_path / "shallow", "--depth=1")
    shallow = Audited(tmp_path / "shallow", house.url, now=house.now)
    found = {one.check: one for one in shallow.found().faults}
    assert "--unshallow" in found[Check.HISTORY_CUT].hint
    assert Check.COMMIT_LOST in found
