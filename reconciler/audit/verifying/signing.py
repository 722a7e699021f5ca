"""Whether records are signed, and by whom. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.audit.verifying.chain import Link
from reconciler.audit.verifying.finding import Check, Finding
from reconciler.git.logs import Touch
from reconciler.records.envelope import Signed
from reconciler.records.keys import PublicKey, signed_by

HINT = "see who wrote the record: git log --full-history -- FILE; a key that was retired stays in the list"


@dataclass(slots=True)
class Tally:
    """What was checked of signatures."""

    by_key: Counter[str] = field(default_factory=Counter)
    """Records that a key signed, by the key as it is shown."""
    unsigned: int = 0
    unchecked: int = 0
    """Records with signatures that nobody looked at, as there was no key."""


def signatures(
    links: Sequence[Link], keys: Sequence[PublicKey], tally: Tally, *, required: bool
) -> Iterator[Finding]:
    """Signatures that are wrong, or by a key that is none of these; records without, where all have one."""
    for link in links:
        if link.signed is None:
            continue
        if not link.signed.signatures:
            tally.unsigned += 1
            if required:
                told = "it is not signed, and every record is to be"
                yield Finding(Check.RECORD_UNSIGNED, link.path, told, HINT)
        elif not keys:
            tally.unchecked += 1
            if required:
                told = "nobody can tell whether it is well signed: no key is given"
                hint = "name the keys in spec.audit.keys, or bring them with --keys"
                yield Finding(Check.RECORD_SIGNATURE, link.path, told, hint)
        else:
            yield from _signed(link, link.signed, keys, tally)


def _signed(link: Link, signed: Signed, keys: Sequence[PublicKey], tally: Tally) -> Iterator[Finding]:
    """Each signature by itself: one that is right excuses none that is wrong."""
    known = {key.id for key in keys}
    good: dict[str, None] = {}
    for one in signed.signatures:
        key = signed_by(replace(signed, signatures=(one,)), keys)
        if key is not None:
            good[key.shown] = None
        elif one[0] in known:
            told = f"its signature by key {one[0][:12]} is wrong: this is not what was signed"
            yield Finding(Check.RECORD_SIGNATURE, link.path, told, HINT)
        else:
            told = f"it is signed by a key that is none of those given: {one[0][:12]}"
            yield Finding(Check.RECORD_SIGNATURE, link.path, told, HINT)
    tally.by_key.update(list(good))


def key_changes(touches: Sequence[Touch], keys_of: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    """When the keys of the Workspace document changed. `keys_of` is blob → the keys that it names."""
    commits: dict[str, list[Touch]] = {}
    for touch in touches:
        commits.setdefault(touch.commit, []).append(touch)
    for commit, members in commits.items():
        before = _keys([blob for one in members for blob in one.before], keys_of)
        after = _keys([one.after for one in members], keys_of)
        told = [f"added {_shown(key)}" for key in sorted(after - before)]
        told += [f"removed {_shown(key)}" for key in sorted(before - after)]
        if told:
            yield Finding(
                Check.KEYS_CHANGED,
                f"commit {commit[:10]}",
                f"it changed who may sign records: {', '.join(told)}",
                "see that whoever answers for the keys knows of it",
            )


def _keys(blobs: Sequence[str], keys_of: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*(keys_of.get(blob, frozenset()) for blob in blobs))


def _shown(line: str) -> str:
    """A key as it is told: by its last part, which is a name or the end of the key."""
    parts = line.split()
    return f"{parts[0]} …{parts[1][-12:]} {' '.join(parts[2:])}".strip() if len(parts) > 1 else line[:40]
