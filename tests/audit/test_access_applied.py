"""Who could do what, as the records of real applies tell it: held against what is live at that time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from reconciler.apply.interface import Publication, Publisher
from reconciler.audit.access import Period, Question, Wish
from reconciler.audit.report.contents import to_json
from reconciler.audit.spans import State
from reconciler.errors import PartlyApplied
from reconciler.live.interface import CredentialState
from reconciler.readers.accessing import Answer, Asked, answer
from reconciler.readers.auditing import Auditing
from reconciler.readers.auditing_report import facts
from reconciler.times import timestamp
from tests.apply.kit import DAY, House, jwt_token
from tests.audit.audited import Audited

A, B = (Wish("apis", name, by_section=True) for name in "ab")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Audited]:
    """A workspace in git."""
    made = Audited(tmp_path / "it", f"sqlite:///{tmp_path}/live.db")
    yield made
    made.close()


def told(house: Audited, at: int, *wishes: Wish, states: tuple[State, ...] = (State.ACTIVE,)) -> Answer:
    """What an auditor is told of a moment."""
    return answer(
        Auditing(house.workspace()), Asked(Question(wishes, states=states), (timestamp(at),), declared=False)
    )


def able(house: House, at: int) -> set[str]:
    """Names of the tokens of which a credential works at a moment, if nothing changes until then."""
    return {
        token.name
        for token in house.store().tokens()
        if token.state_at(at).value == "active"
        and any(
            one.state is not CredentialState.RETIRED and (one.not_after is None or at < one.not_after)
            for one in token.credentials
        )
    }


def leaked(name: str, apis: tuple[str, ...] = ("a",), **more: object) -> dict[str, object]:
    """A token of which a rotation is asked for, as the secret leaked."""
    asked = {"at": "2027-01-15T00:00:00Z", "reason": "oops", "leaked": True}
    return jwt_token(name, apis, lifecycle={"rotate": {"asked": asked}, **more})


@pytest.mark.parametrize("edit", ["nothing", "more", "less", "off"])
def test_a_leaked_rotation_and_an_edit_in_one_run_are_told_whole(house: Audited, edit: str) -> None:
    """What ends in that run has the spec that another change of it tells in words."""
    edited = {
        "nothing": leaked("q"),
        "more": leaked("q", ("a", "b")),
        "less": leaked("q", ("b",)),
        "off": leaked("q", enabled=False),
    }
    house.asks(jwt_token("q"))
    house.applies()
    house.asks(edited[edit])
    house.applies()
    found = told(house, house.now)
    assert (found.whole, found.notes) == (True, ())
    assert {one.name for one in found.periods} == able(house, house.now)
    grants = {"nothing": [("a",)], "more": [("a", "b")], "less": [("b",)], "off": []}
    assert [one.grants["apis"] for one in found.periods] == grants[edit]


def edits(rotated: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """Edits that land when an overlap is over."""
    return {
        "more": jwt_token("q", ("a", "b"), lifecycle=rotated),
        "off": jwt_token("q", lifecycle={**rotated, "enabled": False}),
    }


@pytest.mark.parametrize("edit", ["more", "off"])
def test_an_overlap_that_ends_while_an_edit_lands_is_told_whole(house: Audited, edit: str) -> None:
    """The run ends the older credential, and gives the token another spec."""
    rotated = {"rotate": {"asked": {"at": "2027-01-15T00:00:00Z", "reason": "r"}, "overlap": "1d"}}
    for document in (jwt_token("q"), jwt_token("q", lifecycle=rotated)):
        house.asks(document)
        house.applies()
    house.now += 2 * DAY
    house.asks(edits(rotated)[edit])
    house.applies()
    found = told(house, house.now)
    assert (found.whole, {one.name for one in found.periods}) == (True, able(house, house.now))
    assert len(told(house, house.now, B).periods) == (edit == "more")


def test_a_token_can_do_nothing_when_its_newest_credential_has_ended(house: Audited) -> None:
    """And again from the run on that gives it another; an edit gives it none."""
    house.asks(jwt_token("m"))
    house.applies()
    issued = house.now - 60
    moments = [issued, issued + 89 * DAY, issued + 90 * DAY - 1, issued + 90 * DAY, issued + 100 * DAY]
    for at in moments:
        assert {one.name for one in told(house, at, A).periods} == able(house, at)
    (one,) = told(house, issued, A).periods
    assert (one.over, one.ends_itself, one.ends) == (issued + 90 * DAY, True, None)
    house.now = issued + 100 * DAY
    house.asks(jwt_token("m"))
    house.applies()
    back = house.now - 60
    assert told(house, back - 1, A).periods == ()
    (one,) = told(house, back, A).periods
    assert one.since.at == back
    assert [one.over for one in told(house, issued, A).periods] == [issued + 90 * DAY]


def test_a_token_that_is_rotated_in_time_could_do_it_all_along(house: Audited) -> None:
    """From one credential to the next is no break, and neither is an edit that leaves it as it is."""
    house.asks(jwt_token("m"))
    house.applies()
    issued = house.now - 60
    for _ in range(3):
        house.now += 84 * DAY
        house.applies()
    house.asks(jwt_token("m", ("a", "b")))
    house.applies()
    (one,) = told(house, house.now, A).periods
    assert one.since.at == issued
    assert one.lasts is not None
    assert {one.name for one in told(house, house.now + 300 * DAY).periods} == able(
        house, house.now + 300 * DAY
    )


def test_a_report_counts_as_an_answer_does(house: Audited) -> None:
    """A token of which no credential works is not among the active ones; one that is off is just that."""
    house.asks(jwt_token("m"), jwt_token("n", lifecycle={"enabled": False}))
    house.applies()
    house.now += 91 * DAY
    house.commit("later")
    found = told(house, house.now, states=tuple(State)).periods
    assert states(found) == {"m": "expired", "n": "disabled"}
    figures = to_json(facts(house.workspace(), None), ["summary", "inventory"])["figures"]
    assert figures["summary"]["active tokens"] == 0  # type: ignore[index]
    assert figures["summary"]["disabled or expired"] == 2  # type: ignore[index]
    kinds = figures["inventory"]["tokens"]  # type: ignore[index]
    assert {one["name"]: str(one["state"]) for one in kinds} == states(found)


def states(found: tuple[Period, ...]) -> dict[str, str]:
    """Name → state."""
    return {one.name: one.state.value for one in found}


def test_a_rename_does_not_begin_access_anew(house: Audited) -> None:
    """It is told since the run that granted it, under the newest name, with the one before."""
    house.asks(jwt_token("m"))
    house.applies()
    issued = house.now - 60
    renamed = jwt_token("archive")
    renamed["metadata"] = {"name": "archive", "previously": ["m"]}
    house.asks(renamed)
    house.applies()
    for at in (issued, house.now):
        (one,) = told(house, at, A).periods
        assert (one.name, one.previously, one.since.at) == ("archive", ("m",), issued)


class Unplugged:
    """A publisher that is cut off at the moment that it would publish."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher

    def __getattr__(self, name: str) -> object:
        return getattr(self.publisher, name)

    def publish(self, _: Publication) -> None:
        raise RuntimeError


def test_what_a_run_gave_that_died_is_live_since_it_was_settled(house: Audited) -> None:
    """And what it took, since it ran: the record says who settled it, and when."""
    house.asks(jwt_token("gone"), jwt_token("more"))
    house.applies()
    house.asks(jwt_token("more", ("a", "b")))
    house.now += 60
    died = house.now
    with pytest.raises(PartlyApplied):
        house.apply(lambda ports: replace(ports, publisher=cast("Publisher", Unplugged(ports.publisher))))
    house.now += DAY
    house.apply()
    settled = house.now
    house.commit("apply")
    assert {one.name: one.over for one in told(house, died - 1, A).periods}["gone"] == died
    assert told(house, settled - 1, B).periods == ()
    (one,) = told(house, settled, B).periods
    assert (one.name, one.since.at) == ("more", settled)
    assert house.found().faults == []
