"""What the branches of a remote are now, and their commits, brought here without touching any branch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.errors import GitFailed
from reconciler.git.lines import has_commit
from reconciler.git.running import Git, Ran, said

HEADS = "refs/heads/"
REACH = "see that the remote can be reached and that this user may read it, and run this again"


@dataclass(frozen=True, slots=True)
class Heads:
    """What a remote says of its branches."""

    default: str | None
    """The name of its default branch; None where it tells none."""
    commits: Mapping[str, str]
    """Of each branch that was asked about and is there, by name."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote, by the name that the repository's own settings give an address to."""

    git: Git
    name: str

    def check(self) -> None:
        """Raises GitFailed where the repository has no such remote.

        git would take the name for a folder then, and whoever may change the tree could put one there.
        """
        if not self.git.setting(f"remote.{self.name}.url"):
            raise GitFailed(
                f"this repository has no remote {self.name}",
                hint=f"add it with git remote add {self.name} ADDRESS, or name another in spec.git.remote of"
                " the Workspace document",
            )

    def heads(self, *branches: str) -> Heads:
        """The branches of these names, and the default one. Raises GitFailed where the remote is silent."""
        self.check()
        refs = [f"{HEADS}{branch}" for branch in branches]
        ran = self.git.over_network("ls-remote", "--symref", "--", self.name, "HEAD", *refs)
        _check_reached(ran, self.name)
        default, commits = None, {}
        for line in ran.text.splitlines():
            value, _, ref = line.partition("\t")
            target = value.removeprefix(f"ref: {HEADS}")
            if ref == "HEAD" and target != value:
                default = target
            elif ref == "HEAD" and default is not None:
                commits[default] = value
            elif ref in refs:
                commits[ref.removeprefix(HEADS)] = value
        return Heads(default, commits)

    def bring(self, branch: str, commit: str) -> None:
        """Sees to it that a commit of a branch is in this repository. Raises GitFailed."""
        if has_commit(self.git, commit):
            return
        ran = self.git.over_network(
            "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
            "--no-auto-maintenance", "--refmap=", "--", self.name, f"{HEADS}{branch}",
        )  # fmt: skip
        _check_reached(ran, self.name)
        if not has_commit(self.git, commit):
            raise GitFailed(
                f"the branch {branch} of the remote {self.name} was rewritten while it was read",
                hint="run this again",
            )


def _check_reached(ran: Ran, name: str) -> None:
    if ran.code != 0:
        raise GitFailed(
            f"the remote {name} cannot be read: {said(ran.err) or 'git says nothing'}", hint=REACH
        )
