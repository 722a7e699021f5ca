"""One of the two that are compared, and what may differ between them beside tokens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.artifacts.names import normal
from reconciler.artifacts.rules import Config
from reconciler.canonical import Json
from reconciler.errors import NoRecipients
from reconciler.plan.change import FieldChange
from reconciler.specs.load import Specs
from reconciler.specs.reader import Declared


@dataclass(frozen=True, slots=True)
class Side:
    """A workspace as of one moment."""

    specs: Specs
    rules: Config | None
    """Its creation rules; None where it has none that can be read."""

    def place(self, declared: Declared) -> str | None:
        """Where the artifact of a token is to stand; None where its owner brings the key."""
        return declared.artifact_path(self.specs.settings.layout)

    def recipients(self, place: str | None) -> tuple[str, ...]:
        """To whom what stands at a place is sealed, by name; nobody where no rule says."""
        if self.rules is None or place is None:
            return ()
        try:
            return self.rules.match(place).recipients.names
        except NoRecipients:
            return ()

    def named(self, place: str) -> frozenset[str] | None:
        """The same in normal form; None where no rule says."""
        return frozenset(map(normal, self.recipients(place))) or None


class Effect(StrEnum):
    """What a difference does to what tokens and plans are held against."""

    LOOSENS = "loosens"
    TIGHTENS = "tightens"
    CHANGES = "changes"
    """Neither can be said: somebody must read it."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One thing that differs in settings, policies, catalog or creation rules."""

    what: str
    """What it is about, in a few words."""
    field: FieldChange
    effect: Effect = Effect.CHANGES
    tokens: tuple[str, ...] = ()
    """Names of the tokens that it reaches, where that can be told."""

    def to_json(self) -> dict[str, Json]:
        """As in the document of a comparison."""
        document: dict[str, Json] = {"what": self.what, **self.field.to_json(), "effect": self.effect.value}
        return {**document, "tokens": self.tokens} if self.tokens else document


def of_set(what: str, field: str, added: set[str], removed: set[str], effect: Effect) -> Shift:
    """What came to a set of names and what left it."""
    return Shift(what, FieldChange(field, added=tuple(sorted(added)), removed=tuple(sorted(removed))), effect)


def by_order(before: int, after: int) -> Effect:
    """The effect of a limit: more lets more through."""
    return Effect.LOOSENS if after > before else Effect.TIGHTENS
