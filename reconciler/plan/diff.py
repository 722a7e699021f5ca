"""What must change so that live equals specs: a pure function of specs, live tokens, artifacts and time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from reconciler.live.interface import Credential, CredentialState, LiveToken, TokenState
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.fields import field_changes
from reconciler.plan.transition import NARROWED, Circumstances, modified
from reconciler.specs.model import AnyTokenSpec
from reconciler.specs.reader import Declared
from reconciler.times import day


class ArtifactState(StrEnum):
    """How the sealed file in the tree compares with the live token that it belongs to."""

    SAME = "same"
    RESEALED = "resealed"
    """The right header, other bytes: encrypted anew for other recipients."""
    MISSING = "missing"
    FOREIGN = "foreign"
    """Its header names another token or generation."""
    BROKEN = "broken"
    """It is no sealed file at all."""


LOST = {
    ArtifactState.MISSING: "its artifact is missing",
    ArtifactState.FOREIGN: "its artifact belongs to another token or generation",
    ArtifactState.BROKEN: "its artifact cannot be read",
}


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that the difference depends on."""

    declared: Iterable[Declared]
    """One for each name."""
    live: Iterable[tuple[LiveToken, ArtifactState]]
    """Each live token with what became of its artifact; read once, and not kept."""
    now: int
    """Epoch seconds."""


def difference(inputs: Inputs) -> tuple[Change, ...]:
    """The changes, in the order in which a plan shows them, whatever the order of the inputs."""
    wanted = {declared.name: declared for declared in inputs.declared}
    changes: list[Change] = []
    for token, artifact in inputs.live:
        changes.extend(_of_live(wanted.pop(token.name, None), token, artifact, inputs.now))
    changes.extend(_issue(declared, inputs.now) for declared in wanted.values())
    return tuple(sorted(changes, key=lambda change: change.order))


def _of_live(
    declared: Declared | None, token: LiveToken, artifact: ArtifactState, now: int
) -> Iterator[Change]:
    if declared is None:
        yield _delete(token, "no spec declares it any more")
    elif token.kind != declared.kind:
        yield _delete(token, f"its spec is a {declared.kind} now")
        yield _issue(declared, now)
    else:
        yield from _between(declared, token, artifact, now)


def _issue(declared: Declared, now: int) -> Change:
    reasons: tuple[str, ...] = ("no live token has this name",)
    if declared.sets("expires"):
        spec = declared.spec()
        expires = spec.expires_at(now)
        if expires is not None and expires <= now:
            reasons += (f"it is past its end ({spec.lifecycle.expires}), so it will not work",)
    return Change(Action.ISSUE, declared.kind, declared.name, reasons)


def _delete(token: LiveToken, reason: str) -> Change:
    return Change(Action.DELETE, token.kind, token.name, (reason,), token_id=token.id, base=token.revision)


def _between(declared: Declared, token: LiveToken, artifact: ArtifactState, now: int) -> Iterator[Change]:
    changed = declared.digest != token.spec_digest
    fields = field_changes(token.declared, declared.normal) if changed else ()
    reasons = tuple(_why_rotate(declared, token, fields, artifact, now))
    over = tuple(credential.generation for credential in token.credentials if _is_over(credential, now))
    if reasons:
        yield _change(Action.ROTATE, token, reasons, fields)
    elif changed:
        yield _change(Action.MODIFY, token, () if fields else (_why_modify(token),), fields)
    elif artifact is ArtifactState.RESEALED:
        yield _change(Action.RESEAL, token, ("its artifact was encrypted anew",))
    if over:
        yield Change(
            Action.RETIRE,
            token.kind,
            token.name,
            (f"the overlap of generation {', '.join(map(str, over))} is over",),
            token_id=token.id,
            base=token.revision,
            generations=over,
        )


def _change(
    action: Action, token: LiveToken, reasons: tuple[str, ...], fields: tuple[FieldChange, ...] = ()
) -> Change:
    return Change(action, token.kind, token.name, reasons, fields, token_id=token.id, base=token.revision)


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
    artifact: ArtifactState,
    now: int,
) -> Iterator[str]:
    if artifact in LOST:
        yield LOST[artifact]
    if fields:
        yield from _reissuing(declared.spec(), fields)
    yield from _due(declared, token, now)


def _reissuing(spec: AnyTokenSpec, fields: tuple[FieldChange, ...]) -> Iterator[str]:
    """The fields whose edit needs a new credential, or an artifact that cannot be written without one."""
    for change in fields:
        part, _, rest = change.field.partition(".")
        carried = part == "spec" and rest.split(".")[0] in spec.what.reissued_by
        if carried or part == "deliver" or (spec.what.carries_end and change.field == "lifecycle.expires"):
            yield f"{change.field} changed, and the credential or its artifact carries it"


def _due(declared: Declared, token: LiveToken, now: int) -> Iterator[str]:
    """By its schedule, or because the credential ends by itself. A token that is off or over rests.

    What counts is the token as it will be: a spec that turns it on again makes it due again.
    """
    if declared.digest != token.spec_digest:
        token = modified(token, declared, Circumstances(now, None))
    due = token.due_at
    if due is None or due > now or token.state_at(now) is not TokenState.ACTIVE:
        return
    rotate = declared.spec().lifecycle.rotate
    why = f" (every {rotate.every})" if rotate else " (before its credential ends)"
    yield f"due since {day(due)}{why}"
