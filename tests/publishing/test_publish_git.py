"""Publishing to git: one commit with artifacts and record, pushed before anything is live."""

from __future__ import annotations

from tests.apply.kit import check_quiet, check_settled, jwt_token, login_token
from tests.publishing.kit import GitHouse, Hub, check_linear, check_published, git
from tests.records.kit import bodies


def test_artifacts_and_record_are_one_commit_that_says_what_was_done(hub: Hub) -> None:
    """On top of the specs, by whoever git says, at the time of the run; it asks for no pipeline."""
    house = hub.clone()
    specs = house.propose(jwt_token("one"), login_token("two"))
    result = house.apply()
    assert result.published is not None
    assert result.to_json()["published"] == {"remote": "origin", "branch": "main", "commit": hub.head()}
    assert hub.subjects() == ["Issue 2 tokens [skip ci]", "specs"]
    plan = house.git("log", "-1", "--format=%(trailers:key=Reconciler-Plan,valueonly)")
    assert [body.plan for body in bodies(house.store())] == [plan]
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


def test_a_shallow_clone_and_a_linked_work_tree(hub: Hub) -> None:
    """What pipelines and people work in."""
    first = hub.clone()
    first.propose(jwt_token("one"))
    first.apply()
    first.propose(jwt_token("one"), jwt_token("two"))
    shallow = hub.clone("--depth", "1")
    shallow.apply()
    check_settled(shallow)
    check_quiet(shallow)
    assert shallow.git("status", "--porcelain") == ""
    git(hub.folder, "clone", "--quiet", "--bare", hub.bare.as_uri(), "own.git")
    own = hub.folder / "own.git"
    git(own, "worktree", "add", "--quiet", str(hub.folder / "linked"), "main")
    linked = GitHouse(hub.folder / "linked", hub.url, settings=shallow.settings)
    linked.git("checkout", "--quiet", "--", ".sops.yaml")
    linked.propose(jwt_token("one"), jwt_token("two"), jwt_token("three"))
    linked.apply()
    check_settled(linked)
    assert linked.git("rev-parse", "HEAD") == hub.head()
    assert linked.git("status", "--porcelain") == ""
    check_published(hub, linked.now)
    for house in (first, shallow, linked):
        house.close()


def test_a_pull_request_that_encrypts_anew_is_planned_as_such(hub: Hub) -> None:
    """Although the branch has the file that is live: the pull request changed it, and nobody else."""
    house = hub.clone()
    house.propose(jwt_token("one"))
    house.apply()
    house.git("checkout", "--quiet", "-b", "proposal")
    house.reseal("one")
    house.git("commit", "--quiet", "-am", "reseal")
    hub.commit("main", {"readme": "meanwhile"})
    assert [change.action for change in house.plan().changes] == ["reseal"]
    (house.root / "artifacts/JWTToken/one.yaml").unlink()
    house.git("commit", "--quiet", "-am", "and delete")
    assert [change.action for change in house.plan().changes] == ["rotate"]
    house.close()


def test_an_artifact_that_is_missing_from_the_work_tree_alone_is_there(hub: Hub) -> None:
    """No commit deleted it: a sparse checkout, or a hand that slipped."""
    house = hub.clone()
    house.propose(jwt_token("one"))
    house.apply()
    (house.root / "artifacts/JWTToken/one.yaml").unlink()
    assert house.plan().changes == ()
    house.close()


def test_edits_here_of_what_is_published_stay(hub: Hub) -> None:
    """The checkout is not moved along over them, and nothing is lost."""
    house = hub.clone()
    house.propose(login_token("one"))
    house.apply()
    before = house.git("rev-parse", "HEAD")
    house.propose(login_token("one", shop="T"))
    place = house.root / "artifacts/LoginToken/one.yaml"
    place.write_text("mine")
    house.apply()
    assert place.read_text() == "mine"
    assert house.git("rev-parse", "HEAD^") == before
    assert house.git("status", "--porcelain") == "M artifacts/LoginToken/one.yaml"
    check_published(hub, house.now)
    house.close()


def test_the_shallow_merge_commit_of_a_pull_request(hub: Hub) -> None:
    """It is cut off from what it follows: what the pull request changed is told from what came later."""
    house = hub.clone()
    house.propose(jwt_token("one"), login_token("two"))
    house.apply()
    house.git("checkout", "--quiet", "-b", "proposal")
    house.reseal("one")
    house.git("commit", "--quiet", "-am", "reseal")
    tree = house.git("rev-parse", "HEAD^{tree}")
    merge = house.git("commit-tree", "-p", "origin/main", "-p", "HEAD", "-m", "merge", tree)
    house.git("push", "--quiet", "origin", f"{merge}:refs/pull/1/merge")
    house.git("checkout", "--quiet", "main")
    house.propose(jwt_token("one"), login_token("two", shop="T"))
    house.apply()
    root = hub.folder / "pipeline"
    git(hub.folder, "init", "--quiet", str(root))
    git(root, "remote", "add", "origin", hub.bare.as_uri())
    pipeline = GitHouse(root, hub.url, settings=house.settings)
    pipeline.git("fetch", "--quiet", "--depth", "1", "origin", "refs/pull/1/merge")
    pipeline.git("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")
    pipeline.declare(jwt_token("one"), login_token("two", shop="T"))
    assert [(change.action, change.name) for change in pipeline.plan().changes] == [("reseal", "one")]
    pipeline.close()
    house.close()
