"""Commits that are not well signed are found, by git's own word; what the policy leaves out is told."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from reconciler.audit.verifying.finding import Check
from reconciler.times import seconds_of
from tests.apply.kit import jwt_token
from tests.audit.audited import Audited, told
from tests.git.kit import ENVIRON


class Key:
    """An SSH key, made anew."""

    def __init__(self, folder: Path, name: str) -> None:
        self.file = folder / name
        quiet = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.file)]
        subprocess.run(quiet, check=True)

    @property
    def line(self) -> str:
        """The public half."""
        return self.file.with_suffix(".pub").read_text().strip()


@pytest.fixture
def key(tmp_path: Path) -> Key:
    """Of those who may sign."""
    return Key(tmp_path, "trusted")


@pytest.fixture
def house(tmp_path: Path, key: Key) -> Audited:
    """A workspace whose commits are signed."""
    root = tmp_path / "house"
    made = Audited(root, f"sqlite:///{root}/.reconciler/live.db")
    made.settings = {"audit": {"commits": "signed"}}
    signs(made, key)
    made.asks(jwt_token("one"))
    made.applies()
    return made


@pytest.fixture
def signers(tmp_path: Path, key: Key) -> str:
    """The file that git holds SSH signatures against."""
    file = tmp_path / "signers"
    file.write_text(f"kim@example.org {key.line}\n")
    return str(file)


def signs(house: Audited, key: Key | None) -> None:
    """From now on, commits are signed by a key, or not at all."""
    house.repo.git("config", "commit.gpgSign", "false" if key is None else "true")
    house.repo.git("config", "gpg.format", "ssh")
    if key is not None:
        house.repo.git("config", "user.signingKey", str(key.file))


def test_well_signed_commits_are_counted_and_nothing_is_found(house: Audited, signers: str) -> None:
    """The policy stands in the Workspace document."""
    report = house.found(signers=signers)
    assert report.faults == []
    assert report.checked["signatures of commits"] == "2 commits"


def gpg(home: str, *arguments: str, given: bytes | None = None) -> bytes:
    """What gpg prints that keeps its keys in a folder."""
    command = ["gpg", "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback", *arguments]
    environ = {"PATH": os.environ["PATH"], "GNUPGHOME": home}
    return subprocess.run(
        command, env=environ, input=given, check=True, capture_output=True, timeout=60
    ).stdout


@pytest.fixture
def keyrings() -> Iterator[tuple[str, str, str]]:
    """GNUPGHOME of one who signs commits, of one who has that key and does not trust it, and one without.

    Short paths: the agent's socket stands there. A newcomer's machine may lack gpg; CI installs it.
    """
    if shutil.which("gpg") is None and not os.environ.get("CI"):
        pytest.skip("gpg is not installed here")
    with TemporaryDirectory(prefix="gpg", dir="/tmp", ignore_cleanup_errors=True) as top:
        own, other, empty = (f"{top}/{name}" for name in ("own", "other", "empty"))
        for home in (own, other, empty):
            Path(home).mkdir(mode=0o700)
        gpg(own, "--quick-generate-key", "kim <kim@example.org>", "ed25519", "sign", "never")
        gpg(other, "--import", given=gpg(own, "--export"))
        yield own, other, empty
        for home in (own, other, empty):
            environ = {"PATH": os.environ["PATH"], "GNUPGHOME": home}
            subprocess.run(["gpgconf", "--kill", "all"], env=environ, check=False, timeout=60)


def test_commits_that_gpg_signed_are_taken_by_the_word_of_the_keyring(
    tmp_path: Path, keyrings: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is found where its key is trusted; a key that is not, or is not there, is told as that."""
    own, other, empty = keyrings
    monkeypatch.setitem(ENVIRON, "GNUPGHOME", own)
    house = Audited(tmp_path / "house", f"sqlite:///{tmp_path}/live.db")
    for name, value in (("commit.gpgSign", "true"), ("user.signingKey", "kim@example.org")):
        house.repo.git("config", name, value)
    signed = [house.asks(jwt_token("one")), house.applies()]
    assert told(house.found(commits=True)) == set()
    everyone = {(Check.COMMIT_SIGNATURE, f"commit {commit[:10]}") for commit in signed}
    for home, message in ((other, "nobody vouches for"), (empty, "the key is not here")):
        monkeypatch.setitem(ENVIRON, "GNUPGHOME", home)
        report = house.found(commits=True)
        assert told(report) == everyone
        assert all(message in one.message for one in report.faults)
    house.repo.git("config", "commit.gpgSign", "false")
    monkeypatch.setitem(ENVIRON, "GNUPGHOME", own)
    unsigned = house.asks(jwt_token("two"))
    assert told(house.found(commits=True)) == {(Check.COMMIT_UNSIGNED, f"commit {unsigned[:10]}")}


