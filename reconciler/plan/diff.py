"""What must change so that live equals specs: a pure function of specs, live tokens, artifacts and time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reconciler.kinds.ownkeys import fingerprint
from reconciler.live.interface import Credential, CredentialState, LiveToken, TokenState
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.fields import field_changes
from reconciler.plan.observed import TAKEN_UP, ArtifactState, Delivery, Observed
from reconciler.plan.reasons import NAME, as_declared, by_edit, by_state, due, is_leak
from reconciler.plan.transition import LONGEST_PAUSE, NARROWED
from reconciler.specs.reader import Declared

DAY = 86_400
NEW = "no live token has this name"
"""Why a token is issued."""


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
    reasons: tuple[str, ...] = (NEW,)
    if (key := declared.own_key) is not None:
        reasons += (f"its owner brings the key {fingerprint(key)}",)
    if declared.sets("expires"):
        spec = declared.spec()
        expires = spec.expires_at(now)
        if expires is not None and expires <= now:
            reasons += (f"it is past its end ({spec.lifecycle.expires}), so it will not work",)
    return Change(Action.ISSUE, declared.kind, declared.name, reasons, spec=declared.digest)


def _delete(token: LiveToken, reason: str) -> Change:
    return _change(Action.DELETE, token, (reason,))


def _between(
    declared: Declared, token: LiveToken, found: Observed, inputs: Inputs
) -> Iterator[Change | Waiting]:
    """What the difference between a spec and its token asks for, and what of it waits."""
    fields = field_changes(token.declared, declared.normal) if declared.digest != token.spec_digest else ()
    waits = None if inputs.retry else _waits(declared, token, inputs.now)
    rotate = _rotate(declared, token, found, inputs, fields)
    if rotate is not None and waits is None:
        change: Change | None = rotate
    elif rotate is not None and any(by_edit(declared, fields, token.name)):
        change = None  # what was edited comes with the new credential
    else:
        change = _modify(declared, token, found, inputs, fields)
    if change is not None:
        change = replace(change, disables=_disables(declared, token, inputs.now))
    for one in (*_retire(declared, token, fields, inputs.now), change):
        if one is not None:
            was = None if token.name == declared.name else token.name
            yield replace(one, name=declared.name, previously=was, spec=declared.digest)
    if rotate is not None and waits is not None:
        yield waits


def _rotate(
    declared: Declared, token: LiveToken, found: Observed, inputs: Inputs, fields: tuple[FieldChange, ...]
) -> Change | None:
    """A new credential, where anything asks for one."""
    others = (
        *by_edit(declared, fields, token.name),
        *by_state(declared, token, found, inputs.delivery, inputs.now),
    )
    reasons = (*others, *due(declared, token, inputs.now))
    if not reasons:
        return None
    return replace(_change(Action.ROTATE, token, reasons, fields), scheduled=not fields and not others)


def _waits(declared: Declared, token: LiveToken, now: int) -> Waiting | None:
    """Whether a new credential is not made yet. Another spec is another matter: it is tried at once.

    No pause is longer than the longest: a clock that was ahead once does not stop rotations for good.
    """
    setback = token.setback
    if setback is None or setback.spec != declared.digest:
        return None
    return Waiting(setback.retry_at, token.name) if now < setback.retry_at <= now + LONGEST_PAUSE else None


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
    declared: Declared, token: LiveToken, fields: tuple[FieldChange, ...], now: int
) -> Iterator[Change]:
    """The credentials whose overlap is over, and those that somebody else may hold: these end at once."""
    over = tuple(one.generation for one in token.credentials if _is_over(one, now))
    if over:
        reason = f"the overlap of generation {', '.join(map(str, over))} is over"
        yield replace(_change(Action.RETIRE, token, (reason,)), generations=over, scheduled=True)
    leaked = tuple(one.generation for one in token.credentials if one.generation not in over)
    if leaked and is_leak(declared, fields):
        reason = f"generation {', '.join(map(str, leaked))} leaked, so it ends at once"
        yield replace(_change(Action.RETIRE, token, (reason,)), generations=leaked)


def _modify(
    declared: Declared, token: LiveToken, found: Observed, inputs: Inputs, fields: tuple[FieldChange, ...]
) -> Change | None:
    """A change of the token or of its artifact that needs no new credential."""
    changed, place = declared.digest != token.spec_digest, inputs.delivery.path(declared)
    if not (changed or found.state in TAKEN_UP or _moves(token, place)):
        return None
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


def _disables(declared: Declared, token: LiveToken, now: int) -> bool:
    """Whether its spec switches a token off that works, or has it end by tomorrow and it did not before."""
    tomorrow = now + DAY
    works = token.state_at(now) is TokenState.ACTIVE
    goes_on = token.state_at(tomorrow) is TokenState.ACTIVE
    after = as_declared(declared, token, now)
    return (works and after.state_at(now) is not TokenState.ACTIVE) or (
        goes_on and after.state_at(tomorrow) is not TokenState.ACTIVE
    )
