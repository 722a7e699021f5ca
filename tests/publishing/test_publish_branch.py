"""A protected branch: artifacts are pushed to a branch beside it, for a pull request into it."""

from __future__ import annotations

import pytest

from reconciler.errors import PublishFailed
from tests.apply.breaking import How
from tests.apply.kit import DAY, check_quiet, jwt_token, login_token
from tests.publishing.dying import Late, run_broken
from tests.publishing.kit import GitHouse, Hub, check_linear, check_published, git

PUSH = "reconciler/artifacts"
ONE, TWO = jwt_token("one"), login_token("two")


@pytest.fixture
def guarded(hub: Hub) -> Hub:
    """A remote whose main branch takes commits of people only."""
    hub.git_settings = {"push": PUSH}
    hub.hook("update", f'test "$1" = refs/heads/{PUSH} || test -n "$(git log -1 --format=%an $3 | grep dev)"')
    return hub


def merge(hub: Hub, way: str, *, delete: bool = False) -> None:
    """What the forge does when somebody presses the button."""
    main, branch = hub.head(), hub.head(PUSH)
    tree = git(hub.bare, "merge-tree", "--write-tree", main, branch).splitlines()[0]
    parents = ["-p", main, *(["-p", branch] if way == "merge" else [])]
    git(hub.bare, "update-ref", "refs/heads/main", git(hub.bare, "commit-tree", *parents, "-m", way, tree))
    if delete:
        git(hub.bare, "update-ref", "-d", f"refs/heads/{PUSH}")


def check_mergeable(hub: Hub) -> None:
    """Without a conflict."""
    git(hub.bare, "merge-tree", "--write-tree", hub.head(), hub.head(PUSH))


def changed(hub: Hub) -> list[str]:
    """The files that the pull request shows."""
    base = git(hub.bare, "merge-base", hub.head(), hub.head(PUSH))
    return git(hub.bare, "diff", "--name-only", base, hub.head(PUSH)).splitlines()


def applied(house: GitHouse) -> None:
    """One apply, after which an older checkout sees everything in place."""
    house.git("fetch", "--quiet", "origin")
    house.apply()
    check_quiet(house)


def test_the_result_names_the_branch_and_where_it_goes(guarded: Hub) -> None:
    """The commit asks for its pipeline: the checks of the pull request must run."""
    house = guarded.clone()
    specs = house.propose(ONE)
    result = house.apply()
    published = {"remote": "origin", "branch": PUSH, "commit": guarded.head(PUSH), "into": "main"}
    assert result.to_json()["published"] == published
    assert guarded.head() == specs
    assert guarded.subjects(PUSH) == ["Issue one", "specs"]
    assert (house.git("rev-parse", "HEAD"), house.git("status", "--porcelain")) == (specs, "")
    check_quiet(house)
    house.close()


def test_several_applies_stack_until_the_pull_request_is_merged(guarded: Hub) -> None:
    """One after the other on that branch, as long as the other does not move: it is linear."""
    house = guarded.clone()
    house.propose(ONE, login_token("two", lifecycle={"rotate": {"every": "10d", "overlap": "1d"}}))
    house.apply()
    for _ in range(2):
        house.now += 15 * DAY
        applied(house)
    subjects = ["Retire 1 token, rotate 1", "Rotate two", "Issue 2 tokens", "specs"]
    assert guarded.subjects(PUSH) == subjects
    check_linear(guarded, PUSH)
    merge(guarded, "merge", delete=True)
    check_published(guarded, house.now)
    house.close()


@pytest.mark.parametrize("delete", [True, False], ids=["deleted", "kept"])
@pytest.mark.parametrize("way", ["merge", "squash"])
def test_it_starts_anew_when_the_pull_request_was_merged(guarded: Hub, way: str, *, delete: bool) -> None:
    """By a merge commit or squashed, the branch deleted or kept: the next pull request shows what is new."""
    house = guarded.clone()
    house.propose(ONE)
    applied(house)
    merge(guarded, way, delete=delete)
    house.git("pull", "--quiet", "origin", "main")
    house.propose(ONE, TWO)
    applied(house)
    new = ["artifacts/LoginToken/two.yaml", "artifacts/records/00000002-"]
    assert [path[: len(new[1])] for path in changed(guarded)] == [path[: len(new[1])] for path in new]
    check_mergeable(guarded)
    if way == "merge" or delete:
        assert git(guarded.bare, "rev-parse", f"{PUSH}^") == guarded.head()
    merge(guarded, way, delete=delete)
    check_published(guarded, house.now)
    house.close()