def test_an_unsigned_commit_is_found(house: Audited, signers: str) -> None:
    """By its id; one that touches nothing that counts is not asked for."""
    signs(house, None)
    commit = house.asks(jwt_token("two"))
    house.repo.commit(("README.md", "x"))
    assert told(house.found(signers=signers)) == {(Check.COMMIT_UNSIGNED, f"commit {commit[:10]}")}


def test_a_signature_that_git_cannot_check_here_is_told_as_one(house: Audited) -> None:
    """Nobody said whose SSH keys are whose: the commit is signed, and how to have it checked is told."""
    signs(house, None)
    unsigned = house.asks(jwt_token("two"))
    report = house.found()
    checks = [one.check for one in report.faults]
    assert checks == [Check.COMMIT_SIGNATURE, Check.COMMIT_SIGNATURE, Check.COMMIT_UNSIGNED]
    assert report.faults[-1].where == f"commit {unsigned[:10]}"
    assert "cannot be checked" in report.faults[0].message
    assert "--allowed-signers" in report.faults[0].hint


def test_a_message_that_quotes_a_signature_is_none(house: Audited, signers: str) -> None:
    """What counts stands in the head of the commit."""
    signs(house, None)
    house.asks(jwt_token("two"), message="quoted\n\ngpgsig -----BEGIN SSH SIGNATURE-----")
    assert [one.check for one in house.found(signers=signers).faults] == [Check.COMMIT_UNSIGNED]


def test_a_commit_by_a_key_that_nobody_vouches_for_is_found(
    house: Audited, signers: str, tmp_path: Path
) -> None:
    """The signature is right, and anybody's."""
    signs(house, Key(tmp_path, "other"))
    commit = house.asks(jwt_token("two"))
    (found,) = house.found(signers=signers).faults
    assert (found.check, found.where) == (Check.COMMIT_SIGNATURE, f"commit {commit[:10]}")
    assert "nobody vouches" in found.message


def test_a_commit_that_was_edited_after_it_was_signed_is_found(house: Audited, signers: str) -> None:
    """The signature of another commit stands on it."""
    raw = house.repo.git("cat-file", "commit", house.asks(jwt_token("two")))
    forged = house.repo.git("hash-object", "-t", "commit", "-w", "--stdin", given=f"{raw}x\n".encode())
    house.repo.git("reset", "--quiet", "--hard", forged)
    assert (Check.COMMIT_SIGNATURE, f"commit {forged[:10]}") in told(house.found(signers=signers))


@pytest.mark.parametrize("file", [".sops.yaml", "artifacts/x.yaml"])
def test_rules_and_artifacts_count_too(file: str, house: Audited, signers: str) -> None:
    """Who may open an artifact, and what stands in its place."""
    signs(house, None)
    commit = house.repo.commit((file, "creation_rules: []\n"))
    assert (Check.COMMIT_UNSIGNED, f"commit {commit[:10]}") in told(house.found(signers=signers))


def test_a_merge_that_brings_a_change_counts_too(house: Audited, signers: str) -> None:
    """Who merges agrees to it."""
    house.repo.git("checkout", "--quiet", "-b", "side")
    house.asks(jwt_token("two"))
    house.repo.git("checkout", "--quiet", "main")
    signs(house, None)
    house.repo.git("merge", "--quiet", "--no-ff", "-m", "merge", "side")
    merge = house.repo.git("rev-parse", "HEAD")
    assert told(house.found(signers=signers)) == {(Check.COMMIT_UNSIGNED, f"commit {merge[:10]}")}


