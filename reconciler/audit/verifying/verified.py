"""What was checked, what was not, and what was found: as an auditor reads it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.audit.verifying.finding import SCHEMA, Finding


@dataclass(frozen=True, slots=True)
class Checked:
    """What one check came to."""

    found: Iterable[Finding] = ()
    looked: Mapping[str, str] = field(default_factory=dict)
    """What was looked at → how much of it, in words."""
    unchecked: Sequence[str] = ()
    """What nobody looked at, and why."""


@dataclass(slots=True)
class Verified:
    """One look at a workspace."""

    workspace: str
    commit: str
    """That was looked at."""
    folder: str
    """Of the records."""
    found: list[Finding] = field(default_factory=list)
    checked: dict[str, str] = field(default_factory=dict)
    """What was looked at → how much of it, in words."""
    unchecked: list[str] = field(default_factory=list)
    """What nobody looked at, and why."""
    head: str | None = None
    """The digest of the newest record: what to note, and to ask for the next time."""

    @property
    def faults(self) -> list[Finding]:
        """What should not be so."""
        return list(dict.fromkeys(one for one in self.found if not one.is_note))

    @property
    def notes(self) -> list[Finding]:
        """What somebody should have seen."""
        return list(dict.fromkeys(one for one in self.found if one.is_note))

    def add(self, one: Checked) -> None:
        """Adds what one check came to."""
        self.found.extend(one.found)
        self.checked.update(one.looked)
        self.unchecked.extend(one.unchecked)

    def to_json(self) -> Mapping[str, object]:
        """As in `reconciler/audit-verify/v1`."""
        return {
            "schema": SCHEMA,
            "workspace": self.workspace,
            "commit": self.commit,
            "head": self.head,
            "findings": [one.to_json() for one in self.faults],
            "notes": [one.to_json() for one in self.notes],
            "checked": self.checked,
            "unchecked": self.unchecked,
        }
