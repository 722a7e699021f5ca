"""A commit and its clean checkout declare the same, or have the same faults: whatever it holds."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import GitFailed
from reconciler.specs.faults import Fault
from reconciler.specs.files import Folder
from reconciler.specs.load import Specs, examine, load
from reconciler.specs.revision import Revision
from tests.git.kit import Repo, made
from tests.specs.samples import FULL, text_of

CATALOG = """\
apiVersion: reconciler/v1
kind: Catalog
metadata: {name: %s}
spec: {apis: ["*", device.read, {name: "@all", members: [%s]}]}
"""
WORKSPACE = """\
apiVersion: reconciler/v1
kind: Workspace
metadata: {name: %s}
spec: {brakes: {delete: {count: 3}}}
"""


def read(repo: Repo, commit: str, folder: str = "") -> tuple[Specs | None, list[Fault]]:
    """What a commit declares."""
    tree = Revision(repo.opened(folder), commit)
    try:
        return examine(tree)
    finally:
        tree.close()


def faults(repo: Repo, commit: str) -> list[tuple[str, str]]:
    """Where the faults of a commit are, and how each begins."""
    specs, found = read(repo, commit)
    assert (specs is None) == bool(found)
    return [(fault.file, fault.message.partition(",")[0].partition(":")[0]) for fault in found]


def same(repo: Repo, commit: str, checkout: Path) -> None:
    """That the commit is read as its checkout is."""
    specs, found = read(repo, commit)
    folder, told = examine(Folder(checkout))
    assert [replace(one, hint="") for one in found] == [replace(one, hint="") for one in told]
    assert (specs and specs.digest) == (folder and folder.digest)
    if specs is not None and folder is not None:
        assert list(specs.tokens) == list(folder.tokens)


NAMES = st.sampled_from(
    ["a", "b", "c.yaml", "d.yml", "E.YAML", "f.yaml.txt", ".hidden", ".h.yaml", "名.yaml", "x y.yaml",
     "z\x01.yaml", "z\x01", "l\nl.yaml", "é", "-x.yaml", "b.yaml", ":(top).yaml", "a*.yaml"]
)  # fmt: skip
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TEXTS = st.sampled_from(
    [
        *(text_of("RSAToken", name) for name in ("one", "two")),
        text_of("TokenAuth", "one"),
        *FULL.values(),
        CATALOG % ("x", "device.read"),
        CATALOG % ("y", "nothing"),
        WORKSPACE % "acme",
        WORKSPACE % "beta",
        "kind: [",
        "",
        "---\n",
        "\ufeff" + text_of("RSAToken", "three"),
        text_of("RSAToken", "four").replace("\n", "\r\n"),
        text_of("JWTToken", "five") + "---\n" + text_of("JWTToken", "six"),
    ]
)
LINKS = st.sampled_from(
    ["c.yaml", "a", "..", ".", "../specs", "../a", "../../specs/b", "nowhere", "/etc/passwd", "../../..",
     "a/c.yaml", "../specs/../specs/a", "l", "../.sops.yaml", "../README", "./a/../b", "a/", ".hidden",
     "x/../c.yaml"]
)  # fmt: skip
ENTRIES = st.one_of(TEXTS.map(lambda text: ("text", text)), LINKS.map(lambda leads: ("link", leads)))


def lay(root: Path, entries: dict[str, tuple[str, str]]) -> None:
    """Files and links below `specs/`, as far as they do not stand in each other's way."""
    for name, (what, value) in entries.items():
        path = root / "specs" / name
        if os.path.lexists(path) or any(above.is_file() or above.is_symlink() for above in path.parents):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if what == "link":
            path.symlink_to(value)
        else:
            path.write_bytes(value.encode())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(PATHS, ENTRIES, max_size=8))
