"""What is live, or in the artifacts folder, and should not be so, apart from what specs newly ask. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from reconciler.audit.export import declared_by
from reconciler.canonical import digest
from reconciler.kinds.interface import Names
from reconciler.live.interface import CredentialState, LiveToken, Record, TokenState
from reconciler.plan.observed import ArtifactState, Observed
from reconciler.plan.transition import NARROWED, Circumstances, due_at, modified
from reconciler.specs.model import AnyTokenSpec
from reconciler.specs.reader import Declared
from reconciler.times import timestamp

SCHEMA = "reconciler/drift/v1"
OF_GIT = (".gitattributes", ".gitignore", ".gitkeep")
"""Files that tell git how to keep a folder."""
VALID = 2
"""Credentials that may be valid at once: the newest, and the one before it until its overlap is over."""


class Rule(StrEnum):
    """What a finding is about. Machines know these: they stay."""

    EDITED = "drift.edited"
    UNDECLARED = "drift.undeclared"
    CREDENTIAL = "drift.credential"
    MISSING = "drift.artifact-missing"
    FOREIGN = "drift.artifact-foreign"
    BROKEN = "drift.artifact-broken"
    RESEALED = "drift.artifact-resealed"
    STRAY = "drift.artifact-stray"
    RECORD_MISSING = "drift.record-missing"
    RECORD_STRAY = "drift.record-stray"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that should not be so."""

    rule: Rule
    name: str | None
    """Of the live token that it is about, if it is about one."""
    path: str | None
    """Of the file that it is about, relative to the workspace."""
    message: str
    hint: str

    def to_json(self) -> Mapping[str, object]:
        """As in `reconciler/drift/v1`."""
        return asdict(self)


ARTIFACTS = {
    ArtifactState.MISSING: (
        Rule.MISSING,
        "its artifact is not there",
        "restore the file from git; reconcile apply makes a new credential if it stays away",
    ),
    ArtifactState.FOREIGN: (
        Rule.FOREIGN,
        "what stands there is sealed for another token or generation",
        "restore the file from git; reconcile apply makes a new credential if it stays so",
    ),
    ArtifactState.BROKEN: (
        Rule.BROKEN,
        "what stands there is no artifact that can be read",
        "restore the file from git; reconcile apply makes a new credential if it stays so",
    ),
    ArtifactState.RESEALED: (
        Rule.RESEALED,
        "it was encrypted anew, and is not what the last apply published",
        "reconcile apply takes it up; if nobody here ran reseal, restore it from git",
    ),
}
"""A file that was moved to where its spec wants it is no drift: the plan takes it up."""


def of_token(token: LiveToken, found: Observed, now: int, *, declared: bool) -> Iterator[Finding]:
    """What should not be so of a live token and its artifact, at a time (epoch seconds)."""
    if not declared:
        yield Finding(
            Rule.UNDECLARED,
            token.name,
            None,
            f"this {token.kind} is live, and no spec names it",
            "reconcile apply deletes it; to keep it, declare it as reconcile export --stdout shows it",
        )
    edited = "; ".join(_edits(token))
    if edited:
        yield Finding(
            Rule.EDITED,
            token.name,
            None,
            f"its live record was edited by hand: {edited}",
            "find out who writes to the live store; the next change of its spec writes the record anew",
        )
    for message, hint in _of_credentials(token, now):
        yield Finding(Rule.CREDENTIAL, token.name, None, message, hint)
    if found.state in ARTIFACTS:
        rule, message, hint = ARTIFACTS[found.state]
        yield Finding(rule, token.name, token.artifact_path, message, hint)


def _edits(token: LiveToken) -> Iterator[str]:
    """How a live record differs from what its own spec says, as far as an apply would have written it."""
    spec = declared_by(token)
    if spec is None:
        yield "it holds no spec of this token that can be read"
        return
    said = digest(token.declared.encode())
    if token.spec_digest not in (said, NARROWED):
        yield "the digest is not that of the spec that it holds"
    told = Declared(token.name, token.kind, token.declared, said, "", 0, 0)
    right = modified(token, told, Circumstances(token.changed_at, token.commit))
    newest = token.credentials[0] if token.credentials else None
    narrowed = token.spec_digest == NARROWED
    yield from _grants(token, right, spec, narrowed=narrowed)
    if token.state is not right.state and not (narrowed and token.state is TokenState.DISABLED):
        yield f"it is {token.state}, and its spec says {right.state}"
    if token.expires_at != right.expires_at and not (narrowed and _ends_sooner(token, right)):
        yield f"it ends {_when(token.expires_at)}, and its spec says {_when(right.expires_at)}"
    # An older version did not spread due dates: those that it wrote stay until the next change.
    unspread = newest and due_at(spec, newest, right.expires_at, None)
    if token.due_at not in (right.due_at, unspread):
        yield f"it is due for rotation {_when(token.due_at)}, and its spec says {_when(right.due_at)}"
    yield from _of_key(token, spec)
    if token.protect != right.protect:
        yield f"it is {_protected(token)}, and its spec says {_protected(right)}"


def _of_key(token: LiveToken, spec: AnyTokenSpec) -> Iterator[str]:
    """A key that its owner brought is the newest credential, and then there is no artifact."""
    if spec.own_key is None:
        return
    newest = token.credentials[0] if token.credentials else None
    if newest is not None and newest.public_key != spec.own_key:
        yield f"generation {newest.generation} has another public key than its owner brought"
    if token.artifact_path is not None:
        yield "it has an artifact, and its owner brought the key"