def test_what_it_goes_into_moves_on(guarded: Hub) -> None:
    """That is taken in by a merge, so that the pull request stays mergeable."""
    house = guarded.clone()
    house.propose(ONE)
    applied(house)
    guarded.commit("main", {"readme": "by hand"})
    house.git("pull", "--quiet", "origin", "main")
    house.propose(ONE, TWO)
    applied(house)
    assert guarded.subjects(PUSH)[:2] == ["Issue two", "Merge main"]
    assert "readme" in git(guarded.bare, "ls-tree", "--name-only", guarded.head(PUSH)).splitlines()
    check_mergeable(guarded)
    merge(guarded, "merge", delete=True)
    check_published(guarded, house.now)
    house.close()


def test_a_conflict_is_for_a_person(guarded: Hub) -> None:
    """Which file, and what to do, is said; nothing is live by it, and afterwards it goes on."""
    house = guarded.clone()
    house.propose(ONE)
    applied(house)
    before = guarded.head(PUSH)
    guarded.commit("main", {"artifacts/JWTToken/one.yaml": "theirs"})
    house.git("pull", "--quiet", "origin", "main")
    house.propose(ONE, TWO)
    with pytest.raises(
        PublishFailed, match=f"main and {PUSH} conflict at artifacts/JWTToken/one.yaml"
    ) as raised:
        house.apply()
    assert f"merge main into {PUSH}" in raised.value.hint
    assert house.live().keys() == {"one"}
    assert guarded.head(PUSH) == before
    guarded.commit("main", {"artifacts/JWTToken/one.yaml": None})
    house.git("pull", "--quiet", "origin", "main")
    house.apply()
    check_quiet(house)
    house.close()


def test_a_run_that_died_is_settled_by_what_that_branch_holds(guarded: Hub) -> None:
    """On another machine."""
    house = guarded.clone()
    house.propose(ONE, TWO)

    house.apply()
    rotated = login_token("two", shop="T")
    house.propose(ONE, rotated)
    run_broken(house, Late(1, How.BEFORE, only="discard"))
    assert guarded.subjects(PUSH)[0] == "Rotate two"
    assert house.live()["two"].generation == 1
    fresh = guarded.clone()
    fresh.now = house.now
    fresh.apply()
    assert fresh.live()["two"].generation == 2
    assert guarded.subjects(PUSH)[0] == "Rotate two"
    check_quiet(fresh)
    assert not fresh.files()
    house.close()
    fresh.close()


def test_the_same_branch_named_twice_is_that_branch(hub: Hub) -> None:
    """`push: main` where the branch is main."""
    hub.git_settings = {"push": "main"}
    house = hub.clone()
    house.propose(ONE)
    house.apply()
    assert hub.subjects()[0] == "Issue one [skip ci]"
    check_linear(hub)
    check_published(hub, house.now)
    house.close()


def test_a_pull_request_that_is_thrown_away(guarded: Hub) -> None:
    """What was only there is lost, and the plan says what it takes: new credentials."""
    house = guarded.clone()
    house.propose(ONE)
    house.apply()
    git(guarded.bare, "update-ref", "-d", f"refs/heads/{PUSH}")
    fresh = guarded.clone()
    fresh.now = house.now
    (fresh.root / "artifacts").mkdir()
    assert [change.action for change in fresh.plan().changes] == ["rotate"]
    assert fresh.plan().blocked == ()
    (fresh.root / "artifacts").rmdir()
    assert [block.rule for block in fresh.plan().blocked] == ["artifacts-missing"]
    house.close()
    fresh.close()
