"""Whether the commits that count are signed, by git's own word. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from reconciler.audit.verifying.finding import Check, Finding
from reconciler.git.logs import NONE, UNTOLD, Signature

GOOD = "G"
VERDICTS = {
    "B": "its signature is wrong: this is not what was signed",
    "U": "it is signed by a key that nobody vouches for here",
    "X": "its signature has ended",
    "Y": "it is signed by a key that has ended",
    "R": "it is signed by a key that was revoked",
    "E": "its signature cannot be checked: the key is not here",
    UNTOLD: "its signature cannot be checked: git knows of no file of SSH keys, or has no program for it",
}
"""What each letter means."""
SIGN = "see who made it: git show COMMIT; let commits be signed: git config commit.gpgSign true"
TRUST = (
    "SSH: name the key in a file, and pass that with --allowed-signers, or set gpg.ssh.allowedSignersFile;"
    " GPG: import the key, and trust it"
)


def unsigned(signatures: Sequence[Signature], exempt: Collection[str]) -> Iterator[Finding]:
    """Each commit that is not well signed, without those that are from before it was asked."""
    for one in signatures:
        if one.commit in exempt or one.verdict == GOOD:
            continue
        where = f"commit {one.commit[:10]}"
        if one.verdict == NONE:
            yield Finding(Check.COMMIT_UNSIGNED, where, "it is not signed", SIGN)
        else:
            by = f" ({one.key})" if one.key else ""
            told = VERDICTS.get(one.verdict, f"git says {one.verdict!r} of its signature")
            yield Finding(Check.COMMIT_SIGNATURE, where, f"{told}{by}", TRUST)


def before(graph: Iterable[tuple[str, int, tuple[str, ...]]], since: int | None) -> frozenset[str]:
    """The commits from before a time (epoch seconds), oldest first given.

    A commit says its time itself: one that follows a later one is not from before, whatever it says.
    """
    if since is None:
        return frozenset()
    earlier: set[str] = set()
    for commit, at, parents in graph:
        if at < since and earlier.issuperset(parents):
            earlier.add(commit)
    return frozenset(earlier)
