"""What was applied and not declared is found: against the specs of the commit that a record names."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.audit.verifying.finding import Check
from reconciler.errors import PlanBlocked
from reconciler.records.envelope import read
from tests.apply.breaking import BrokenFor
from tests.apply.kit import DAY, jwt_token, login_token, spec
from tests.audit.audited import LIFE, Audited, changes_of, copied, lived, rewritten, told


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """A workspace with some history, signed: not to be written to."""
    return lived(tmp_path_factory.mktemp("declared") / "house")


@pytest.fixture
def house(whole: Audited, tmp_path: Path) -> Audited:
    """A copy to tamper with."""
    return copied(whole, tmp_path / "house")


def name(house: Audited, number: int) -> str:
    """Path of a record, as findings name it."""
    return house.records()[number - 1].relative_to(house.root).as_posix()


def test_an_apply_of_what_was_never_committed_is_found(house: Audited) -> None:
    """The work tree had another spec than the commit."""
    house.declare(jwt_token("line", apis=("a", "b", "admin")), login_token("shop", shop="T"))
    house.now += 60
    house.apply()
    house.repo.git("checkout", "--", "specs")
    house.commit("apply")
    (found,) = house.found().faults
    assert (found.check, found.where) == (Check.UNDECLARED_CHANGE, name(house, LIFE + 1))
    assert "modify line: the specs declared something else" in found.message


def test_an_apply_of_a_commit_that_was_never_merged_is_found(house: Audited) -> None:
    """It is in the clone, on another branch."""
    house.repo.git("checkout", "--quiet", "-b", "side")
    house.asks(jwt_token("line", apis=("a", "b")), login_token("shop", shop="T"))
    house.applies()
    house.repo.git("checkout", "--quiet", "main")
    house.repo.git("checkout", "side", "--", "artifacts")
    house.commit("artifacts")
    (found,) = house.found().faults
    assert (found.check, found.where) == (Check.COMMIT_LOST, name(house, LIFE + 1))
    assert "not in the history" in found.message


def test_a_commit_that_was_forced_away_is_found(house: Audited) -> None:
    """A fresh clone has it no more, so nobody can check what was declared."""
    lost = house.asks(jwt_token("line", apis=("a", "b")), login_token("shop", shop="T"))
    house.applies()
    (found,) = squashed(house).found().faults
    assert (found.check, lost[:10] in found.message) == (Check.COMMIT_LOST, True)


def squashed(house: Audited) -> Audited:
    """The last two commits as one: what a record names, a fresh clone does not have."""
    house.repo.git("reset", "--quiet", "--soft", "HEAD~2")
    house.commit("squashed")
    fresh = house.root.with_name("fresh")
    house.repo.clone(fresh)
    return Audited(fresh, house.url, now=house.now)


def test_a_run_that_was_held_on_a_branch_that_was_squashed_is_a_note(house: Audited) -> None:
    """Nothing was done by it: records stay for good, so a fault would make verify red for good."""
    house.settings = {**house.settings, "brakes": {"delete": {"count": 0}}}
    held = house.asks(login_token("shop", shop="T"))
    with pytest.raises(PlanBlocked):
        house.apply()
    house.commit("apply")
    report = squashed(house).found()
    assert report.faults == []
    (note,) = [one for one in report.notes if one.check is Check.COMMIT_ASIDE]
    assert (note.where, held[:10] in note.message) == (name(house, LIFE + 1), True)


def test_a_run_that_failed_on_a_branch_that_was_squashed_is_found_where_it_left_something(
    house: Audited,
) -> None:
    """It may have taken access away before it failed: nobody can check whether that was declared."""
    line = {**jwt_token("line", apis=("b",)), "metadata": {"name": "line", "previously": ["mes"]}}
    house.asks(line, login_token("shop", shop="U"))
    house.apply(BrokenFor("shop"))
    house.commit("apply")
    body = read(house.records()[-1].read_bytes()).body
    assert (body.outcome, body.done, len(body.live)) == ("failed", [], 1)
    assert told(squashed(house).found()) == {(Check.COMMIT_LOST, name(house, LIFE + 1))}


@pytest.mark.parametrize("commit", ["HEAD", "main", "../x", "0" * 40, "--help", "HEAD:specs\nHEAD"])
def test_what_a_record_names_is_taken_for_an_id_and_nothing_else(commit: str, house: Audited) -> None:
    """Not for a branch, an option, or two lines."""
    rewritten(house, 5, {"commit": commit}, house.signer)
    house.commit("forged")
    assert (Check.COMMIT_LOST, name(house, 5)) in told(house.found())


def test_a_record_without_a_commit_is_found(house: Audited) -> None:
    """Nobody can tell what was declared."""
    rewritten(house, 5, {"commit": None}, house.signer)
    house.commit("forged")
    assert (Check.COMMIT_UNKNOWN, name(house, 5)) in told(house.found())


FORGERIES: Mapping[str, tuple[Mapping[str, object], str]] = {
    "another spec": ({"spec": f"sha256:{'0' * 64}"}, "the specs declared something else"),
    "no spec": ({"spec": None}, "the specs declared something else"),
    "another text": ({"declared": {"kind": "JWTToken"}}, "another than the specs had"),
    "another kind": ({"kind": "RSAToken"}, "the specs did not declare it"),
    "another name": ({"name": "nobody", "previously": None}, "the specs did not declare it"),
    "another name before": ({"previously": "shop"}, "did not say that it was called shop"),
    "another token": ({"token": "nobody"}, "no record before it issued this token"),
    "no token": ({"token": None}, "it names no token"),
    "issued again": ({"action": "issue"}, "was issued before"),
    "an old generation": ({"action": "rotate", "generation": 1}, "generation 1 was made before it"),
    "deleted": ({"action": "delete"}, "the specs declared it"),
    "given by a retire": ({"action": "retire", "spec": f"sha256:{'0' * 64}"}, "gives the token another spec"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_change_that_does_not_follow_is_found(forgery: str, house: Audited) -> None:
    """Even where whoever wrote the record has the key: what is in git does not fit it."""
    parts, message = FORGERIES[forgery]
    changes = changes_of(house, 4)
    number = next(count for count, one in enumerate(changes) if one["name"] == "line")
    changes[number] = {
        key: value
        for key, value in {**changes[number], **parts}.items()
        if value is not None or key == "token"
    }
    rewritten(house, 4, {"changes": changes}, house.signer)
    house.commit("forged")
    told_of = [one.message for one in house.found().faults if one.check is Check.UNDECLARED_CHANGE]
    assert any(message in one for one in told_of), told_of


def test_groups_are_those_of_the_catalog_at_the_commit(house: Audited) -> None:
    """A group that changes later changes nothing about what was declared then."""

    def asks(members: list[str]) -> None:
        group = {"name": "@all", "members": members}
        catalog = spec("Catalog", "names", spec={"apis": ["*", "a", "b", group]})
        house.asks(jwt_token("line", apis=("@all",)), login_token("shop", shop="T"), catalog)
        house.applies()

    asks(["a", "b"])
    asks(["b"])
    assert told(house.found()) == set()


@pytest.mark.parametrize("path", ["../x.yaml", "/etc/passwd", "a//b", "artifacts/\nx", "artifacts/./x"])
def test_an_artifact_at_no_path_that_one_can_have_is_found(path: str, house: Audited) -> None:
    """And git is not asked for it."""
    changes = changes_of(house, 2)
    changes[0]["artifact"] = {"path": path, "digest": f"sha256:{'0' * 64}"}
    rewritten(house, 2, {"changes": changes}, house.signer)
    house.commit("forged")
    assert (Check.ARTIFACT_DIGEST, name(house, 2)) in told(house.found())


def test_a_brake_that_was_let_go_is_a_note(house: Audited) -> None:
    """With who did it, and why."""
    parts = {"overrides": {"delete": 12, "empty": True}, "reason": "the plant was sold", "actor": "kim"}
    rewritten(house, 5, parts, house.signer)
    house.repo.git("checkout", "--quiet", "--orphan", "new")
    house.commit("all")
    (note,) = [one for one in house.found().notes if one.check is Check.OVERRIDE]
    assert "kim let go delete=12, empty=true" in note.message
    assert "the plant was sold" in note.message


def test_a_workspace_below_the_top_of_its_repository_is_checked_alike(tmp_path: Path) -> None:
    """And what its neighbours have is not its own."""
    top = tmp_path / "top"
    house = lived(top / "plants [a]" / "one", top)
    shutil.copytree(house.root / "artifacts", top / "artifacts")
    house.commit("a neighbour")
    (top / "artifacts" / "records" / house.records()[1].name).unlink()
    house.commit("of the neighbour")
    report = house.found(live=True)
    assert report.faults == []
    assert report.checked["artifacts when recorded"] == "8 artifacts"


UNCLEAR: Mapping[str, tuple[Mapping[str, object], ...]] = {
    "twice": (jwt_token("line", apis=("b",)), jwt_token("line", apis=("b",))),
    "a group that nobody made": (jwt_token("line", apis=("@nobody",)),),
    "a file that cannot be read": (),
}
"""How the specs of a commit can be so that nobody can tell from them what a token is to be."""


@pytest.mark.parametrize("case", UNCLEAR)
def test_a_delete_is_right_only_where_the_specs_can_be_told_not_to_declare_it(
    case: str, house: Audited
) -> None:
    """Declared twice, or with groups that nobody made, is declared; what cannot be read tells nothing."""
    house.declare(*UNCLEAR[case], login_token("shop", shop="T"))
    if not UNCLEAR[case]:
        (house.root / "specs" / "broken.yaml").write_text("kind: [")
    commit = house.commit(case)
    changes = changes_of(house, 4)
    number = next(count for count, one in enumerate(changes) if one["name"] == "line")
    changes[number] = {**changes[number], "action": "delete"}
    rewritten(house, 4, {"changes": changes, "commit": commit}, house.signer)
    house.commit("forged")
    told_of = [one.message for one in house.found().faults if one.where == name(house, 4)]
    expected = "delete line: the specs declared it" if UNCLEAR[case] else "nobody can tell whether the specs"
    assert any(expected in one for one in told_of), told_of


LEAKED = {"rotate": {"asked": {"at": "2026-01-01T00:00:00Z", "reason": "seen", "leaked": True}}}
TURNING = {"rotate": {"every": "10d", "overlap": "1d"}}


@pytest.mark.parametrize("over", [False, True], ids=["leaked", "overlap-over"])
def test_what_ends_in_the_run_that_renames_is_no_fault(tmp_path: Path, *, over: bool) -> None:
    """One run ends a credential of a token and gives it another name: both are told of the new one."""
    house = Audited(tmp_path, f"sqlite:///{tmp_path}/.reconciler/live.db")
    renamed = {"name": "line-2", "previously": ["line"]}
    house.asks(jwt_token("line", lifecycle=TURNING))
    house.applies()
    if over:
        house.now += 11 * DAY
        house.applies()
        house.now += 2 * DAY
    house.asks(jwt_token("line-2", metadata=renamed, lifecycle=TURNING if over else LEAKED))
    house.applies()
    last = [change["action"] for change in changes_of(house, 0)]
    assert last == (["retire", "rename"] if over else ["retire", "rotate"])
    house.asks(jwt_token("line-2", apis=("z",), metadata=renamed, lifecycle=TURNING if over else LEAKED))
    house.applies()
    assert house.found().faults == []
