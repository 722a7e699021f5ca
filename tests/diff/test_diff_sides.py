"""`reconcile diff`: sides that are not there, have faults, or mean harm."""

from __future__ import annotations

import pytest

from tests.cli.kit import Shop
from tests.diff.kit import CATALOG, POLICY, Branch, rsa
from tests.git.kit import Repo

BROKEN = "apiVersion: reconciler/v1\nkind: RSAToken\nmetadata: {name: two}\nspec: {apis: [a], projects: p}\n"
CANARY = "hunter2hunter2"


def test_a_side_with_faults_tells_every_one_and_of_which_commit(branch: Branch) -> None:
    base = branch.commit(one=rsa("one"), two=BROKEN)
    head = branch.commit(one="kind: x\n", two=BROKEN)
    for arguments in ((f"{base}..{head}",), ()):
        ran = branch.run("diff", *arguments)
        assert (ran.code, ran.out) == (1, "")
        assert f"{head[:7]}:specs/one.yaml:1:7: " in ran.err
        assert f"{head[:7]}:specs/two.yaml:4:29: " in ran.err
        assert "[specs-invalid, exit 1]" in ran.err
    ran = branch.run("diff", f"{base}..{head}")
    assert f"{base[:7]}:specs/two.yaml:4:29: projects " in ran.err
    assert (
        f"error: what is to be compared has 3 faults, the first at {base[:7]}:specs/two.yaml:4:29" in ran.err
    )
    branch.shop.spec(rsa("one"), "one.yaml")
    assert "\nspecs/two.yaml:4:29: " in branch.run("diff").err


HERE = "hint:  correct the specs that are here"
THERE = "a commit with faults (COMMIT:FILE) stays as it is: name another"


def test_what_to_do_is_said_of_the_sides_that_have_faults_and_of_no_other(branch: Branch) -> None:
    good = branch.commit(one=rsa("one"))
    bad = branch.commit(one=BROKEN)
    for arguments, hint in (
        ((good,), HERE),
        ((f"{good}..{bad}",), f"hint:  {THERE}"),
        ((bad,), f"{HERE}; {THERE}"),
    ):
        assert f"{hint}  [specs-invalid, exit 1]" in branch.run("diff", *arguments).err


def test_the_first_specs_are_all_new(branch: Branch) -> None:
    branch.shop.spec(rsa("one"), "one.yaml")
    ran = branch.shop.ok("diff", "--format", "json")
    assert ran.err == "note: there is no commit yet: everything is new\n"
    assert (ran.json["base"], ran.json["head"]) == (None, None)
    assert [one["action"] for one in ran.json["changes"]] == ["issue"]
    (branch.shop.root / "specs/one.yaml").unlink()
    (branch.shop.root / "specs").rmdir()
    before = branch.repo.commit()
    branch.shop.spec(rsa("one"), "one.yaml")
    ran = branch.shop.ok("diff", "main")
    assert ran.err == f"note: {before[:7]} has no specs/ here: everything is new\n"
    assert "+ issue  " in ran.out


def test_specs_that_are_gone_are_a_fault_and_no_deletion(branch: Branch) -> None:
    """Somebody who moves the folder away deletes nothing by it."""
    branch.commit(one=rsa("one"))
    (branch.shop.root / "specs").rename(branch.shop.root / "moved")
    head = branch.repo.commit()
    ran = branch.run("diff", "HEAD~1..HEAD")
    assert (ran.code, ran.out) == (1, "")
    assert f"{head[:7]}:specs:1:1: there is no such folder" in ran.err
    assert branch.run("diff").code == 1


def test_a_folder_that_is_in_no_repository_is_an_error(shop: Shop) -> None:
    shop.spec(rsa("one"))
    ran = shop.run("diff")
    assert ran.code == 1
    assert "is in no git repository" in ran.err
    assert "[git-failed, exit 1]" in ran.err


def test_a_name_that_is_no_commit_is_an_error(branch: Branch) -> None:
    branch.commit(one=rsa("one"))
    for name in ("nope", "main..nope", "nope...main"):
        ran = branch.run("diff", name)
        assert (ran.code, ran.out) == (1, "")
        assert "'nope' names no commit" in ran.err
    assert branch.run("diff", "main", "main").code == 64
    assert branch.run("diff", "-x").code == 64
    assert "'-x' names no commit" in branch.run("diff", "--", "-x").err


