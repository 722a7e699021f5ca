"""Which commit a name stands for: whoever may push a branch or a tag chooses nothing by it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.errors import GitFailed
from reconciler.git.repository import repository
from reconciler.git.running import Git, last_line
from tests.git.kit import ENVIRON, Repo, made


def test_every_way_to_name_a_commit_gives_its_whole_id(repo: Repo) -> None:
    first, second = repo.commit(("a", "1")), repo.commit(("a", "2"))
    repo.git("tag", "--annotate", "v1", "--message", "x", first)
    opened = repo.opened()
    for name in ("HEAD", "@", "main", "refs/heads/main", "heads/main", second, second[:9], "main^0", "@{0}"):
        assert opened.commit(name) == second, name
    for name in ("v1", "tags/v1", "HEAD~1", "main^", "main~1", "v1^{commit}"):
        assert opened.commit(name) == first, name
    assert opened.head() == second


@pytest.mark.parametrize(
    "name",
    ["nope", "", "-x", "--help", "--all", "HEAD:a", "HEAD^{tree}", ":a", "main..HEAD", "^main", "f" * 40,
     "a b", "*", "a\nb", "\udcff", "refs/heads/*", "main@{9999}"],
)  # fmt: skip
def test_what_names_no_commit_is_an_error_with_a_remedy(name: str, repo: Repo) -> None:
    """Options, files called like revisions, trees, patterns and half bytes among it."""
    repo.commit(("a", "1"), ("nope", "a file of that name"))
    with pytest.raises(GitFailed) as failed:
        repo.opened().commit(name)
    assert failed.value.hint


def test_a_branch_called_like_an_option_is_a_branch(repo: Repo) -> None:
    first = repo.commit(("a", "1"))
    repo.git("update-ref", "refs/heads/-x", first)
    repo.commit(("a", "2"))
    assert repo.opened().commit("-x") == first


def test_a_whole_id_is_that_commit_whatever_branch_is_called_so(repo: Repo) -> None:
    first, second = repo.commit(("a", "1")), repo.commit(("a", "2"))
    repo.git("update-ref", f"refs/heads/{first}", second)
    repo.git("update-ref", f"refs/tags/{first}", second)
    assert repo.opened().commit(first) == first


def test_a_branch_called_like_the_start_of_an_id_is_told_and_not_taken(repo: Repo) -> None:
    """Git itself takes the branch."""
    first, second = repo.commit(("a", "1")), repo.commit(("a", "2"))
    repo.git("update-ref", f"refs/heads/{first[:9]}", second)
    assert repo.git("rev-parse", first[:9]) == second
    with pytest.raises(GitFailed, match="more than one thing") as failed:
        repo.opened().commit(first[:9])
    assert first in str(failed.value)
    assert repo.opened().commit(f"refs/heads/{first[:9]}") == second
    repo.git("update-ref", "refs/heads/deadbeef", second)
    assert repo.opened().commit("deadbeef") == second


@pytest.mark.parametrize("name", ["main", "origin/main", "main~0", "heads/main"])
def test_a_tag_called_like_a_branch_is_told_and_not_taken(name: str, repo: Repo) -> None:
    """Git takes the tag, and whoever may push tags would choose the base."""
    first, second = repo.commit(("a", "1")), repo.commit(("a", "2"))
    repo.git("update-ref", "refs/remotes/origin/main", second)
    plain = name.partition("~")[0]
    assert repo.opened().commit(name) == second
    repo.git("update-ref", f"refs/tags/{plain}", first)
    with pytest.raises(GitFailed, match=f"refs/tags/{plain}"):
        repo.opened().commit(name)
    repo.git("update-ref", f"refs/tags/{plain}", second)
    assert repo.opened().commit(name) == second


def test_a_tag_under_the_whole_name_of_a_branch_changes_nothing(repo: Repo) -> None:
    first, second = repo.commit(("a", "1")), repo.commit(("a", "2"))
    repo.git("update-ref", "refs/tags/refs/heads/main", first)
    repo.git("update-ref", "refs/heads/HEAD", first)
    assert repo.opened().commit("refs/heads/main") == second
    assert repo.opened().commit("HEAD") == second


def test_a_replacement_stands_in_for_nothing(repo: Repo) -> None:
    first, second = repo.commit(("a", "loose")), repo.commit(("a", "tight"))
    repo.git("replace", second, first)
    opened = repo.opened()
    (blob,) = opened.blobs(second)
    assert blob.id == repo.git("hash-object", "a")
    repo.git("replace", blob.id, repo.blob(b"loose"))
    from reconciler.git.contents import Contents

    contents = Contents(opened.git)
    assert contents.read(blob.id) == b"tight"
    contents.close()


def test_a_graft_moves_no_merge_base(repo: Repo) -> None:
    first = repo.commit(("a", "1"))
    second = repo.commit(("a", "2"))
    repo.git("checkout", "--quiet", "-b", "side", first)
    side = repo.commit(("b", "1"))
    repo.git("checkout", "--quiet", "main")
    repo.write(".git/info/grafts", f"{side} {second}\n")
    assert repo.opened().parted("refs/heads/main", side) == first


def test_what_the_environment_says_leads_to_no_other_repository(repo: Repo, tmp_path: Path) -> None:
    """Hooks of git set GIT_DIR and GIT_INDEX_FILE."""
    own = repo.commit(("a", "1"))
    other = made(tmp_path / "other")
    theirs = other.commit(("b", "1"))
    environ = {
        **ENVIRON,
        "GIT_DIR": str(other.root / ".git"),
        "GIT_WORK_TREE": str(other.root),
        "GIT_OBJECT_DIRECTORY": str(other.root / ".git" / "objects"),
        "GIT_INDEX_FILE": "/nowhere",
        "GIT_NAMESPACE": "x",
    }
    opened = repository(repo.root, environ)
    assert opened.head() == own
    assert [blob.path for blob in opened.blobs(own)] == ["a"]
    with pytest.raises(GitFailed):
        opened.commit(theirs)


def test_a_workspace_outside_of_any_repository_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GitFailed, match="is in no git repository"):
        repository(tmp_path, ENVIRON)


def test_a_git_folder_that_is_none_does_not_lead_to_the_repository_above(repo: Repo) -> None:
    """Git would go on looking, and answer for another folder."""
    repo.commit(("inner/specs/a.yaml", "x"))
    (repo.root / "inner" / ".git").mkdir()
    with pytest.raises(GitFailed, match="is no git repository"):
        repo.opened("inner")


def test_a_repository_of_another_user_is_told_with_git_s_words(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that runs as another user than the checkout's."""
    repo.commit(("a", "1"))
    environ = {**ENVIRON, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    with pytest.raises(GitFailed, match="dubious ownership"):
        repository(repo.root, environ)


def test_a_worktree_is_read_by_its_own_head(repo: Repo, tmp_path: Path) -> None:
    """`.git` is a file there."""
    first = repo.commit(("a", "1"))
    repo.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "tree"))
    side = Repo(tmp_path / "tree")
    second = side.commit(("a", "2"))
    assert (side.root / ".git").is_file()
    assert (repo.opened().head(), side.opened().head()) == (first, second)
    assert side.opened().commit("main") == first