def test_a_commit_is_read_as_its_clean_checkout(entries: dict[str, tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        repo = made(Path(folder) / "repo")
        repo.write("README", "x")
        lay(repo.root, entries)
        commit = repo.commit()
        repo.git("worktree", "add", "--quiet", "--detach", str(Path(folder) / "clean"), commit)
        same(repo, commit, Path(folder) / "clean")


def test_ten_thousand_files_are_read_by_all_cores_and_mean_the_same(repo: Repo) -> None:
    for number in range(10_000):
        repo.write(f"specs/{number % 97}/t{number}.yaml", text_of("RSAToken", f"t{number}"))
    commit = repo.commit()
    same(repo, commit, repo.root)
    specs, _ = read(repo, commit)
    assert specs is not None
    assert len(specs.tokens) == 10_000


def test_moving_a_file_changes_no_digest(repo: Repo) -> None:
    first = repo.commit(
        ("specs/a.yaml", text_of("RSAToken")), ("specs/b.yaml", CATALOG % ("x", "device.read"))
    )
    (repo.root / "specs/deep").mkdir()
    (repo.root / "specs/a.yaml").rename(repo.root / "specs/deep/z.yml")
    second = repo.commit()
    digests = {found.digest for found in (read(repo, one)[0] for one in (first, second)) if found}
    assert len(digests) == 1


def test_a_workspace_in_a_subfolder_declares_what_is_below_it(repo: Repo) -> None:
    commit = repo.commit(
        ("specs/top.yaml", text_of("RSAToken", "top")),
        ("a/specs/a.yaml", text_of("RSAToken", "a")),
        ("a/b/specs/b.yaml", text_of("RSAToken", "b")),
        ("a-more/specs/c.yaml", text_of("RSAToken", "c")),
    )
    for folder, name in (("", "top"), ("a", "a"), ("a/b", "b")):
        specs, _ = read(repo, commit, folder)
        assert specs is not None
        assert [token.name for token in specs.tokens] == [name]
        assert specs.tokens[0].file == f"specs/{name}.yaml"


@pytest.mark.parametrize("leads", ["other", ".", "../elsewhere", "/etc"])
def test_specs_that_are_a_link_are_a_fault(leads: str, repo: Repo) -> None:
    repo.write("other/a.yaml", text_of("RSAToken"))
    (repo.root / "specs").symlink_to(leads)
    commit = repo.commit()
    assert faults(repo, commit) == [("specs", "the spec folder is a link")]
    same(repo, commit, repo.root)


def test_specs_that_are_a_file_or_nothing_are_a_fault(repo: Repo) -> None:
    for commit in (repo.commit(("specs", "x")), repo.commit_of(repo.tree())):
        assert faults(repo, commit) == [("specs", "there is no such folder")]


def test_a_submodule_is_a_fault_and_not_an_empty_folder(repo: Repo) -> None:
    """What it holds is in no commit of this repository: nobody has reviewed it here."""
    repo.write("specs/a.yaml", text_of("RSAToken"))
    repo.git("add", ".")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},specs/more")
    repo.git("commit", "--quiet", "-m", "x")
    assert faults(repo, repo.git("rev-parse", "HEAD")) == [
        ("specs/more", "this is a repository of its own"),
    ]
    whole = repo.commit_of(repo.tree(("160000", "commit", "a" * 40, "specs")))
    assert faults(repo, whole) == [("specs", "this is a repository of its own")]


def test_a_submodule_that_is_checked_out_is_a_fault_of_the_folder_as_well(repo: Repo, tmp_path: Path) -> None:
    inner = made(tmp_path / "inner")
    inner.commit(("x.yaml", text_of("RSAToken", "sneaked")))
    repo.write("specs/a.yaml", text_of("RSAToken"))
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.root), "specs/more")
    commit = repo.commit()
    assert (repo.root / "specs/more/x.yaml").exists()
    assert faults(repo, commit) == [("specs/more", "this is a repository of its own")]
    same(repo, commit, repo.root)


def test_a_link_out_of_the_workspace_and_back_counts_as_leading_out(repo: Repo) -> None:
    """Where a clone lies is not for a commit to know."""
    repo.write("specs/a.yaml", text_of("RSAToken"))
    (repo.root / "specs/l.yaml").symlink_to(f"../../{repo.root.name}/specs/a.yaml")
    assert faults(repo, repo.commit()) == [("specs/l.yaml", "this link leads out of the spec folder")]


def test_links_in_a_circle_and_in_a_long_row_are_faults(repo: Repo) -> None:
    repo.write("specs/a.yaml", text_of("RSAToken"))
    for name, leads in (("one", "two"), ("two", "one"), ("self", "self"), ("deep", "deep/deep")):
        (repo.root / "specs" / name).symlink_to(leads)
    commit = repo.commit()
    assert [file for file, _ in faults(repo, commit)] == [
        "specs/deep",
        "specs/one",
        "specs/self",
        "specs/two",
    ]
    same(repo, commit, repo.root)


@pytest.mark.parametrize(
    "attributes", ["* text eol=crlf", "* -text", "* text=auto", "*.yaml ident export-ignore"]
)
def test_ends_of_lines_and_attributes_change_no_meaning(attributes: str, repo: Repo, tmp_path: Path) -> None:
    """The content that git has counts; a checkout with other ends of lines means the same."""
    commit = repo.commit(
        (".gitattributes", attributes),
        ("specs/a.yaml", FULL["RSAToken"]),
        ("specs/b.yaml", FULL["TokenAuth"]),
    )
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "clean"), commit)
    crlf = b"\r\n" in (tmp_path / "clean/specs/a.yaml").read_bytes()
    assert crlf == ("crlf" in attributes)
    same(repo, commit, tmp_path / "clean")


