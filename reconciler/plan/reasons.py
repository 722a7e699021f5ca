"""Why a token needs a new credential: what was edited, asked for, lost, seen by others, or is due. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from reconciler.artifacts.names import is_version_of, normal
from reconciler.kinds.ownkeys import FIELD
from reconciler.live.interface import LiveToken, TokenState
from reconciler.plan.change import FieldChange
from reconciler.plan.observed import LOST, TAKEN_UP, Delivery, Observed
from reconciler.plan.ownkeys import ASKED
from reconciler.plan.transition import Circumstances, modified
from reconciler.specs.model import DELIVERED_NAME, AnyTokenSpec
from reconciler.specs.reader import Declared
from reconciler.times import day

NAME, LEAKED = "metadata.name", "lifecycle.rotate.asked.leaked"
BROUGHT = ("algorithm", FIELD)
"""Of the fields that a credential carries, those that matter where its owner brings the key."""
NAME_SHOWN = 40
"""Letters of a recipient that a reason has room for."""

Fields = tuple[FieldChange, ...]


def by_edit(declared: Declared, fields: Fields, name: str) -> Iterator[str]:
    """What an edit of the spec asks for. `name` is the one that the token has live."""
    if fields:
        yield from _asked(declared, fields)
        yield from _reissuing(declared.spec(), fields, name)


def by_state(
    declared: Declared, token: LiveToken, found: Observed, delivery: Delivery, now: int
) -> Iterator[str]:
    """What asks for it whatever the spec says."""
    if found.state in LOST:
        yield LOST[found.state]
    if not token.credentials and as_declared(declared, token, now).state_at(now) is TokenState.ACTIVE:
        yield "none of its credentials works any more"
    yield from _unnamed(declared, token, found, delivery, now)


def is_leak(declared: Declared, fields: Fields) -> bool:
    """Whether the edit says that somebody else may hold what is live."""
    asked = declared.spec().asked if any(one.field in (ASKED, LEAKED) for one in fields) else None
    return asked is not None and asked.leaked and _is_asked(fields)


def _is_asked(fields: Fields) -> bool:
    """Whether the moment comes, or moves on, or what was asked for turns out to have leaked.

    Taking an edit back asks for nothing.
    """
    return any(
        one.after is True if one.field == LEAKED else one.field == ASKED and _is_later(one) for one in fields
    )


def _is_later(field: FieldChange) -> bool:
    return field.after is not None and str(field.after) > str(field.before or "")


def _asked(declared: Declared, fields: Fields) -> Iterator[str]:
    """A rotation that somebody asks for."""
    asked = declared.spec().asked if _is_asked(fields) else None
    if asked is not None:
        yield f"it leaked: {asked.reason}" if asked.leaked else f"asked for: {asked.reason}"


def _reissuing(spec: AnyTokenSpec, fields: Fields, name: str) -> Iterator[str]:
    """The fields whose edit needs a new credential, or an artifact that cannot be written without one."""
    renames_delivered = any(change.field == DELIVERED_NAME for change in fields)
    for change in fields:
        if change.field == DELIVERED_NAME and (change.before or name) == (change.after or spec.metadata.name):
            continue
        part, _, rest = change.field.partition(".")
        carried = part == "spec" and _is_carried(spec, rest.split(".")[0])
        if carried or part == "deliver" or (spec.what.carries_end and change.field == "lifecycle.expires"):
            yield f"{change.field} changed, and the credential or its artifact carries it"
        if change.field == NAME and spec.delivers_name and not renames_delivered:
            yield "its name changed, and the Secret in its artifact is called by it"


def _is_carried(spec: AnyTokenSpec, field: str) -> bool:
    return field in spec.what.reissued_by and (spec.own_key is None or field in BROUGHT)


def due(declared: Declared, token: LiveToken, now: int) -> Iterator[str]:
    """By its schedule, or because the credential ends by itself. A token that is off or over rests.

    What counts is the token as it will be: a spec that turns it on again makes it due again.
    """
    token = as_declared(declared, token, now)
    since = token.due_at
    if since is None or since > now or token.state_at(now) is not TokenState.ACTIVE:
        return
    rotate = declared.spec().lifecycle.rotate
    every = rotate.every if rotate else None
    why = f" (every {every})" if every else " (before its credential ends)"
    yield f"due since {day(since)}{why}"


def as_declared(declared: Declared, token: LiveToken, now: int) -> LiveToken:
    """The token as its spec will have it."""
    if declared.digest == token.spec_digest:
        return token
    return modified(token, declared, Circumstances(now, None))


def _unnamed(
    declared: Declared, token: LiveToken, found: Observed, delivery: Delivery, now: int
) -> Iterator[str]:
    """Who could open the secret, and is not to have it any more: they have seen what it holds.

    A token that is off or over rests, unless who they are would be forgotten.
    """
    if found.state in TAKEN_UP and token.artifact_recipients is None:
        yield "its artifact is another file now, and nobody kept to whom it was sealed before"
        return
    place = delivery.path(declared)
    named = None if place is None else delivery.named(place)
    if named is None:
        return
    gone = _gone((*(token.artifact_recipients or ()), *found.recipients), named)
    if gone and as_declared(declared, token, now).state_at(now) is TokenState.ACTIVE:
        yield f"it was sealed to {', '.join(map(_short, gone))}, whom no creation rule names for it any more"


@lru_cache(maxsize=1024)  # many tokens are sealed to the same
def _gone(seen: tuple[str, ...], named: frozenset[str]) -> tuple[str, ...]:
    """Those who were sealed to, and are named no more."""
    return tuple(name for name in dict.fromkeys(seen) if not _is_among(name, named))


def _is_among(name: str, named: frozenset[str]) -> bool:
    return normal(name) in named or any(is_version_of(name, one) for one in named)


def _short(name: str) -> str:
    """Enough of a recipient to tell it by: a public key is long."""
    return name if len(name) <= NAME_SHOWN else f"{name[: NAME_SHOWN - 8]}…{name[-6:]}"
