"""What git and remotes say of a push is understood, and is harmless when it is repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.git.pushing import Answer, answered
from reconciler.git.running import LONGEST, Ran, said

TO = "To https://example.com/x.git"
REF = "0123abc:refs/heads/main"
ANSWERS = {
    "taken": (0, f"{TO}\n \t{REF}\t1..2\nDone", "", Answer.TAKEN, ""),
    "there already": (0, f"{TO}\n=\t{REF}\t[up to date]\nDone", "", Answer.TAKEN, ""),
    "behind": (1, f"{TO}\n!\t{REF}\t[rejected] (fetch first)\nDone", "error: failed", Answer.RACED, "fetch"),
    "not fast": (1, f"{TO}\n!\t{REF}\t[rejected] (non-fast-forward)", "", Answer.RACED, "non-fast"),
    "locked": (
        1,
        f"{TO}\n!\t{REF}\t[remote rejected] (cannot lock ref 'refs/heads/main': is at 1 but expected 2)",
        "",
        Answer.RACED,
        "cannot lock ref",
    ),
    "hook": (
        1,
        f"{TO}\n!\t{REF}\t[remote rejected] (pre-receive hook declined)\nDone",
        "remote: not on a Friday\nerror: failed to push some refs",
        Answer.REFUSED,
        "not on a Friday (pre-receive hook declined)",
    ),
    "protected": (
        1,
        f"{TO}\n!\t{REF}\t[remote rejected] (protected branch hook declined)\nDone",
        "remote: error: GH006: Protected branch update failed for refs/heads/main.\nerror: failed",
        Answer.REFUSED,
        "GH006",
    ),
    "silent": (
        1,
        f"{TO}\n!\t{REF}\t[remote failure] (remote failed to report status)\nDone",
        "",
        Answer.UNKNOWN,
        "remote failed to report status",
    ),
    "broke off": (128, "", "fatal: the remote end hung up unexpectedly", Answer.UNKNOWN, "hung up"),
    "nothing at all": (-9, "", "", Answer.UNKNOWN, "git says nothing"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_understood(name: str) -> None:
    """A race is tried again, a refusal is told, and what nobody knows is found out."""
    code, out, err, answer, words = ANSWERS[name]
    pushed = answered(Ran(code, out.encode(), err), "main")
    assert pushed.answer is answer
    assert words in pushed.said


def test_what_the_remote_says_comes_before_what_git_concludes() -> None:
    """And of git's words, the first that tells what went wrong."""
    git = (
        "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights"
    )
    assert said(git) == "Could not read from remote repository."
    assert said(f"remote: no such project\nremote:\n{git}") == "no such project"
    assert said("Host key verification failed.") == "Host key verification failed."


def test_no_password_of_an_address_is_repeated() -> None:
    """However git quotes it."""
    assert "hunter2" not in said("fatal: unable to access 'https://bot:hunter2@example.com/x.git/': refused")


@given(st.text(st.characters(codec="utf-8"), max_size=2000))
def test_whatever_is_said_is_one_short_line_that_can_be_printed(text: str) -> None:
    """The remote chooses it."""
    for shown in (said(text), said("".join(f"remote: {line}\n" for line in text.splitlines()))):
        assert shown.isprintable()
        assert len(shown) <= LONGEST + 2