def test_a_shallow_clone_says_what_to_fetch(
    branch: Branch, monkeypatch: pytest.MonkeyPatch, shop: Shop
) -> None:
    branch.commit(one=rsa("one"))
    branch.repo.git("checkout", "--quiet", "-b", "side")
    branch.commit(two=rsa("two"))
    branch.commit(three=rsa("three"))
    branch.repo.git("checkout", "--quiet", "main")
    branch.commit(four=rsa("four"))
    root = shop.root.parent / "clone"
    clone = branch.repo.clone(root, "--depth", "1", "--no-single-branch", "--branch", "side")
    monkeypatch.chdir(root)
    ran = shop.run("diff", "origin/main")
    assert ran.code == 1
    assert "which is shallow" in ran.err
    assert "git fetch --unshallow" in ran.err
    clone.git("fetch", "--quiet", "--unshallow")
    assert "two" in shop.ok("diff", "origin/main").out


def test_a_worktree_is_compared_with_its_own_branch(
    branch: Branch, monkeypatch: pytest.MonkeyPatch, shop: Shop
) -> None:
    branch.commit(one=rsa("one"))
    branch.repo.git("worktree", "add", "--quiet", "-b", "side", str(shop.root.parent / "tree"))
    side = Repo(shop.root.parent / "tree")
    side.write("specs/two.yaml", rsa("two"))
    monkeypatch.chdir(side.root)
    assert branch.actions("main") == [("issue", "two")]


def test_a_hook_of_git_compares_the_workspace_it_runs_in(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch.commit(one=rsa("one"))
    branch.shop.spec(rsa("two"), "two.yaml")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere")
    assert branch.actions() == [("issue", "two")]


def test_text_from_specs_and_git_moves_no_terminal(branch: Branch) -> None:
    branch.commit(one=rsa("one"), p=POLICY, catalog=CATALOG)
    hidden = POLICY.replace("device.admin", "device\u202eadmin")
    branch.shop.spec(hidden, "p.yaml")
    branch.write(".sops.yaml", 'creation_rules: [{path_regex: "a\\e[31m\\nb", age: x}]\n')
    for form in ("text", "json"):
        ran = branch.shop.ok("diff", "--format", form)
        assert "\x1b" not in ran.out + ran.err
        assert "\x07" not in ran.out + ran.err
    ran = branch.shop.ok("diff")
    assert "device\ufffdadmin" in ran.out
    assert "\ufffd[31m b" in ran.out
    assert not [line for line in ran.out.splitlines() if line.startswith("b")]


def test_no_secret_that_stands_in_specs_is_repeated(branch: Branch) -> None:
    auth = "apiVersion: reconciler/v1\nkind: TokenAuth\nmetadata: {name: a}\nspec: {name: A, initpwd: %s}\n"
    branch.commit(one=auth % "env://NAME")
    branch.commit(one=auth % CANARY)
    ran = branch.run("diff", "HEAD~1..HEAD")
    assert ran.code == 1
    assert CANARY not in ran.out + ran.err


def test_there_is_help_and_it_is_listed(shop: Shop) -> None:
    assert "A..B" in shop.ok("diff", "--help").out
    assert "diff" in shop.ok("--help").out


def test_what_was_read_before_saves_time_and_changes_nothing(branch: Branch) -> None:
    """A commit is looked up in the memo of the checkout, and does not take its place."""
    for number in range(250):
        branch.shop.spec(rsa(f"t{number}"), f"many/t{number}.yaml")
    branch.commit()
    branch.shop.spec(rsa("t7", "device.list"), "many/t7.yaml")
    branch.commit()
    branch.shop.ok("validate")
    (memo,) = (branch.shop.root / ".reconciler/cache").iterdir()
    kept = memo.read_bytes()
    assert branch.actions("HEAD~1..HEAD") == [("modify", "t7")]
    assert memo.read_bytes() == kept
    branch.shop.spec(rsa("t8", "device.list"), "many/t8.yaml")
    assert branch.actions() == [("modify", "t8")]
    assert branch.actions("HEAD~1") == [("modify", "t7"), ("modify", "t8")]
    assert branch.actions("HEAD~1..") == [("modify", "t7")]
