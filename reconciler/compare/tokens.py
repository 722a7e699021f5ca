"""What two sides differ in, token by token: what an apply of the one would do where the other is live.

So it is the plan's own knowledge that tells what an edit means for a credential. What only the live store
knows is not in it: whether the base was applied at all, what is due, what became of artifacts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pydantic_core import from_json

from reconciler.canonical import Json
from reconciler.compare.side import Side
from reconciler.kinds import all_kinds
from reconciler.kinds.interface import Grants
from reconciler.live.interface import Credential, CredentialState, LiveToken
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.diff import NEW, Inputs, difference
from reconciler.plan.fields import Tree, field_changes, tree_changes
from reconciler.plan.observed import ArtifactState, Delivery, Observed
from reconciler.plan.transition import Circumstances, SealedArtifact, issued
from reconciler.specs.reader import Declared

WHOLE = Observed(ArtifactState.SAME)
TOLD = ("apiVersion", "kind")
"""What a change says of its token anyway."""


@dataclass(frozen=True, slots=True)
class TokenChange:
    """One token that means something else, or is on one side only."""

    change: Change
    """What an apply would do. Its live token is none that there is."""
    before: Declared | None
    after: Declared | None
    gains: Grants
    """What it may do that it could not, by the words of its kind."""
    loses: Grants
    through: tuple[str, ...]
    """The groups of the catalog by which it gains or loses."""

    @property
    def owners(self) -> tuple[str | None, ...]:
        """Who answers for it, and who did."""
        return tuple(dict.fromkeys(one.owner for one in (self.after, self.before) if one is not None))

    @property
    def shown(self) -> Declared | None:
        """The spec that tells of it: the newer one, where there is one."""
        return self.after or self.before

    def to_json(self) -> dict[str, Json]:
        """As in the document of a comparison."""
        change = self.change
        document: dict[str, Json] = {
            "action": change.action.value,
            "kind": change.kind,
            "name": change.name,
            "owner": self.owners[0] if self.owners else None,
            "file": self.shown.file if self.shown else None,
            "reasons": change.reasons,
            "fields": [field.to_json() for field in change.fields],
            "gains": dict(self.gains),
            "loses": dict(self.loses),
        }
        if change.previously is not None:
            document["previously"] = change.previously
        if self.through:
            document["through"] = self.through
        return document


def token_changes(base: Side, head: Side, now: int) -> list[TokenChange]:
    """Every token whose meaning differs, what is destroyed first.

    `now` is in epoch seconds: it tells which ends are past.
    """
    old, new = _differing(base, head)
    live = ((_as_live(base, declared, now), WHOLE) for declared in old.values())
    delivery = Delivery(head.place, head.named)
    found = difference(Inputs(new.values(), live, delivery, now))
    return [_told(one, base, head, old, new) for one in found.changes]


def _differing(base: Side, head: Side) -> tuple[Mapping[str, Declared], Mapping[str, Declared]]:
    """The tokens of both sides, by name, without those that are the same in all that counts."""
    old = {one.name: one for one in base.specs.tokens}
    new = {one.name: one for one in head.specs.tokens}
    moved = base.rules != head.rules or base.specs.settings.layout != head.specs.settings.layout
    for name in old.keys() & new.keys():
        one, other = old[name], new[name]
        same = one.digest == other.digest or (
            one.kind == other.kind and not field_changes(one.normal, other.normal)
        )
        if same and not (moved and _goes_elsewhere(base, head, one, other)):
            del old[name], new[name]
    return old, new


def _goes_elsewhere(base: Side, head: Side, one: Declared, other: Declared) -> bool:
    before, after = base.place(one), head.place(other)
    return before != after or base.recipients(before) != head.recipients(after)


def _as_live(base: Side, declared: Declared, now: int) -> LiveToken:
    """The token as if the base had been applied just now. Nothing of it is due."""
    place = base.place(declared)
    artifact = None if place is None else SealedArtifact(place, "", base.recipients(place))
    credential = Credential(1, CredentialState.ACTIVE, "", now, None)
    return replace(issued(declared, "", credential, artifact, Circumstances(now, None)), due_at=None)


def _told(
    change: Change, base: Side, head: Side, old: Mapping[str, Declared], new: Mapping[str, Declared]
) -> TokenChange:
    after = None if change.action is Action.DELETE else new.get(change.name)
    before = None if change.action is Action.ISSUE else old.get(change.live_name)
    if before is None or after is None:
        reasons = tuple(reason for reason in change.reasons if reason != NEW)
        fields = all_of(before and before.normal, after and after.normal)
        change = replace(change, reasons=reasons, fields=fields)
    held, wanted = _grants(before), _grants(after)
    return TokenChange(
        change,
        before,
        after,
        beyond(wanted, held),
        beyond(held, wanted),
        tuple(sorted({*_groups(change.fields, before, base), *_groups(change.fields, after, head)})),
    )


def all_of(before: str | None, after: str | None) -> tuple[FieldChange, ...]:
    """All that a normal form says of a token that is on one side only, without what is not said."""
    return tree_changes(_tree(before), _tree(after))


def _tree(normal: str | None) -> Tree:
    if normal is None:
        return {}
    tree: dict[str, dict[str, Json]] = from_json(normal)
    told = {part: value for part, value in tree.items() if part not in TOLD}
    return {**told, "metadata": {part: one for part, one in tree["metadata"].items() if part != "name"}}


def _grants(declared: Declared | None) -> Grants:
    if declared is None:
        return {}
    spec = declared.spec()
    return spec.what.grants(spec.spec)


def beyond(grants: Grants, others: Grants) -> Grants:
    """What the one grant and the others do not."""
    found = {
        name: tuple(one for one in names if one not in others.get(name, ())) for name, names in grants.items()
    }
    return {name: names for name, names in found.items() if names}


def _groups(fields: Iterable[FieldChange], declared: Declared | None, side: Side) -> Iterator[str]:
    """The groups in a spec that give names which one side has and the other has not."""
    if declared is None or not declared.written:
        return
    written, sections = dict(declared.written), all_kinds()[declared.kind].catalog
    for field in fields:
        differs = {*field.added, *field.removed}
        name = field.field.removeprefix("spec.")
        for group in written.get(name, ()):
            held = side.specs.catalog[sections[name]].held.get(group, frozenset())
            if differs & held:
                yield group