def test_commits_from_before_the_policy_are_left_out_and_told(house: Audited, signers: str) -> None:
    """A commit that only says that it is older is not: it follows one that is newer."""
    signs(house, None)
    old = house.asks(jwt_token("two"))
    soon = int(datetime.now(UTC).timestamp()) + 30
    since = datetime.fromtimestamp(soon, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    house.settings = {"audit": {"commits": "signed", "commitsSince": since}}
    house.declare(jwt_token("two"))
    house.repo.git("add", "--all")
    _commit(house, "policy", soon + 1)
    policy = house.repo.git("rev-parse", "HEAD")
    house.declare(jwt_token("three"))
    house.repo.git("add", "--all")
    _commit(house, "backdated", 1_000_000_000)
    backdated = house.repo.git("rev-parse", "HEAD")
    report = house.found(signers=signers)
    unsigned = {where for check, where in told(report) if check == Check.COMMIT_UNSIGNED}
    assert unsigned == {f"commit {policy[:10]}", f"commit {backdated[:10]}"}
    assert f"commit {old[:10]}" not in unsigned
    assert any("3 commits from before" in one for one in report.unchecked)


def _commit(house: Audited, message: str, at: int) -> None:
    """A commit that says that it was made at a time."""
    made = ["git", "commit", "--quiet", "-m", message]
    environ = {**ENVIRON, "GIT_COMMITTER_DATE": f"{at} +0000"}
    subprocess.run(made, cwd=house.root, env=environ, check=True)


def test_the_auditor_may_ask_for_more_or_less_than_the_clone(house: Audited, signers: str) -> None:
    """What stands in the clone is no more than what the clone says of itself."""
    signs(house, None)
    house.settings = {}
    house.asks(jwt_token("two"))
    assert told(house.found(signers=signers)) == set()
    assert Check.COMMIT_UNSIGNED in {check for check, _ in told(house.found(signers=signers, commits=True))}


def test_the_clone_exempts_nothing_from_what_the_auditor_asks(house: Audited, signers: str) -> None:
    """Its `commitsSince` holds for its own wish alone; the auditor's own is asked for."""
    signs(house, None)
    house.settings = {"audit": {"commits": "signed", "commitsSince": "2099-01-01"}}
    commit = house.asks(jwt_token("two"))
    unsigned = {(Check.COMMIT_UNSIGNED, f"commit {commit[:10]}")}
    assert told(house.found(signers=signers)) == set()
    assert told(house.found(signers=signers, commits=True)) == unsigned
    later = house.found(signers=signers, commits=True, commits_since=seconds_of("2098-01-01T00:00:00Z"))
    assert told(later) == set()
    assert any("3 commits from before 2098-01-01T00:00:00Z, as was asked" in one for one in later.unchecked)


@pytest.mark.parametrize(
    "who",
    [
        "Kim <k@e> abc +0000",
        "Kim <k@e> -5 +0000",
        "Kim <k@e>",
        "Kim k@e",
        "Kim <k@e> 99999999999999999999 +0000",
    ],
)
def test_a_malformed_commit_ends_no_audit(who: str, house: Audited) -> None:
    """Anybody can write any time into one: it is a commit as others, and what it removed is told."""
    gone = house.records()[0]
    gone.unlink()
    house.repo.git("add", "--all")
    tree, parent = house.repo.git("write-tree"), house.repo.git("rev-parse", "HEAD")
    text = f"tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n\nm\n"
    made = ("hash-object", "-t", "commit", "-w", "--stdin", "--literally")
    commit = house.repo.git(*made, given=text.encode())
    house.repo.git("update-ref", "HEAD", commit)
    house.asks(jwt_token("one"), jwt_token("two"))
    report = house.found(commits=True)
    (removed,) = [one for one in report.faults if one.check is Check.RECORD_REMOVED]
    assert commit[:10] in removed.message
    assert ("commit-unsigned", f"commit {commit[:10]}") in told(report)
