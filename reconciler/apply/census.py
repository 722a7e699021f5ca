"""What a plan wants to know of all live tokens, counted while they stream by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache

from reconciler.artifacts.names import normal
from reconciler.kinds.fields import end_of_date
from reconciler.live.interface import LiveToken, TokenState
from reconciler.plan.brakes import Warned, owner_of
from reconciler.plan.change import Action, Change
from reconciler.plan.diff import Waiting
from reconciler.plan.document import WAITS
from reconciler.plan.observed import Observed
from reconciler.times import day, timestamp

NAMED = 5
"""Names that a warning has room for."""
EXPIRES = "lifecycle.expires"
RENEWED = (Action.DELETE, Action.ROTATE)
DAY = 86_400
SOON = 14 * DAY
"""Seconds ahead in which a token's end is near."""


class Census:
    """Live tokens, each with what became of its artifact; iterated once."""

    def __init__(
        self,
        found: Iterable[tuple[LiveToken, Observed]],
        named: Callable[[str], frozenset[str] | None],
        now: int,
    ) -> None:
        self._found = found
        self._named = named
        self._now = now
        self._lacking: list[str] = []
        self._ending: list[tuple[int, str]] = []
        self.live = 0
        self.owners = Counter[str | None]()
        """How many of them each owner has; None for those without."""
        self.delivered = 0
        """Tokens that have an artifact."""
        self.protected: set[str] = set()
        self.folders: set[str] = set()
        """The top folders that artifacts stand in."""
        self.sample: str | None = None
        """Where one of them stands."""

    def __iter__(self) -> Iterator[tuple[LiveToken, Observed]]:
        for token, found in self._found:
            self.live += 1
            self.owners[owner_of(token.declared)] += 1
            if token.artifact_path is not None:
                self.delivered += 1
                self.folders.add(token.artifact_path.partition("/")[0])
                self.sample = self.sample or token.artifact_path
            if token.protect:
                self.protected.add(token.name)
            if self._lacks(token):
                self._lacking.append(token.name)
            if self._ends_soon(token):
                self._ending.append((token.expires_at or 0, token.name))
            yield token, found

    def _lacks(self, token: LiveToken) -> bool:
        """Whether somebody whom the rules name was not sealed to: they were added since."""
        if token.artifact_path is None or token.artifact_recipients is None:
            return False
        named = self._named(token.artifact_path)
        return named is not None and not named <= _normal(token.artifact_recipients)

    def _ends_soon(self, token: LiveToken) -> bool:
        working = token.state_at(self._now) is TokenState.ACTIVE
        return working and token.expires_at is not None and token.expires_at <= self._now + SOON

    def warnings(self, changes: Sequence[Change], waiting: Collection[str]) -> tuple[Warned, ...]:
        """What a person should know, and no apply can mend. To be asked when all were counted."""
        return (*self._unserved(changes, waiting), *self._ending_soon(changes))

    def _ending_soon(self, changes: Sequence[Change]) -> tuple[Warned, ...]:
        """Tokens that end by themselves, unless the plan deletes them or gives them another end."""
        moved = {one.live_name: _new_end(one) for one in changes if _moves_end(one)}
        settled = {one.live_name for one in changes if one.action is Action.DELETE} | moved.keys()
        near = [(end, name) for name, end in moved.items() if end is not None and end <= self._now + SOON]
        ending = sorted([*near, *(one for one in self._ending if one[1] not in settled)])
        if not ending:
            return ()
        count, days = len(ending), f"{SOON // DAY} days"
        verb = "tokens end" if count > 1 else "token ends"
        told = ", ".join(f"{name} ({day(end - 1)})" for end, name in ending[:NAMED])
        more = " …" if count > NAMED else ""
        return (
            Warned(
                "ending",
                f"{count} {verb} within {days}: {told}{more}",
                "set a later lifecycle.expires, or let them end; "
                f"see all of them with: reconcile list --expiring {SOON // DAY}d",
            ),
        )

    def _unserved(self, changes: Sequence[Change], waiting: Collection[str]) -> tuple[Warned, ...]:
        """Who was added to the rules and cannot open what is there."""
        settled = {one.live_name for one in changes if one.artifact is not None or one.action in RENEWED}
        lacking = [name for name in self._lacking if name not in settled and name not in waiting]
        if not lacking:
            return ()
        names = ", ".join(lacking[:NAMED]) + (" …" if len(lacking) > NAMED else "")
        return (
            Warned(
                "recipients-added",
                f"the rules name recipients to whom {len(lacking)} artifacts are not sealed: {names}"
                if len(lacking) > 1
                else f"the rules name recipients to whom the artifact of {names} is not sealed",
                "somebody who can open them runs reconcile reseal; an apply holds no key to do it",
            ),
        )


@lru_cache(maxsize=1024)  # many tokens are sealed to the same
def _normal(recipients: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(normal, recipients))


def _moves_end(change: Change) -> bool:
    return any(field.field == EXPIRES for field in change.fields)


def _new_end(change: Change) -> int | None:
    """The end that a token is to have, where it is a date."""
    after = next((str(one.after) for one in change.fields if one.field == EXPIRES and one.after), "")
    return end_of_date(after) if "-" in after else None


def waiting_longer(waiting: Sequence[Waiting]) -> tuple[Warned, ...]:
    """Tokens for which no new credential could be made a while ago: they wait for the next try."""
    if not waiting:
        return ()
    count = len(waiting)
    told = ", ".join(f"{one.name} (from {timestamp(one.retry_at)})" for one in waiting[:NAMED])
    more = " …" if count > NAMED else ""
    return (
        Warned(
            WAITS,
            f"{count} rotation{'s' * (count > 1)} failed and will be tried again: {told}{more}",
            "see why in what that apply printed; once it is mended, pass --retry to try at once",
        ),
    )
