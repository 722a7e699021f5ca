"""What a merge does to keys and policies is told: it may take a side's settings, and no commit says so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.audit.verifying.finding import Check
from tests.audit.audited import Audited, Signer

OLD, NEW = Signer(), Signer()
STRICT: Mapping[str, object] = {"keys": [NEW.line], "records": "signed"}
"""What the Workspace document asks once the old key is retired."""


@pytest.fixture
def house(tmp_path: Path) -> Audited:
    """A workspace on `main` that anybody's records are taken for, by the old key."""
    made = Audited(tmp_path / "house", f"sqlite:///{tmp_path}/live.db")
    asks(made, {"keys": [OLD.line], "records": "any"})
    made.repo.git("branch", "side")
    return made


def asks(house: Audited, audit: Mapping[str, object]) -> str:
    """A commit that sets what the Workspace document asks for."""
    house.settings = {"audit": audit}
    return house.asks(message="settings")


def merges(house: Audited, other: str, *options: str) -> str:
    """A merge of another branch into the one that is checked out."""
    house.repo.git("merge", "--quiet", "--no-ff", "-m", "merge", *options, other)
    return house.repo.git("rev-parse", "HEAD")


def noted(house: Audited, commit: str) -> dict[Check, str]:
    """What is noted of a commit, by what it is about."""
    return {one.check: one.message for one in house.found().notes if one.where == f"commit {commit[:10]}"}


def check_taken_back(house: Audited, commit: str) -> None:
    """The merge has the old key again and takes any record, and says so."""
    told = noted(house, commit)
    assert f"added {shown(OLD)}, removed {shown(NEW)}" in told[Check.KEYS_CHANGED]
    assert "audit.records from signed to any" in told[Check.POLICY_CHANGED]


def shown(signer: Signer) -> str:
    """The end of a key, as a note names it."""
    kind, key = signer.line.split()
    return f"{kind} …{key[-12:]}"


def test_a_merge_that_drops_what_the_other_side_retired_is_told(house: Audited) -> None:
    """`-s ours` where the settings changed on the branch that is merged: main stays as it was, in silence."""
    house.repo.git("checkout", "--quiet", "side")
    asks(house, STRICT)
    house.repo.git("checkout", "--quiet", "main")
    check_taken_back(house, merges(house, "side", "--strategy=ours"))


def test_a_merge_that_takes_the_old_settings_of_a_branch_is_told(house: Audited) -> None:
    """The same from the other side: main is merged into a branch of before, and that becomes main."""
    asks(house, STRICT)
    house.repo.git("checkout", "--quiet", "side")
    house.repo.commit(("README.md", "x"))
    check_taken_back(house, merges(house, "main", "--strategy=ours"))


def test_a_merge_whose_parents_are_swapped_is_told(house: Audited) -> None:
    """The first parent has the new settings, and the merge the tree of the second."""
    first = asks(house, STRICT)
    second = house.repo.git("rev-parse", "side")
    made = house.repo.commit_of(house.repo.git("rev-parse", f"{second}^{{tree}}"), first, second)
    house.repo.git("reset", "--quiet", "--hard", made)
    check_taken_back(house, made)


def test_a_merge_that_brings_a_change_as_it_was_is_not_told_again(house: Audited) -> None:
    """It is told of the commit that made it, from whichever side the merge is made."""
    house.repo.git("checkout", "--quiet", "side")
    changed = asks(house, STRICT)
    house.repo.git("checkout", "--quiet", "main")
    house.repo.commit(("README.md", "x"))
    merged = merges(house, "side")
    assert noted(house, changed).keys() == {Check.KEYS_CHANGED, Check.POLICY_CHANGED}
    assert noted(house, merged) == {}


def test_a_merge_of_two_changes_that_keeps_both_is_not_told_again(house: Audited) -> None:
    """One side changed the keys, the other the policy: the merge has a document that no side had."""
    asks(house, {"keys": [NEW.line], "records": "any"})
    house.repo.git("checkout", "--quiet", "side")
    asks(house, {"keys": [OLD.line], "records": "signed"})
    house.repo.git("merge", "--quiet", "--no-commit", "--strategy=ours", "main")
    assert noted(house, asks(house, STRICT)) == {}


def test_a_merge_that_adds_a_key_of_its_own_is_told(house: Audited) -> None:
    """No side had it."""
    asks(house, STRICT)
    house.repo.git("checkout", "--quiet", "side")
    house.repo.commit(("README.md", "x"))
    house.repo.git("merge", "--quiet", "--no-commit", "--strategy=ours", "main")
    forger = Signer()
    told = noted(house, asks(house, {**STRICT, "keys": [NEW.line, forger.line]}))
    assert told == {Check.KEYS_CHANGED: f"it changed who may sign records: added {shown(forger)}"}


def test_two_changes_of_one_setting_are_told_of_the_merge_that_takes_one(house: Audited) -> None:
    """What the other side asked for is dropped, and somebody chose so."""
    asks(house, {"keys": [OLD.line], "commits": "signed", "commitsSince": "2027-01-01"})
    house.repo.git("checkout", "--quiet", "side")
    asks(house, {"keys": [OLD.line], "commits": "signed", "commitsSince": "2028-01-01"})
    told = noted(house, merges(house, "main", "--strategy=ours"))
    dates = "from 2027-01-01 or 2028-01-01 to 2028-01-01"
    assert f"audit.commitsSince {dates}" in told[Check.POLICY_CHANGED].replace("T00:00:00Z", "")


def test_a_merge_of_a_line_of_its_own_is_told_of_what_it_drops(house: Audited) -> None:
    """Nothing is common to both: all that each asks for counts as its change."""
    house.repo.git("checkout", "--quiet", "--orphan", "alone")
    asks(house, STRICT)
    told = noted(house, merges(house, "main", "--strategy=ours", "--allow-unrelated-histories"))
    assert f"removed {shown(OLD)}" in told[Check.KEYS_CHANGED]


def test_a_workspace_in_a_hidden_folder_is_told_alike(tmp_path: Path) -> None:
    """What counts as hidden is what is hidden below its own folder of specs."""
    house = Audited(tmp_path / ".platform" / "one", f"sqlite:///{tmp_path}/live.db", top=tmp_path)
    asks(house, {"keys": [OLD.line]})
    assert noted(house, asks(house, STRICT)).keys() == {Check.KEYS_CHANGED, Check.POLICY_CHANGED}