def _grants(token: LiveToken, right: LiveToken, spec: AnyTokenSpec, *, narrowed: bool) -> Iterator[str]:
    """The grants that differ. One that an interrupted apply narrowed has less, and nothing else."""
    for dimension in sorted(token.grants.keys() | right.grants.keys()):
        held, given = token.grants.get(dimension), right.grants.get(dimension)
        less = narrowed and _is_less(spec, dimension, held or (), given or ())
        if held != given and not less:
            yield f"{dimension} is {_names(held)}, and its spec says {_names(given)}"


def _is_less(spec: AnyTokenSpec, dimension: str, held: Names, given: Names) -> bool:
    try:
        return set(spec.what.meet(dimension, given, held)) == set(held)
    except ValueError:  # hands wrote what no grant of this kind can be
        return False


def _names(names: Names | None) -> str:
    return ", ".join(names or ()) or "nothing"


def _ends_sooner(token: LiveToken, right: LiveToken) -> bool:
    return token.expires_at is not None and (right.expires_at is None or token.expires_at < right.expires_at)


def _when(seconds: int | None) -> str:
    """A time as it is shown; hands write any number."""
    if seconds is None:
        return "never"
    try:
        return timestamp(seconds)
    except (ValueError, OverflowError, OSError):
        return f"at {seconds} seconds"


def _protected(token: LiveToken) -> str:
    return "protected" if token.protect else "not protected"


def _of_credentials(token: LiveToken, now: int) -> Iterator[tuple[str, str]]:
    """What no apply leaves behind: it ends all but the newest two, and renews the newest before its end."""
    hint = "find out who writes to the live store; a rotation ends all but its newest and the one before"
    valid = [one for one in token.credentials if one.not_after is None or now < one.not_after]
    if len(valid) > VALID:
        yield f"{len(valid)} of its credentials are valid, and an apply leaves {VALID} at most", hint
    for one in token.credentials:
        if one.state is CredentialState.RETIRING and one.not_after is None:
            yield f"generation {one.generation} is retiring, and its overlap has no end", hint
    for one in token.credentials[1:]:
        if one.state is CredentialState.ACTIVE:
            yield f"generation {one.generation} is active, and a newer one replaced it", hint
    yield from _of_ended(token, now)


def _of_ended(token: LiveToken, now: int) -> Iterator[tuple[str, str]]:
    """A token that is off or over rests, and its credential may end meanwhile."""
    if token.state_at(now) is not TokenState.ACTIVE:
        return
    if not token.credentials:
        yield (
            "none of its credentials works: the last one was ended, and no new one is made yet",
            "reconcile apply makes a new one; see there if it cannot",
        )
    for one in token.credentials:
        if one.state is CredentialState.ACTIVE and one.not_after is not None and one.not_after <= now:
            yield (
                f"generation {one.generation} is active, and it ended {_when(one.not_after)}",
                "reconcile apply rotates it if it is due; run it more often than credentials end",
            )


def of_record(record: Record, path: str, found: bytes | None) -> Iterator[Finding]:
    """What should not be so of a record of the live store; `found` is what stands at its path in the tree.

    One that was not published yet goes out with the next publish, so it need not be there.
    """
    hint = "restore it from git: the records tell an auditor what was done"
    if found is None and record.published:
        yield Finding(Rule.RECORD_MISSING, None, path, f"record {record.sequence} is not in the tree", hint)
    elif found is not None and found != record.body.encode():
        message = f"it is not record {record.sequence} as the live store has it"
        yield Finding(Rule.RECORD_MISSING, None, path, message, hint)


def of_stray_record(path: str) -> Finding:
    """What stands among the records and is none of the live store's."""
    return Finding(
        Rule.RECORD_STRAY,
        None,
        path,
        "the live store knows no such record",
        "find out who added it, and remove it; or name the store that it tells of with --store",
    )


class What(StrEnum):
    """What stands at a path, as a message calls it."""

    FILE = "file"
    LINK = "link"
    OTHER = "pipe, socket or device"


@dataclass(frozen=True, slots=True)
class Item:
    """Something in a folder that is no folder."""

    path: str
    what: What


def strays(items: Iterable[Item], folder: str, known: Collection[str]) -> Iterator[Finding]:
    """What stands in the artifacts folder and belongs to no live token; `known` are the paths that do.

    A folder in which nothing is known is one finding, however much it holds. An empty one is none: an
    apply leaves those behind, and git keeps none.
    """
    ways = {folder, *(way for path in known for way in _parents(path))}
    heaps: dict[str, tuple[Item, int]] = {}
    for item in items:
        if item.what is What.FILE and item.path.rpartition("/")[2] in OF_GIT:
            continue
        top = _outermost(item.path, ways)
        if top not in known:
            first, count = heaps.get(top, (item, 0))
            heaps[top] = first, count + 1
    for top, (first, count) in heaps.items():
        yield (
            _stray(first.path, f"this {first.what}")
            if count == 1
            else _stray(
                top, f"this folder with {count} files, the first {first.path.removeprefix(f'{top}/')},"
            )
        )


def _stray(path: str, what: str) -> Finding:
    hint = "find out who put it there, and remove it: nothing reads it"
    return Finding(Rule.STRAY, None, path, f"{what} belongs to no live token", hint)


def _parents(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _outermost(path: str, ways: Collection[str]) -> str:
    """The path itself, or the outermost folder above it on the way to nothing that is known."""
    return min((one for one in (path, *_parents(path)) if one not in ways), key=len, default=path)
