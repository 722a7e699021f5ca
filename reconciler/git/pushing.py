"""Pushing one commit to one branch, never by force, and telling a race from a refusal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from reconciler.git.remote import HEADS, Remote
from reconciler.git.running import Ran, said

RACES = re.compile(
    r"fetch first|non-fast-forward|stale info|cannot lock ref|incorrect old value|failed to update ref"
    r"|failed to lock|remote ref updated|reference already exists",
    re.IGNORECASE,
)
"""How git, here or there, says that somebody else was quicker."""


class Answer(Enum):
    """How a push ended."""

    TAKEN = "taken"
    RACED = "somebody else was quicker"
    REFUSED = "the remote refused it"
    UNKNOWN = "the remote was not reached, or the answer was lost: it may have taken the commit"


@dataclass(frozen=True, slots=True)
class Pushed:
    """How a push ended, and what was said to it."""

    answer: Answer
    said: str


def push(remote: Remote, commit: str, branch: str, *, only_ask: bool = False) -> Pushed:
    """Asks a remote to move a branch to a commit that follows it. Raises GitFailed where it takes too long.

    Hooks of the user run, as in any push. Submodules and tags stay where they are. With `only_ask`, nothing
    changes: the remote is reached as for a push, but no hook runs, here or there. So what a hook refuses, or
    the protection of a branch, is not known.
    """
    ran = remote.git.over_network(
        "push", "--porcelain", "--no-recurse-submodules", "--no-follow-tags",
        *(("--dry-run", "--no-verify") if only_ask else ()), "--", remote.name, f"{commit}:{HEADS}{branch}",
    )  # fmt: skip
    return answered(ran, branch)


def answered(ran: Ran, branch: str) -> Pushed:
    """What git's own account of a push means."""
    status = next((line for line in ran.text.splitlines() if f":{HEADS}{branch}\t" in line), "")
    what = said(ran.err)
    if ran.code == 0:
        return Pushed(Answer.TAKEN, what)
    if not status.startswith("!"):
        return Pushed(Answer.UNKNOWN, what or "git says nothing")
    reason = status.rpartition("\t")[2]
    if RACES.search(reason):
        return Pushed(Answer.RACED, reason)
    lost = "[remote failure]" in reason
    return Pushed(Answer.UNKNOWN if lost else Answer.REFUSED, _joined(what, reason))


def _joined(what: str, reason: str) -> str:
    """What the remote said, and the reason that git gives, if that tells more."""
    inner = re.sub(r"^\[[^]]*\]\s*", "", reason).strip("()")
    if not what or what.startswith("failed to push"):
        return inner or what
    return f"{what} ({inner})" if inner and inner not in what else what
