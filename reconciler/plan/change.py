"""What a plan is made of: changes, each with its reasons and the fields that differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.canonical import Json


class Action(StrEnum):
    """What a change does, in the order in which a plan shows and apply carries out."""

    DELETE = "delete"
    RETIRE = "retire"
    ROTATE = "rotate"
    RENAME = "rename"
    MODIFY = "modify"
    RESEAL = "reseal"
    ISSUE = "issue"


ORDER = {action: place for place, action in enumerate(Action)}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a spec that differs from what is live. It never holds a secret."""

    field: str
    """Dotted, as `spec.apis`."""
    before: Json = None
    after: Json = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def is_set(self) -> bool:
        """Whether it is a set of names, told by what comes and goes."""
        return bool(self.added or self.removed)

    def to_json(self) -> Mapping[str, Json]:
        """As in the plan document."""
        if self.is_set:
            return {"field": self.field, "added": self.added, "removed": self.removed}
        return {"field": self.field, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that apply will do to one token."""

    action: Action
    kind: str
    name: str
    reasons: tuple[str, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    token_id: str | None = None
    """Of the live token that it starts from; None for an issue."""
    base: int = 0
    """The revision at which that live token last changed: if it moved, the plan is stale."""
    generations: tuple[int, ...] = ()
    """The credentials that it ends at once: those whose overlap is over, or that leaked."""
    previously: str | None = None
    """The name that its token has in the live store, where it is to have another."""
    artifact: str | None = None
    """Where its artifact will stand, when one that is in the tree is taken as it is: moved, or encrypted
    anew by somebody."""
    spec: str | None = None
    """Digest of the spec that its token is to have; None where no spec declares it."""
    before: str = field(default="", compare=False, repr=False)
    """The normal form that is live, for policies and brakes; it is no part of the plan."""
    disables: bool = field(default=False, compare=False, repr=False)
    """Whether it takes a working token out of service, for brakes; it is no part of the plan."""
    scheduled: bool = field(default=False, compare=False, repr=False)
    """Whether nothing but time asks for it: a rotation that is due, a credential whose overlap is over. For
    brakes, and for what was approved; it is no part of the plan."""

    @property
    def live_name(self) -> str:
        """The name that its token has before it."""
        return self.previously or self.name

    @property
    def order(self) -> tuple[int, str]:
        """Sort key: what is destroyed comes first, then by name."""
        return ORDER[self.action], self.name

    def to_json(self) -> Mapping[str, Json]:
        """As in the plan document, without what is empty."""
        document: dict[str, Json] = {
            "action": self.action.value,
            "kind": self.kind,
            "name": self.name,
            "reasons": self.reasons,
            "fields": [field.to_json() for field in self.fields],
        }
        if self.token_id is not None:
            document["live"] = {"id": self.token_id, "revision": self.base}
        if self.spec is not None:
            document["spec"] = self.spec
        if self.previously is not None:
            document["previously"] = self.previously
        if self.generations:
            document["generations"] = self.generations
        if self.artifact is not None:
            document["artifact"] = self.artifact
        return document


DONE, FAILED, UNTRIED = "done", "failed", "untried"
"""Outcomes of a change."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a run leaves of a token."""

    digest: str
    """Of all that the live store holds of it."""
    spec: str | None
    """Digest of the spec that it has; None where it has none, or not yet all that its spec gives."""


@dataclass(frozen=True, slots=True)
class Done:
    """One change as it was carried out."""

    number: int
    """Position in the plan."""
    action: str
    kind: str
    name: str
    token_id: str
    generation: int
    path: str | None = None
    """Of the artifact that is in place now, if the change put one there."""
    digest: str | None = None
    contents: str | None = None
    """Digest of what was sealed, if that is new."""
    left: Left | None = None
    """What its token becomes by it, where it becomes something."""
    declared: str | None = None
    """The spec of that in normal form, where the token had another before."""
    removed: str | None = None
    """Of the artifact that left the tree."""
    previously: str | None = None
    """The name that the token had before, where the change gave it another."""
    outcome: str = DONE
    error: str | None = None
    """The code of what went wrong, where the outcome is another."""
    why: str | None = None
    """The same in words: for people, and for no record, as other programs may have chosen them."""

    @property
    def staged(self) -> bool:
        """Whether an artifact of it goes into place: a new one, or one that moves."""
        return self.path is not None and (self.contents is not None or self.removed is not None)


def summary(changes: tuple[Change, ...]) -> dict[str, int]:
    """How many changes of each action there are, those with none left out."""
    counts = {action.value: sum(change.action is action for change in changes) for action in Action}
    return {action: count for action, count in counts.items() if count}