def test_a_workspace_in_a_subfolder_sees_its_own_files(repo: Repo) -> None:
    commit = repo.commit(("one/specs/a.yaml", "x"), ("one-more/specs/b.yaml", "y"), ("specs/c.yaml", "z"))
    for folder, file in (
        ("one", "one/specs/a.yaml"),
        ("one-more", "one-more/specs/b.yaml"),
        ("", "specs/c.yaml"),
    ):
        found = [blob.path for blob in repo.opened(folder).blobs(commit, "specs")]
        assert found == [file]


@pytest.mark.parametrize("name", [":(top)x", "*", "[a]", "a b", "-x", "名", ":x", "\\x", '"x"'])
def test_a_folder_called_like_a_pattern_is_that_folder(name: str, repo: Repo) -> None:
    commit = repo.commit((f"{name}/specs/a.yaml", "x"), ("a/specs/b.yaml", "y"), ("top/specs/c.yaml", "y"))
    found = [blob.path for blob in repo.opened(name).blobs(commit, "specs")]
    assert found == [f"{name}/specs/a.yaml"]


def test_a_repository_of_sha256_is_read_like_any_other(tmp_path: Path) -> None:
    repo = made(tmp_path / "long", "--object-format=sha256")
    first, second = repo.commit(("specs/a", "1")), repo.commit(("specs/a", "2"))
    opened = repo.opened()
    assert len(second) == 64
    assert opened.commit("main~1") == opened.commit(first) == first
    assert opened.parted(first, second) == first
    repo.git("update-ref", f"refs/heads/{first}", second)
    assert opened.commit(first) == first
    assert [blob.path for blob in opened.blobs(second, "specs")] == ["specs/a"]


def test_git_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GitFailed, match="cannot be started"):
        Git(tmp_path, {"PATH": str(tmp_path)}).run("version")


def test_of_all_that_git_says_the_error_is_told() -> None:
    said = "warning: x\nfatal: detected dubious ownership\nTo add an exception, call:\n\n\tgit config\n"
    assert last_line(said) == "fatal: detected dubious ownership"
    assert last_line("one\ntwo\n\n") == "two"
    assert last_line("") == ""


def test_nothing_that_opens_artifacts_or_the_store_is_in_the_environment_of_git() -> None:
    signs = {"BAO_TOKEN": "x", "VAULT_TOKEN": "y", "RECONCILER_RECORD_KEY": "z"}
    seen = Git(Path(), {"SOPS_AGE_KEY": "x", "PGPASSWORD": "y", "PATH": "/bin", **signs}).environment()
    assert not {"SOPS_AGE_KEY", "PGPASSWORD", *signs} & seen.keys()
    assert seen["GIT_TERMINAL_PROMPT"] == "0"
    assert seen["GIT_GRAFT_FILE"] == os.devnull
