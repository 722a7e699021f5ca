"""Publishing to git: one commit with artifacts and record, pushed before anything is live."""

from __future__ import annotations

from tests.apply.kit import check_quiet, check_settled, jwt_token, login_token
from tests.publishing.kit import Hub, check_linear, check_published


def test_artifacts_and_record_are_one_commit_that_says_what_was_done(hub: Hub) -> None:
    """On top of the specs, by whoever git says, at the time of the run; it asks for no pipeline."""
    house = hub.clone()
    specs = house.propose(jwt_token("one"), login_token("two"))
    result = house.apply()
    assert result.published is not None
    assert result.to_json()["published"] == {"remote": "origin", "branch": "main", "commit": hub.head()}
    assert hub.subjects() == ["Issue 2 tokens [skip ci]", "specs"]
    body = house.store().state().head
    assert body is not None
    plan = house.git("log", "-1", "--format=%(trailers:key=Reconciler-Plan,valueonly)")
    assert f'"plan":"{plan}"' in body.body
    assert hub.message().splitlines()[2:] == [
        f"Reconciler-Run: {result.run}", f"Reconciler-Plan: {plan}", f"Reconciler-Specs: {specs}",
    ]  # fmt: skip
    assert house.git("log", "-1", "--format=%an <%ae> %at %ct %P") == (
        f"reconciler <noreply@reconciler.invalid> {house.now} {house.now} {specs}"
    )
    assert len(hub.files()) == 3
    check_settled(house)
    check_quiet(house)
    assert house.git("status", "--porcelain", "--branch") == "## main...origin/main"
    check_published(hub, house.now)
    check_linear(hub)
    house.close()


def test_what_changes_later_is_committed_on_top(hub: Hub) -> None:
    """Rotations, deletions, renames and a reseal by hand; the subject says what was done."""
    house = hub.clone()
    house.propose(jwt_token("one"), login_token("two"), jwt_token("three"), jwt_token("old"))
    house.apply()
    house.propose(
        jwt_token("one"),
        login_token("two", shop="T"),
        jwt_token("new", metadata={"name": "new", "previously": ["old"]}),
    )
    house.apply()
    assert hub.subjects()[0] == "Delete 1 token, rotate 1, rename 1 [skip ci]"
    house.reseal("one")
    assert house.git("status", "--porcelain") == "M artifacts/JWTToken/one.yaml"
    house.apply()
    assert hub.subjects()[0] == "Reseal one [skip ci]"
    assert hub.files() == sorted(house.files())
    check_settled(house)
    check_quiet(house)
    assert house.git("status", "--porcelain") == ""
    check_published(hub, house.now)
    house.close()


def test_a_run_that_publishes_no_artifact_publishes_its_record(hub: Hub) -> None:
    """Grants are checked live; the record tells of it."""
    house = hub.clone()
    house.propose(jwt_token("one"))
    house.apply()
    house.propose(jwt_token("one", users=("u", "v")))
    house.apply()
    assert hub.subjects()[:2] == ["Modify one [skip ci]", "specs"]
    check_published(hub, house.now)
    house.close()


def test_nothing_of_the_user_is_needed_or_touched(hub: Hub) -> None:
    """Staged and unstaged edits, another branch: all as before; the tree that is pushed has none of them."""
    house = hub.clone()
    house.propose(jwt_token("one"))
    house.git("checkout", "--quiet", "-b", "mine")
    (house.root / "staged.txt").write_text("staged")
    house.git("add", "staged.txt")
    (house.root / "loose.txt").write_text("loose")
    before = house.git("status", "--porcelain"), house.git("rev-parse", "HEAD")
    house.apply()
    assert (house.git("status", "--porcelain"), house.git("rev-parse", "HEAD")) == before
    assert house.files() == {}
    assert sorted(hub.files()) == [path for path in sorted(hub.files()) if path.startswith("artifacts/")]
    check_quiet(house)
    check_published(hub, house.now)
    house.close()


def test_a_detached_checkout_moves_along_too(hub: Hub) -> None:
    """As in a pipeline."""
    first = hub.clone()
    specs = first.propose(jwt_token("one"))
    house = hub.clone()
    house.git("checkout", "--quiet", "--detach", specs)
    house.apply()
    assert house.git("rev-parse", "HEAD") == hub.head()
    assert house.git("status", "--porcelain") == ""
    check_settled(house)
    house.close()


def test_an_older_checkout_takes_nothing_for_missing(hub: Hub) -> None:
    """A pipeline runs on the commit that started it: what came later is looked for in the branch."""
    first = hub.clone()
    first.propose(jwt_token("one"), login_token("two"))
    late, later = hub.clone(), hub.clone("--depth", "1")
    late.git("checkout", "--quiet", "--detach")
    first.apply()
    first.reseal("one")
    first.apply()
    for house in (late, later):
        house.declare(jwt_token("one"), login_token("two"))
        check_quiet(house)
        assert house.files() == {}
        house.close()
    first.close()