def test_a_filter_shows_in_the_checkout_and_changes_nothing_of_the_commit(repo: Repo) -> None:
    """As git-lfs: what was reviewed is a pointer, and what is checked out is something else."""
    pointer = "version https://git-lfs.example/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
    repo.write("hidden.yaml", text_of("RSAToken", "sneaked"))
    repo.git("config", "filter.other.smudge", f"cat '{repo.root}/hidden.yaml'")
    repo.git("config", "filter.other.clean", "cat")
    commit = repo.commit((".gitattributes", "specs/* filter=other"), ("specs/a.yaml", pointer))
    (repo.root / "specs/a.yaml").unlink()
    repo.git("checkout", "--quiet", "--", "specs/a.yaml")
    assert [token.name for token in load(repo.root).tokens] == ["sneaked"]
    assert [file for file, _ in faults(repo, commit)] == ["specs/a.yaml"]


def test_a_tree_that_git_would_not_make_is_a_fault_or_an_error(repo: Repo) -> None:
    """Names twice, names that lead up, folders that are files: nothing of it is read as something else."""
    good, bad = repo.blob(text_of("RSAToken").encode()), repo.blob(text_of("RSAToken", "y").encode())
    twice = repo.tree(("100644", "blob", good, "a.yaml"), ("100644", "blob", bad, "a.yaml"))
    assert ("specs/a.yaml", "the commit has this name twice") in faults(
        repo, repo.commit_of(repo.tree(("040000", "tree", twice, "specs")))
    )
    both = repo.tree(("100644", "blob", good, "specs"), ("040000", "tree", twice, "specs"))
    assert ("specs", "there is no such folder") in faults(repo, repo.commit_of(both))
    one = repo.tree(("100644", "blob", bad, "b.yaml"))
    up = repo.tree(("100644", "blob", good, "a.yaml"), ("040000", "tree", one, ".."))
    specs, _ = read(repo, repo.commit_of(repo.tree(("040000", "tree", up, "specs"))))
    assert specs is not None
    assert [token.file for token in specs.tokens] == ["specs/a.yaml"]


def test_a_content_that_is_missing_is_an_error_and_no_fault_of_the_specs(repo: Repo) -> None:
    commit = repo.commit(("specs/a.yaml", text_of("RSAToken")))
    blob = repo.git("rev-parse", "HEAD:specs/a.yaml")
    (repo.root / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitFailed, match=blob):
        read(repo, commit)


def test_a_content_larger_than_a_spec_file_may_be_is_a_fault(repo: Repo) -> None:
    commit = repo.commit(("specs/a.yaml", "# " + "x" * (3 << 20)))
    assert faults(repo, commit) == [("specs/a.yaml", "this file is larger than 1 MiB")]


def test_a_partial_and_a_bare_looking_clone_are_read(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit(("specs/a.yaml", text_of("RSAToken")))
    partial = repo.clone(tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    specs, _ = read(partial, commit)
    assert specs is not None
    sparse = repo.clone(tmp_path / "sparse", "--sparse")
    assert not (sparse.root / "specs").exists()
    assert (found := read(sparse, commit)[0]) is not None
    assert found.digest == specs.digest
    shutil.rmtree(repo.root)
    assert read(sparse, commit)[0] is not None


def test_a_partial_clone_asks_its_remote_once_for_all_specs_of_a_commit(repo: Repo, tmp_path: Path) -> None:
    """And not at all for what it has by then, or for what is no spec."""
    repo.write("large.bin", "x" * 1000)
    token = "apiVersion: reconciler/v1\nkind: TokenAuth\nmetadata: {name: %s}\nspec: {name: %s}\n"
    specs = [(f"specs/{name}.yaml", token % (name, name)) for name in ("a", "b", "c")]
    commit = repo.commit(*specs)
    partial = repo.clone(tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    asked = tmp_path / "asked"
    serve = tmp_path / "serve"
    serve.write_text(f'#!/bin/sh\necho asked >>{asked}\nexec git upload-pack "$@"\n')
    serve.chmod(0o755)
    partial.git("config", "remote.origin.uploadpack", str(serve))
    for _ in range(2):
        found, wrong = read(partial, commit)
        assert (wrong, found and len(found.tokens)) == ([], len(specs))
        assert asked.read_text() == "asked\n"
    objects = partial.git("rev-list", "--objects", "--no-walk", "--missing=print", commit)
    assert [line for line in objects.splitlines() if line.startswith("?")] == [
        f"?{repo.git('rev-parse', f'{commit}:large.bin')}"
    ]


def test_a_repository_of_sha256_declares_the_same(tmp_path: Path) -> None:
    repo = made(tmp_path / "long", "--object-format=sha256")
    commit = repo.commit(("specs/a.yaml", text_of("RSAToken")))
    same(repo, commit, repo.root)
