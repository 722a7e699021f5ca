"""What must change so that live equals specs: a pure function of specs, live tokens, artifacts and time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.artifacts.names import is_version_of, normal
from reconciler.kinds.ownkeys import fingerprint
from reconciler.live.interface import Credential, CredentialState, LiveToken, TokenState
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.fields import field_changes
from reconciler.plan.ownkeys import ASKED
from reconciler.plan.transition import NARROWED, Circumstances, modified
from reconciler.specs.model import DELIVERED_NAME, AnyTokenSpec
from reconciler.specs.reader import Declared
from reconciler.times import day


class ArtifactState(StrEnum):
    """How the sealed file in the tree compares with the live token that it belongs to."""

    SAME = "same"
    RESEALED = "resealed"
    """The right header, other bytes: encrypted anew for other recipients."""
    MOVED = "moved"
    """Gone from its place, and whole where its spec wants it: somebody moved it there."""
    MISSING = "missing"
    FOREIGN = "foreign"
    """Its header names another token or generation."""
    BROKEN = "broken"
    """It is no sealed file at all."""


TAKEN_UP = (ArtifactState.RESEALED, ArtifactState.MOVED)
LOST = {
    ArtifactState.MISSING: "its artifact is missing",
    ArtifactState.FOREIGN: "its artifact belongs to another token or generation",
    ArtifactState.BROKEN: "its artifact cannot be read",
}

NAME, LEAKED = "metadata.name", "lifecycle.rotate.asked.leaked"

NAME_SHOWN = 40
"""Letters of a recipient that a reason has room for."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What became of an artifact, as far as can be told without a key."""

    state: ArtifactState
    recipients: tuple[str, ...] = ()
    """To whom the file is sealed, by name, where the live token does not say it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How artifacts are delivered now."""

    path: Callable[[Declared], str | None]
    """Where the artifact of a spec is to stand; None where its owner brings the key."""
    named: Callable[[str], frozenset[str] | None]
    """To whom the creation rules seal what stands at a path, in normal form; None where no rule says."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that the difference depends on."""

    declared: Iterable[Declared]
    """One for each name."""
    live: Iterable[tuple[LiveToken, Observed]]
    """Each live token with what became of its artifact; read once, and not kept."""
    delivery: Delivery
    now: int
    """Epoch seconds."""
    retry: bool = False
    """Whether rotations that failed are tried again before their time."""


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """A token that needs a new credential, and gets none for now: it could not be made a while ago."""

    retry_at: int
    """Epoch seconds."""
    name: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What must change, and what waits."""

    changes: tuple[Change, ...]
    """In the order in which a plan shows them."""
    waiting: tuple[Waiting, ...] = ()
    """Who is tried first comes first."""


def difference(inputs: Inputs) -> Difference:
    """The same, whatever the order of the inputs."""
    wanted = {declared.name: declared for declared in inputs.declared}
    heirs = renames(wanted.values())
    renamed: list[tuple[LiveToken, Observed]] = []
    changes: list[Change | Waiting] = []
    for token, found in inputs.live:
        if token.name in heirs:
            renamed.append((token, found))
        else:
            changes.extend(_of_live(wanted.pop(token.name, None), token, found, inputs))
    for token, found in renamed:
        # By now, a name that a live token has is not wanted any more: then nobody can take it over.
        heir = wanted.get(heirs[token.name])
        if heir is not None and heir.kind == token.kind:
            del wanted[heir.name]
        else:
            heir = None
        changes.extend(_of_live(heir, token, found, inputs))
    changes.extend(_issue(declared, inputs.now) for declared in wanted.values())
    return Difference(
        tuple(sorted((one for one in changes if isinstance(one, Change)), key=lambda change: change.order)),
        tuple(sorted(one for one in changes if isinstance(one, Waiting))),
    )


def renames(declared: Iterable[Declared]) -> dict[str, str]:
    """Names that specs say they had before → the names that they have now."""
    return {old: one.name for one in declared if one.sets("previously") for old in one.previously}


def _of_live(
    declared: Declared | None, token: LiveToken, found: Observed, inputs: Inputs
) -> Iterator[Change | Waiting]:
    if declared is None:
        yield _delete(token, "no spec declares it any more")
    elif token.kind != declared.kind:
        yield _delete(token, f"its spec is a {declared.kind} now")
        yield _issue(declared, inputs.now)
    else:
        yield from _between(declared, token, found, inputs)


def _issue(declared: Declared, now: int) -> Change:
    reasons: tuple[str, ...] = ("no live token has this name",)
    if (key := declared.own_key) is not None:
        reasons += (f"its owner brings the key {fingerprint(key)}",)
    if declared.sets("expires"):
        spec = declared.spec()
        expires = spec.expires_at(now)
        if expires is not None and expires <= now:
            reasons += (f"it is past its end ({spec.lifecycle.expires}), so it will not work",)
    return Change(Action.ISSUE, declared.kind, declared.name, reasons)


def _delete(token: LiveToken, reason: str) -> Change:
    return _change(Action.DELETE, token, (reason,))


def _between(
    declared: Declared, token: LiveToken, found: Observed, inputs: Inputs
) -> Iterator[Change | Waiting]:
    changed = declared.digest != token.spec_digest
    fields = field_changes(token.declared, declared.normal) if changed else ()
    place = inputs.delivery.path(declared)
    reasons = (
        *_why_rotate(declared, token, fields, found, inputs.now),
        *_unnamed(declared, token, found, inputs),
    )
    waits = _waits(declared, token, inputs.now) if reasons and not inputs.retry else None
    changes: list[Change] = []
    if reasons and not waits:
        rotate = _change(Action.ROTATE, token, reasons, fields)
        scheduled = not fields and reasons == tuple(_due(declared, token, inputs.now))
        leaked = _leaked(declared, token, fields)
        changes.append(replace(rotate, generations=leaked, scheduled=scheduled))
    elif waits and changed:
        pass  # what changed comes with the new credential
    elif changed or found.state in TAKEN_UP or _moves(token, place):
        changes.append(_modify(token, found, fields, place, changed=changed))
    disables = _disables(declared, token, inputs.now)
    changes = [replace(one, disables=disables) for one in changes]
    changes.extend(_retire(token, fields, inputs.now, rotates=bool(reasons) and waits is None))
    was = None if token.name == declared.name else token.name
    yield from (replace(one, name=declared.name, previously=was) for one in changes)
    if waits:
        yield waits


def _waits(declared: Declared, token: LiveToken, now: int) -> Waiting | None:
    """Whether a new credential is not made yet. Another spec is another matter: it is tried at once."""
    setback = token.setback
    if setback is None or setback.spec != declared.digest or setback.retry_at <= now:
        return None
    return Waiting(setback.retry_at, token.name)


def _change(
    action: Action, token: LiveToken, reasons: tuple[str, ...], fields: tuple[FieldChange, ...] = ()
) -> Change:
    return Change(
        action,
        token.kind,
        token.name,
        reasons,
        fields,
        token_id=token.id,
        base=token.revision,
        before=token.declared,
    )


def _retire(
    token: LiveToken, fields: tuple[FieldChange, ...], now: int, *, rotates: bool
) -> Iterator[Change]:
    """The credentials that end by themselves, or that turn out to have leaked after they were replaced."""
    over = tuple(one.generation for one in token.credentials if _is_over(one, now))
    if over:
        reason = f"the overlap of generation {', '.join(map(str, over))} is over"
        yield replace(_change(Action.RETIRE, token, (reason,)), generations=over)
    told = any(one.field == LEAKED and one.after is True for one in fields)
    left = tuple(one.generation for one in token.credentials[1:] if one.generation not in over)
    if told and left and not rotates:
        reason = f"generation {', '.join(map(str, left))} leaked"
        yield replace(_change(Action.RETIRE, token, (reason,)), generations=left)


def _modify(
    token: LiveToken, found: Observed, fields: tuple[FieldChange, ...], place: str | None, *, changed: bool
) -> Change:
    """A change of the token or of its artifact that needs no new credential."""
    moved, resealed = _moves(token, place), found.state is ArtifactState.RESEALED
    renamed = next((one for one in fields if one.field == NAME), None)
    moves = "was moved" if found.state is ArtifactState.MOVED else "moves"
    reasons = (
        *([f"it was called {renamed.before}"] if renamed else []),
        *([_why_modify(token)] if changed and not fields else []),
        *(["its artifact was encrypted anew"] if resealed else []),
        *([f"its artifact {moves} from {token.artifact_path} to {place}"] if moved else []),
    )
    action = Action.MODIFY if changed or moved else Action.RESEAL
    action = Action.RENAME if renamed else action
    return replace(_change(action, token, reasons, fields), artifact=place if moved or resealed else None)


def _moves(token: LiveToken, place: str | None) -> bool:
    return place is not None and token.artifact_path not in (None, place)


def _why_modify(token: LiveToken) -> str:
    """Why a token is written anew although no field of its spec differs."""
    if token.spec_digest == NARROWED:
        return "an apply that was interrupted took access away, and this spec gives it"
    return "its normal form changed"


def _is_over(credential: Credential, now: int) -> bool:
    ended = credential.not_after is not None and credential.not_after <= now
    return credential.state is CredentialState.RETIRING and ended


def _why_rotate(
    declared: Declared,
    token: LiveToken,
    fields: tuple[FieldChange, ...],
    found: Observed,
    now: int,
) -> Iterator[str]:
    if found.state in LOST:
        yield LOST[found.state]
    if fields:
        yield from _asked(declared, fields)
        yield from _reissuing(declared.spec(), fields, token.name)
    yield from _due(declared, token, now)


def _asked(declared: Declared, fields: tuple[FieldChange, ...]) -> Iterator[str]:
    """A rotation that somebody asks for, later than the one that was asked for before."""
    if not any(one.field == ASKED and _is_later(one) for one in fields):
        return
    asked = declared.spec().asked
    if asked is not None and asked.leaked:
        yield f"it leaked, so the old credential ends at once: {asked.reason}"
    elif asked is not None:
        yield f"asked for: {asked.reason}"


def _is_later(field: FieldChange) -> bool:
    """Whether a moment comes, or moves on: taking an edit back asks for nothing."""
    return field.after is not None and str(field.after) > str(field.before or "")


def _leaked(declared: Declared, token: LiveToken, fields: tuple[FieldChange, ...]) -> tuple[int, ...]:
    """The credentials that end at once, as somebody else may hold them: all that there are."""
    asked = declared.spec().asked if any(one.field == ASKED and _is_later(one) for one in fields) else None
    return tuple(one.generation for one in token.credentials) if asked is not None and asked.leaked else ()


def _reissuing(spec: AnyTokenSpec, fields: tuple[FieldChange, ...], name: str) -> Iterator[str]:
    """The fields whose edit needs a new credential, or an artifact that cannot be written without one.

    `name` is the one that the token has live.
    """
    renames_delivered = any(change.field == DELIVERED_NAME for change in fields)
    for change in fields:
        if change.field == DELIVERED_NAME and (change.before or name) == (change.after or spec.metadata.name):
            continue
        part, _, rest = change.field.partition(".")
        carried = part == "spec" and rest.split(".")[0] in spec.what.reissued_by
        if carried or part == "deliver" or (spec.what.carries_end and change.field == "lifecycle.expires"):
            yield f"{change.field} changed, and the credential or its artifact carries it"
        if change.field == NAME and spec.delivers_name and not renames_delivered:
            yield "its name changed, and the Secret in its artifact is called by it"


def _due(declared: Declared, token: LiveToken, now: int) -> Iterator[str]:
    """By its schedule, or because the credential ends by itself. A token that is off or over rests.

    What counts is the token as it will be: a spec that turns it on again makes it due again.
    """
    token = _as_declared(declared, token, now)
    due = token.due_at
    if due is None or due > now or token.state_at(now) is not TokenState.ACTIVE:
        return
    rotate = declared.spec().lifecycle.rotate
    every = rotate.every if rotate else None
    why = f" (every {every})" if every else " (before its credential ends)"
    yield f"due since {day(due)}{why}"


def _disables(declared: Declared, token: LiveToken, now: int) -> bool:
    """Whether a token that works is switched off by its spec, or is past its end by it."""
    works = token.state_at(now) is TokenState.ACTIVE
    return works and _as_declared(declared, token, now).state_at(now) is not TokenState.ACTIVE


def _as_declared(declared: Declared, token: LiveToken, now: int) -> LiveToken:
    if declared.digest == token.spec_digest:
        return token
    return modified(token, declared, Circumstances(now, None))


def _unnamed(declared: Declared, token: LiveToken, found: Observed, inputs: Inputs) -> Iterator[str]:
    """Who could open the secret, and is not to have it any more: they have seen what it holds.

    A token that is off or over rests, unless who they are would be forgotten.
    """
    if found.state in TAKEN_UP and token.artifact_recipients is None:
        yield "its artifact is another file now, and nobody kept to whom it was sealed before"
        return
    place = inputs.delivery.path(declared)
    named = None if place is None else inputs.delivery.named(place)
    if named is None:
        return
    seen = dict.fromkeys((*(token.artifact_recipients or ()), *found.recipients))
    gone = [name for name in seen if not _is_among(name, named)]
    if gone and _as_declared(declared, token, inputs.now).state_at(inputs.now) is TokenState.ACTIVE:
        yield f"it was sealed to {', '.join(map(_short, gone))}, whom no creation rule names for it any more"


def _is_among(name: str, named: frozenset[str]) -> bool:
    return normal(name) in named or any(is_version_of(name, one) for one in named)


def _short(name: str) -> str:
    """Enough of a recipient to tell it by: a public key is long."""
    return name if len(name) <= NAME_SHOWN else f"{name[: NAME_SHOWN - 8]}…{name[-6:]}"
