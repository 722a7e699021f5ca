"""A commit made of objects alone: no branch, no index and no file of the user is needed or touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import GitFailed
from reconciler.git.running import Git, said

NAME, EMAIL = "reconciler", "noreply@reconciler.invalid"
"""Who commits where git is not told who the user is."""
MODE = "100644"
PLAIN = ("-c", "core.sparseCheckout=false", "-c", "core.splitIndex=false", "-c", "index.sparse=false")
"""An index of ours is whole, in one file."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What changes in a tree, by path from the top."""

    placed: Mapping[str, str]
    """Path → blob."""
    removed: Sequence[str]

    def lines(self, null: str) -> bytes:
        """As `git update-index --index-info` reads it; `null` is the id of nothing."""
        gone = [f"0 {null}\t{path}" for path in self.removed]
        there = [f"{MODE} {blob}\t{path}" for path, blob in self.placed.items()]
        return "".join(f"{line}\0" for line in (*gone, *there)).encode()


@dataclass(frozen=True, slots=True)
class Authored:
    """What a commit says of itself."""

    message: str
    at: int
    """Epoch seconds."""


def stored(git: Git, files: Sequence[Path]) -> list[str]:
    """Blobs of files, byte for byte, whatever attributes say of filters. Raises GitFailed."""
    given = "".join(f"{file}\n" for file in files).encode()
    return git.must("hash-object", "-w", "--no-filters", "--stdin-paths", given=given).text.split()


def edited(git: Git, tree: str, edit: Edit, index: Path) -> str:
    """The tree of a commit, or a tree, with an edit. `index` is a file that nobody else uses.

    Raises GitFailed.
    """
    own = {"GIT_INDEX_FILE": str(index)}
    git.must(*PLAIN, "read-tree", tree, more=own)
    git.must(*PLAIN, "update-index", "-z", "--index-info", given=edit.lines("0" * len(tree)), more=own)
    return git.must(*PLAIN, "write-tree", more=own).text


def signs(git: Git) -> bool:
    """Whether git is set to sign commits. Raises GitFailed."""
    return git.run("config", "--type=bool", "--get", "commit.gpgSign").text == "true"


def try_commit(git: Git, at: int, objects: Path) -> None:
    """Makes a commit of nothing, at a time in epoch seconds, as one that is published would be made.

    It goes into an empty folder, and not into the repository. Raises GitFailed.
    """
    nothing = git.must("hash-object", "-t", "tree", "--stdin", given=b"").text
    committed(git, nothing, (), Authored("A trial", at), {"GIT_OBJECT_DIRECTORY": str(objects)})


def committed(
    git: Git, tree: str, parents: Iterable[str], authored: Authored, more: Mapping[str, str] | None = None
) -> str:
    """A commit of a tree, signed if git is set to sign commits. Raises GitFailed.

    `more` is what git's environment has besides.
    """
    above = [one for parent in parents for one in ("-p", parent)]
    sign = ["-S"] if signs(git) else []
    ran = git.run(
        "commit-tree", *sign, *above, "-F", "-", tree,
        given=authored.message.encode(), more={**_identity(git, authored.at), **(more or {})},
    )  # fmt: skip
    if ran.code != 0:
        what = "signed as commit.gpgSign asks" if sign else "made"
        raise GitFailed(
            f"the commit could not be {what}: {said(ran.err) or 'git says nothing'}",
            hint="see that gpg.format and user.signingKey name a key that works without a question"
            if sign
            else f"see what git says to it in {git.folder}",
        )
    return ran.text


def _identity(git: Git, at: int) -> dict[str, str]:
    """Author and committer as git is configured, else ours; and the time."""
    more, settings = {}, _settings(git)
    for role in ("author", "committer"):
        prefix = f"GIT_{role.upper()}"
        more[f"{prefix}_DATE"] = f"{at} +0000"
        for what, ours in (("name", NAME), ("email", EMAIL)):
            variable = f"{prefix}_{what.upper()}"
            known = (
                git.environ.get(variable) or settings.get(f"{role}.{what}") or settings.get(f"user.{what}")
            )
            if not known and not (what == "email" and git.environ.get("EMAIL")):
                more[variable] = ours
    return more


def _settings(git: Git) -> dict[str, str]:
    """What git is configured to, by name in lower case; the last word counts."""
    listed = git.run("config", "--list", "-z").out.decode(errors="replace")
    parts = (entry.partition("\n") for entry in listed.split("\0") if entry)
    return {name: value for name, _, value in parts}
