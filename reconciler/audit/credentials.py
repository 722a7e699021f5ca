"""When the newest credential of each live token ends, as records are read one by one. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.plan.change import Action
from reconciler.records.body import Change
from reconciler.specs.model import AnyTokenSpec


@dataclass(slots=True)
class Credentials:
    """What records tell of them; one whose spec nobody tells has no end that is known."""

    _newest: dict[str, int] = field(default_factory=dict)
    """Id of a token → the generation of its newest credential."""
    _lasts: dict[str, int | None] = field(default_factory=dict)
    """Id → when that ends, in epoch seconds; None for one that does not by itself."""

    def lasts(self, token: str) -> int | None:
        """When the newest credential of a token ends, or ended; None where it goes on."""
        return self._lasts.get(token)

    def take(self, token: str, change: Change, spec: AnyTokenSpec | None, at: int, issued_at: int) -> None:
        """What a change that was done at a moment made or ended, under the spec that it left."""
        if change.action in (Action.ISSUE, Action.ROTATE):
            self._newest[token] = change.generation
            self._lasts[token] = None if spec is None else spec.lasts(at, issued_at)
        elif change.action == Action.RETIRE and change.generation == self._newest.get(token):
            self._lasts[token] = at  # it leaked: none works until there is another
