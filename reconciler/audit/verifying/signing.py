"""Whether records are signed, and by whom. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias, TypeVar

from reconciler.audit.verifying.chain import Link
from reconciler.audit.verifying.finding import Check, Finding
from reconciler.git.logs import Touch
from reconciler.records.envelope import Signed
from reconciler.records.keys import PublicKey, signed_by
from reconciler.specs.auditing import AuditSettings

HINT = "see who wrote the record: git log --full-history -- FILE; a key that was retired stays in the list"
POLICY = ("records", "commits", "commitsSince")
"""What a Workspace document says of what must be signed."""
Documents: TypeAlias = Sequence[AuditSettings]
"""What the Workspace documents of one commit ask for: there is one, where all is well."""
T = TypeVar("T")


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


@dataclass(frozen=True, slots=True)
class Move:
    """What a commit made of what the Workspace documents ask for."""

    commit: str
    after: Documents
    before: tuple[Documents, ...]
    """Of each commit that it follows."""
    bases: tuple[Documents, ...] = ()
    """Of each commit at which those parted; none where it follows one."""

    def due(self, read: Callable[[Documents], frozenset[T]]) -> frozenset[T]:
        """What it would ask for if it changed nothing: of a merge, all that one side or the other changed."""
        sides = [read(one) for one in self.before]
        base = frozenset.intersection(*map(read, self.bases)) if self.bases else frozenset[T]()
        return frozenset.intersection(*sides).union(*(side - base for side in sides))


def moves(touches: Sequence[Touch], asked: Mapping[str, AuditSettings]) -> Iterator[Move]:
    """What commits that are no merges made of it. `asked` is blob → what it asks for."""
    commits: dict[str, tuple[list[AuditSettings], list[AuditSettings]]] = {}
    for touch in touches:
        if len(touch.before) == 1:
            before, after = commits.setdefault(touch.commit, ([], []))
            before += (asked[blob] for blob in touch.before if blob in asked)
            after += (asked[blob] for blob in (touch.after,) if blob in asked)
    return (Move(commit, after, (before,)) for commit, (before, after) in commits.items() if before or after)


def key_changes(moves: Iterable[Move]) -> Iterator[Finding]:
    """When the keys of the Workspace document changed."""
    for move in moves:
        was, keys = move.due(_keys), _keys(move.after)
        told = [f"added {_shown(key)}" for key in sorted(keys - was)]
        told += [f"removed {_shown(key)}" for key in sorted(was - keys)]
        if told:
            yield Finding(
                Check.KEYS_CHANGED,
                f"commit {move.commit[:10]}",
                f"it changed who may sign records: {', '.join(told)}",
                "see that whoever answers for the keys knows of it",
            )


def policy_changes(moves: Iterable[Move]) -> Iterator[Finding]:
    """When it changed what must be signed: what was taken meanwhile, the newest Workspace document hides."""
    for move in moves:
        told = []
        # The first document takes nothing back; one that is gone leaves what is so without.
        for name in POLICY if any(move.before) else ():
            read = partial(_values, name)
            was, now = move.due(read), read(move.after)
            if was != now:
                told.append(f"audit.{name} from {_either(was)} to {_either(now)}")
        if told:
            yield Finding(
                Check.POLICY_CHANGED,
                f"commit {move.commit[:10]}",
                f"it changed what must be signed: {', '.join(told)}",
                "see that it was agreed; pass --records signed and --commits signed to ask for it all along",
            )


def _keys(documents: Documents) -> frozenset[str]:
    return frozenset(key for one in documents for key in one.keys)


def _values(name: str, documents: Documents) -> frozenset[str | None]:
    return frozenset(getattr(one, name) for one in documents or (AuditSettings(),))


def _either(values: Collection[object]) -> str:
    return " or ".join(sorted("nothing" if value is None else str(value) for value in values))


def _shown(line: str) -> str:
    """A key as it is told: by its last part, which is a name or the end of the key."""
    parts = line.split()
    return f"{parts[0]} …{parts[1][-12:]} {' '.join(parts[2:])}".strip() if len(parts) > 1 else line[:40]
