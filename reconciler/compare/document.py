"""All that two sides differ in, as data: the same for the same sides, whatever files they stand in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from reconciler.canonical import Json
from reconciler.compare.catalog import catalog_shifts
from reconciler.compare.policies import policy_shifts
from reconciler.compare.rules import rule_shifts
from reconciler.compare.settings import settings_shifts
from reconciler.compare.side import Shift, Side
from reconciler.compare.tokens import TokenChange, token_changes
from reconciler.plan.change import Action, summary

SCHEMA = "reconciler/diff/v1"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What head has and base has not, and the other way round."""

    changes: tuple[TokenChange, ...]
    """What is destroyed comes first, then by name."""
    settings: tuple[Shift, ...]
    policies: tuple[Shift, ...]
    catalog: tuple[Shift, ...]
    rules: tuple[Shift, ...]

    @property
    def parts(self) -> tuple[tuple[str, tuple[Shift, ...]], ...]:
        """All that is no token, each part with its title."""
        return (
            ("Settings", self.settings),
            ("Policies", self.policies),
            ("Catalog", self.catalog),
            ("Creation rules", self.rules),
        )

    @property
    def is_empty(self) -> bool:
        """Whether both sides mean the same."""
        return not self.changes and not any(shifts for _, shifts in self.parts)

    @property
    def summary(self) -> dict[str, int]:
        """How many changes of each action there are."""
        return summary(tuple(one.change for one in self.changes))

    @property
    def owners(self) -> list[tuple[str | None, dict[str, int]]]:
        """Who is affected, by how many changes of each action; those without an owner come last.

        A token that changes hands counts for both.
        """
        counts: dict[str | None, Counter[Action]] = {}
        for one in self.changes:
            for owner in one.owners:
                counts.setdefault(owner, Counter())[one.change.action] += 1
        return [
            (owner, {action.value: counts[owner][action] for action in Action if counts[owner][action]})
            for owner in sorted(counts, key=lambda owner: (owner is None, owner or ""))
        ]

    def to_json(self, base: str | None, head: str | None) -> dict[str, Json]:
        """The document, with the ids of the commits; None for the work tree, and before the first commit."""
        return {
            "schema": SCHEMA,
            "base": base,
            "head": head,
            "summary": self.summary,
            "changes": [one.to_json() for one in self.changes],
            "owners": [{"owner": owner, "summary": counts} for owner, counts in self.owners],
            "settings": [one.to_json() for one in self.settings],
            "policies": [one.to_json() for one in self.policies],
            "catalog": [one.to_json() for one in self.catalog],
            "rules": [one.to_json() for one in self.rules],
        }


def compared(base: Side, head: Side, now: int) -> Comparison:
    """What differs. `now` is in epoch seconds: it tells which ends are past."""
    return Comparison(
        tuple(token_changes(base, head, now)),
        tuple(settings_shifts(base.specs, head.specs)),
        tuple(policy_shifts(base.specs.policies, head.specs.policies)),
        tuple(catalog_shifts(base.specs, head.specs)),
        tuple(rule_shifts(base, head)),
    )
