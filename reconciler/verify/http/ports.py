"""What the handlers need of the verifier behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from reconciler.kinds.checking import Call
from reconciler.secret import Secret
from reconciler.verify.interface import Verdict


class Check(Protocol):
    """What becomes of a presented token."""

    def __call__(
        self, token: str | Secret, call: Call | None = None, *, audience: str | None = None
    ) -> Verdict:
        """The verdict; `audience` is what `aud` has to be, where that is not the verifier's own."""


SignIn: TypeAlias = Callable[[str, Secret, Call], Verdict]
"""What becomes of a sign-in token, by the name of the application's token."""
