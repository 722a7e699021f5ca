"""When credentials were due for rotation, by the specs of their time, and when they were rotated. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from reconciler.audit.events import Due
from reconciler.live.interface import Credential, CredentialState
from reconciler.plan.transition import due_at
from reconciler.specs.model import AnyTokenSpec, from_normal_form


@dataclass(slots=True)
class Renewed:
    """What tells when the newest credential of a live token is due."""

    token: str
    created: int
    """When the token was issued."""
    made: int
    """When its newest credential was made."""
    given: int
    """Since when it has its spec: what that asks for is not due before."""
    normal: str
    """That spec; empty where no record tells it."""

    def due(self, at: int) -> Due | None:
        """When it was due, told at a moment; None where it never was to be."""
        spec = _spec(self.normal)
        if spec is None:
            return None
        since, by = (self._due(spec, token) for token in (self.token, None))
        return None if since is None or by is None else Due(max(since, self.given), max(by, self.given), at)

    def _due(self, spec: AnyTokenSpec, token: str | None) -> int | None:
        expires = spec.expires_at(self.created)
        ends = spec.lasts(self.made, self.created)
        credential = Credential(1, CredentialState.ACTIVE, "", self.made, ends)
        return due_at(spec, credential, expires, token)

    def overdue(self, now: int) -> int | None:
        """Since when its rotation is late; None where it is not, or where the token rests, off or over."""
        due, spec = self.due(now), _spec(self.normal)
        if due is None or spec is None or not spec.enabled or not due.late:
            return None
        ends = spec.expires_at(self.created)
        return None if ends is not None and ends <= now else due.by


def _spec(normal: str) -> AnyTokenSpec | None:
    """None where none is told, or one that this version does not understand."""
    try:
        return from_normal_form(normal) if normal else None
    except (ValidationError, KeyError, ValueError):
        return None
