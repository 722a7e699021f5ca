"""One thing that should not be so, or that an auditor should know. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

SCHEMA = "reconciler/audit-verify/v1"


class Check(StrEnum):
    """What a finding is about. Machines know these: they stay."""

    RECORD_MISSING = "record-missing"
    RECORD_DOUBLED = "record-doubled"
    RECORD_UNREADABLE = "record-unreadable"
    RECORD_MISNAMED = "record-misnamed"
    RECORD_EDITED = "record-edited"
    RECORD_BACKDATED = "record-backdated"
    RECORD_FOREIGN = "record-foreign"
    RECORD_CHANGED_LATER = "record-changed-later"
    RECORD_REMOVED = "record-removed"
    RECORD_UNTRACED = "record-untraced"
    RECORD_UNSIGNED = "record-unsigned"
    RECORD_SIGNATURE = "record-signature"
    ANCHOR_MISSING = "anchor-missing"
    ARTIFACT_DIGEST = "artifact-digest"
    ARTIFACT_MISSING = "artifact-missing"
    ARTIFACT_CHANGED = "artifact-changed"
    ARTIFACT_REKEYED = "artifact-rekeyed"
    ARTIFACT_UNEXPLAINED = "artifact-unexplained"
    UNDECLARED_CHANGE = "undeclared-change"
    COMMIT_UNKNOWN = "commit-unknown"
    COMMIT_LOST = "commit-lost"
    SPECS_UNREADABLE = "specs-unreadable"
    COMMIT_UNSIGNED = "commit-unsigned"
    COMMIT_SIGNATURE = "commit-signature"
    HISTORY_CUT = "history-cut"
    LIVE_UNEXPLAINED = "live-unexplained"
    LIVE_EDITED = "live-edited"
    LIVE_MISSING = "live-missing"
    LIVE_RECORD = "live-record"
    LIVE_BEHIND = "live-behind"
    LIVE_UNSETTLED = "live-unsettled"
    LIVE_UNREADABLE = "live-unreadable"
    # Notes: nothing is wrong, and somebody should have seen it.
    ARTIFACT_RESEALED = "artifact-resealed"
    ARTIFACT_MOVED = "artifact-moved"
    ARTIFACT_SUPERSEDED = "artifact-superseded"
    RECORD_MOVED = "record-moved"
    RECORD_FOREIGN_REMOVED = "record-foreign-removed"
    KEYS_CHANGED = "keys-changed"
    POLICY_CHANGED = "policy-changed"
    OVERRIDE = "override"
    COMMIT_ASIDE = "commit-aside"
    LIVE_AHEAD = "live-ahead"
    LIVE_UNMARKED = "live-unmarked"


NOTES = frozenset(
    {
        Check.ARTIFACT_RESEALED,
        Check.ARTIFACT_MOVED,
        Check.ARTIFACT_SUPERSEDED,
        Check.RECORD_MOVED,
        Check.RECORD_FOREIGN_REMOVED,
        Check.KEYS_CHANGED,
        Check.POLICY_CHANGED,
        Check.OVERRIDE,
        Check.COMMIT_ASIDE,
        Check.LIVE_AHEAD,
        Check.LIVE_UNMARKED,
    }
)
"""What is told and is no fault."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    check: Check
    where: str
    """A file, a commit or a live token."""
    message: str
    """What is so, in a sentence."""
    hint: str
    """What to do about it."""

    @property
    def is_note(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.check in NOTES

    def to_json(self) -> Mapping[str, object]:
        """As in `reconciler/audit-verify/v1`."""
        return {**asdict(self), "severity": "note" if self.is_note else "fault"}
