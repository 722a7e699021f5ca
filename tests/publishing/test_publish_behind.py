"""A checkout that the branch has left behind changes nothing that newer specs say otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest

from reconciler.apply.upstream import Upstream
from reconciler.errors import PartlyApplied, PlanBlocked
from reconciler.git.repository import repository
from reconciler.specs.settings import GitSettings
from tests.apply.kit import jwt_token, login_token
from tests.publishing.kit import GitHouse, Hub, clean, git, records_of

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


def test_where_newer_specs_have_a_fault_they_are_mended_first(
    late: Callable[[Specs, Specs], GitHouse], hub: Hub
) -> None:
    """Nobody can tell what the branch wants until then."""
    house = late((WIDER,), (ONE,))
    hub.commit("main", {"specs/all.yaml": "kind: [\n"})
    with pytest.raises(PlanBlocked, match=r"whose specs have a fault at specs/all\.yaml"):
        house.apply()


def test_what_never_was_on_the_branch_is_not_applied(hub: Hub) -> None:
    """A branch of its own, pushed or not, would delete what the other one issued."""
    house = hub.clone()
    house.propose(ONE)
    house.apply()
    aside = hub.clone()
    aside.now = house.now
    aside.git("checkout", "--quiet", "-b", "aside")
    aside.declare(ONE, jwt_token("three"))
    aside.git("commit", "--quiet", "--all", "-m", "aside")
    house.propose(ONE, TWO)
    house.apply()
    with pytest.raises(PlanBlocked, match="is not on main of origin, which specs are applied from"):
        aside.apply()
    assert set(house.live()) == {"one", "two"}
    house.close()
    aside.close()


def test_what_a_push_by_force_took_off_the_branch_is_not_applied(hub: Hub) -> None:
    """The pipeline of a commit that was amended since; that of the newest goes on."""
    house = hub.clone()
    house.propose(ONE)
    house.apply()
    house.propose(ONE, jwt_token("three"))
    orphan = hub.clone()
    orphan.now = house.now
    house.declare(ONE, TWO)
    house.git("commit", "--quiet", "--all", "--amend", "-m", "amended")
    house.git("push", "--quiet", "--force", "origin", "HEAD:refs/heads/main")
    assert [one.name for one in house.apply().done] == ["two"]
    with pytest.raises(PlanBlocked, match="is not on main of origin"):
        orphan.apply()
    assert set(house.live()) == {"one", "two"}
    house.close()
    orphan.close()


def test_a_runner_that_keeps_two_commits_without_what_is_between_them_is_told(hub: Hub) -> None:
    """It has the newest and an older one, each cut off: nobody can tell there which follows which."""
    house = hub.clone()
    older = house.propose(ONE)
    house.apply()
    house.propose(ONE, TWO)
    house.apply()
    runner = hub.clone("--depth", "1")
    runner.now = house.now
    git(hub.bare, "config", "uploadpack.allowAnySHA1InWant", "true")
    runner.git("fetch", "--quiet", "--depth", "1", "origin", older)
    runner.git("checkout", "--quiet", "--detach", older)
    with pytest.raises(PlanBlocked, match="this clone is cut off") as raised:
        runner.apply()
    assert "fetch-depth: 0" in (raised.value.hint or "")
    assert set(house.live()) == {"one", "two"}
    house.close()
    runner.close()


def test_specs_that_no_commit_has_are_not_applied(hub: Hub) -> None:
    """An artifact is published with the commit of its spec; other files may be as they like."""
    house = hub.clone()
    house.propose(ONE)
    house.apply()
    (house.root / "notes.txt").write_text("mine")
    (house.root / "specs" / ".draft.yaml").write_text("kind: [")
    ignored = house.root / "specs" / "mine.yaml"
    ignored.write_text(json.dumps(TWO))
    with (house.root / ".git" / "info" / "exclude").open("a") as file:
        file.write("mine.yaml\n")
    house.declare(ONE)
    with pytest.raises(PlanBlocked, match=r"specs/mine\.yaml is not as the commit has it"):
        house.apply()
    ignored.unlink()
    house.declare(ONE, TWO)
    with pytest.raises(PlanBlocked, match=r"specs/all\.yaml is not as the commit has it"):
        house.apply()
    house.git("commit", "--quiet", "--all", "-m", "two")
    with pytest.raises(PlanBlocked, match="is not on main"):
        house.apply()
    house.git("pull", "--quiet", "--rebase")
    house.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    assert [one.name for one in house.apply().done] == ["two"]
    assert [one["outcome"] for one in records_of(hub)] == ["done", "blocked", "done"]
    house.close()


def test_rules_above_the_workspace_count(hub: Hub) -> None:
    """The nearest ones: a late run would seal to whom the rules of the whole repository took out."""
    house = hub.clone()
    house.propose(ONE)
    paths = {"c/.sops.yaml": False, ".sops.yaml": True, "a/.sops.yaml": True, "a/b/.sops.yaml": True}
    for path, newer in (*paths.items(), ("a/.sops.yaml", False)):
        house.git("pull", "--quiet")
        hub.commit("main", {path: f"# {hub.head()}\n"})
        house.git("fetch", "--quiet", "origin")
        below = replace(repository(house.root, clean(house.root)), prefix="a/b/")
        look = Upstream(lambda found=below: found, GitSettings(), "artifacts")  # type: ignore[misc]
        assert look.is_newer(hub.head()) is newer, path
        look.close()
    house.close()
