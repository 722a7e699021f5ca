"""A checkout that the branch has left behind changes nothing that newer specs say otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from reconciler.errors import PartlyApplied, PlanBlocked
from tests.apply.kit import jwt_token, login_token
from tests.publishing.kit import GitHouse, Hub, records_of

Specs = tuple[Mapping[str, object], ...]
ONE, TWO = jwt_token("one"), login_token("two")
WIDER = jwt_token("one", users=("u", "v"))


@pytest.fixture
def late(hub: Hub) -> Iterator[Callable[[Specs, Specs], GitHouse]]:
    """A clone at the first of two merges, which a second one follows; `ONE` is live."""
    houses: list[GitHouse] = []

    def made(first: Specs, second: Specs) -> GitHouse:
        house = hub.clone()
        house.propose(ONE)
        house.apply()
        commit = house.propose(*first)
        behind = hub.clone()
        behind.now = house.now
        behind.git("checkout", "--quiet", "--detach", commit)
        house.propose(*second)
        houses.extend((house, behind))
        return behind

    yield made
    for house in houses:
        house.close()


def grants(house: GitHouse) -> dict[str, object]:
    """Name → grants of each live token."""
    return {token.name: dict(token.grants) for token in house.store().tokens()}


def test_what_could_not_be_applied_and_was_reverted_is_not_applied_later(hub: Hub) -> None:
    """Nothing is left to do for the revert, so only the branch tells that it was merged."""
    house = hub.clone()
    house.propose(ONE)
    house.apply()
    before = grants(house)
    asked = house.propose(ONE, TWO)
    hub.hook("pre-receive", "exit 1")
    with pytest.raises(PartlyApplied):
        house.apply()
    hub.unhook()
    house.propose(ONE)
    assert house.apply().done == ()
    again = hub.clone()
    again.now = house.now
    again.git("checkout", "--quiet", "--detach", asked)
    with pytest.raises(PlanBlocked, match="says something else of two"):
        again.apply()
    assert grants(house) == before
    assert [(one["outcome"], "held" in one) for one in records_of(hub)] == [
        ("done", False), ("interrupted", False), ("blocked", True),
    ]  # fmt: skip
    house.close()
    again.close()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((WIDER,), (ONE,)),
        ((WIDER,), ()),
        ((TWO,), (ONE, TWO)),
        ((WIDER,), (jwt_token("uno", metadata={"name": "uno", "previously": ["one"]}),)),
        ((ONE, TWO), (ONE, login_token("two", shop="T"))),
    ],
    ids=["edited", "deleted", "declared-again", "renamed", "issued-otherwise"],
)
def test_what_newer_specs_say_otherwise_is_not_applied(
    late: Callable[[Specs, Specs], GitHouse], first: Specs, second: Specs
) -> None:
    """Whatever the difference: the pipeline of the newer commit does it all."""
    house = late(first, second)
    before = grants(house)
    with pytest.raises(PlanBlocked, match="the branch main went on to"):
        house.apply()
    assert grants(house) == before


def test_what_newer_specs_say_too_is_applied(late: Callable[[Specs, Specs], GitHouse]) -> None:
    """A pipeline need not wait for the next one, whose specs are about other tokens."""
    house = late((WIDER,), (WIDER, TWO))
    assert [one.name for one in house.apply().done] == ["one"]


@pytest.mark.parametrize("file", [".sops.yaml", "specs/all.yaml"])
def test_newer_rules_and_settings_are_heeded(
    late: Callable[[Specs, Specs], GitHouse], hub: Hub, file: str
) -> None:
    """Nothing is sealed to whom the branch took out, nor done that its brakes would hold."""
    house = late((ONE, TWO), (ONE, TWO))
    text = hub.read(file).decode()
    text = text.replace('"count": 1000', '"count": 999') if file == "specs/all.yaml" else f"{text}# newer\n"
    hub.commit("main", {file: text})
    with pytest.raises(PlanBlocked, match="its settings, policies or creation rules"):
        house.apply()
    assert grants(house).keys() == {"one"}


def test_a_branch_with_faults_holds_nothing(late: Callable[[Specs, Specs], GitHouse], hub: Hub) -> None:
    """It cannot be applied itself; what came before it can."""
    house = late((WIDER,), (ONE,))
    hub.commit("main", {"specs/all.yaml": "kind: [\n"})
    assert [one.name for one in house.apply().done] == ["one"]
