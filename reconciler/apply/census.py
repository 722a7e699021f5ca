"""What a plan wants to know of all live tokens, counted while they stream by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from reconciler.artifacts.names import normal
from reconciler.live.interface import LiveToken
from reconciler.plan.brakes import Warned
from reconciler.plan.change import Action, Change
from reconciler.plan.diff import Observed

NAMED = 5
"""Names that a warning has room for."""
RENEWED = (Action.DELETE, Action.ROTATE)


class Census:
    """Live tokens, each with what became of its artifact; iterated once."""

    def __init__(
        self,
        found: Iterable[tuple[LiveToken, Observed]],
        named: Callable[[str], frozenset[str] | None],
    ) -> None:
        self._found = found
        self._named = named
        self._lacking: list[str] = []
        self.live = 0
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
            if token.artifact_path is not None:
                self.delivered += 1
                self.folders.add(token.artifact_path.partition("/")[0])
                self.sample = self.sample or token.artifact_path
            if token.protect:
                self.protected.add(token.name)
            if self._lacks(token):
                self._lacking.append(token.name)
            yield token, found

    def _lacks(self, token: LiveToken) -> bool:
        """Whether somebody whom the rules name was not sealed to: they were added since."""
        if token.artifact_path is None or token.artifact_recipients is None:
            return False
        named = self._named(token.artifact_path)
        return named is not None and not named <= set(map(normal, token.artifact_recipients))

    def warnings(self, changes: Iterable[Change]) -> tuple[Warned, ...]:
        """What a person should know, and no apply can mend. To be asked when all were counted."""
        settled = {one.name for one in changes if one.artifact is not None or one.action in RENEWED}
        lacking = [name for name in self._lacking if name not in settled]
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
