"""Contents of a commit: whole or an error, never less than there is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import GitFailed
from reconciler.git.contents import Contents
from tests.git.kit import Repo


@pytest.fixture
def contents(repo: Repo) -> Iterator[Contents]:
    found = Contents(repo.opened().git)
    yield found
    found.close()


def test_every_byte_comes_back(repo: Repo, contents: Contents) -> None:
    for data in (b"", b"\n", b"a", b"a\n", bytes(range(256)) * 9, b"x" * 3_000_000, b"\r\n" * 7):
        blob = repo.blob(data)
        assert contents.read(blob) == data
        assert contents.read(blob, 5) == data[:5]
        assert contents.read(blob, 0) == b""


def test_a_content_that_is_not_there_is_an_error_and_the_next_one_is_read(
    repo: Repo, contents: Contents
) -> None:
    blob = repo.blob(b"here")
    with pytest.raises(GitFailed, match="f" * 40):
        contents.read("f" * 40)
    assert contents.read(blob) == b"here"


@pytest.mark.parametrize("harm", ["gone", "truncated", "garbage"])
def test_a_damaged_content_is_an_error(harm: str, repo: Repo, contents: Contents) -> None:
    blob = repo.blob(os.urandom(100_000))
    file = repo.root / ".git" / "objects" / blob[:2] / blob[2:]
    file.chmod(0o600)
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(b"garbage" if harm == "garbage" else file.read_bytes()[:50_000])
    with pytest.raises(GitFailed, match="does not give the content"):
        contents.read(blob)
    assert contents.read(repo.blob(b"other")) == b"other"


def test_git_that_dies_is_an_error_and_is_started_anew(repo: Repo, contents: Contents) -> None:
    blob = repo.blob(b"x" * 100)
    contents.read(blob)
    process = contents._process
    assert process is not None
    process.kill()
    process.wait()
    with pytest.raises(GitFailed):
        contents.read(blob)
    assert contents.read(blob) == b"x" * 100


def test_a_process_that_is_forked_has_a_reader_of_its_own(repo: Repo, contents: Contents) -> None:
    """Two that read from one pipe would get each other's answers."""
    blobs = [repo.blob(f"{number}".encode() * 9000) for number in range(50)]
    contents.read(blobs[0])
    pid = os.fork()
    if pid == 0:
        right = all(contents.read(blob)[:1] == f"{n}".encode()[:1] for n, blob in enumerate(blobs))
        contents.close()
        os._exit(0 if right else 1)
    for number, blob in enumerate(blobs):
        assert contents.read(blob) == f"{number}".encode() * 9000
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_closing_ends_the_process_and_closing_twice_is_fine(repo: Repo) -> None:
    contents = Contents(repo.opened().git)
    contents.read(repo.blob(b"x"))
    process = contents._process
    assert process is not None
    contents.close()
    contents.close()
    assert process.poll() is not None


def test_a_partial_clone_fetches_what_it_lacks(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit(("specs/a", "one"), ("specs/b", "two"))
    clone = repo.clone(tmp_path / "clone", "--filter=blob:none", "--no-checkout")
    opened = clone.opened()
    contents = Contents(opened.git)
    assert [contents.read(blob.id) for blob in opened.blobs(commit, "specs")] == [b"one", b"two"]
    contents.close()


def test_a_partial_clone_whose_remote_is_gone_is_an_error(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit(("specs/a", "one"))
    clone = repo.clone(tmp_path / "clone", "--filter=blob:none", "--no-checkout")
    repo.root.rename(tmp_path / "away")
    opened = clone.opened()
    contents = Contents(opened.git)
    (blob,) = opened.blobs(commit, "specs")
    start = time.monotonic()
    with pytest.raises(GitFailed, match="does not give the content"):
        contents.read(blob.id)
    assert time.monotonic() - start < 60
    contents.close()


def test_a_tree_that_is_not_there_is_an_error_and_not_an_empty_folder(repo: Repo) -> None:
    """An incomplete read never means that nothing exists."""
    commit = repo.commit(("specs/deep/a", "one"))
    tree = repo.git("rev-parse", "HEAD:specs/deep")
    (repo.root / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(GitFailed):
        list(repo.opened().blobs(commit, "specs"))
