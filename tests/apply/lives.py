"""What the state machine of token lives remembers, and what must hold whatever it does."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.live.interface import Credential, CredentialState, LiveStore, LiveToken, TokenState
from reconciler.plan.transition import SPREAD
from reconciler.specs.model import from_normal_form


def valid(token: LiveToken, now: int) -> list[Credential]:
    """The credentials that a verifier accepts at a time."""
    if token.state_at(now) is not TokenState.ACTIVE:
        return []
    return [
        one
        for one in token.credentials
        if one.state is not CredentialState.RETIRED
        and one.not_before <= now
        and (one.not_after is None or now < one.not_after)
    ]


@dataclass
class Memory:
    """What was seen of every token so far, by its id."""

    keys: dict[tuple[str, int], str] = field(default_factory=dict)
    """(id, generation) → what checks it. It never changes."""
    newest: dict[str, int] = field(default_factory=dict)
    """Id → the newest generation seen."""
    dead: set[str] = field(default_factory=set)
    """Ids that were deleted."""
    retired: set[tuple[str, int]] = field(default_factory=set)
    """Credentials that ended for good."""
    promised: dict[tuple[str, int], int] = field(default_factory=dict)
    """Credentials in their overlap → when that is over."""

    def look(self, store: LiveStore, now: int) -> dict[str, LiveToken]:
        """What is live, held against all that was seen before."""
        live = {token.name: token for token in store.tokens()}
        for token in live.values():
            self._check(token, now)
        gone = self.newest.keys() - {token.id for token in live.values()}
        self.dead |= gone
        return live

    def _check(self, token: LiveToken, now: int) -> None:
        assert token.id not in self.dead, "a deleted token lives again"
        assert len(valid(token, now)) <= 2, "three credentials are valid"
        assert token.generation >= self.newest.get(token.id, 0), "a generation was rolled back"
        self.newest[token.id] = token.generation
        generations = [one.generation for one in token.credentials]
        assert generations == sorted(set(generations), reverse=True)
        for one in token.credentials:
            self._check_credential(token, one, now)
        ended = {key for key in self.keys if key[0] == token.id and key[1] not in generations}
        self.retired |= ended
        self._check_due(token)

    def _check_credential(self, token: LiveToken, one: Credential, now: int) -> None:
        key = token.id, one.generation
        assert key not in self.retired, "a credential that ended works again"
        checks = str(one.public_key or one.sealed_secret)
        assert self.keys.setdefault(key, checks) == checks, "a generation number was used twice"
        if one.state is CredentialState.RETIRING:
            assert one.not_after is not None, "an overlap has no end"
            if key not in self.promised:
                overlap = from_normal_form(token.declared).overlap
                assert one.not_after <= now + overlap, "an overlap is longer than the spec says"
            assert self.promised.setdefault(key, one.not_after) == one.not_after, "an overlap changed"

    @staticmethod
    def _check_due(token: LiveToken) -> None:
        """By its schedule, it is due within the last tenth of the interval."""
        spec = from_normal_form(token.declared)
        if token.due_at is None or not token.credentials or spec.every is None or spec.renewal is not None:
            return
        age = token.due_at - token.credentials[0].not_before
        assert spec.every - spec.every // SPREAD <= age <= spec.every, "jitter is out of bounds"
