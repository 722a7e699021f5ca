"""The verifier in a process of one's own: the check over live records that are kept fresh in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Self

from reconciler.artifacts.identities import Identities
from reconciler.errors import SettingsError, StoreUnreadable
from reconciler.kinds.checking import Call, Reason
from reconciler.live.opening import open_store
from reconciler.secret import Secret
from reconciler.specs.settings import default_audience
from reconciler.verify.book import Book
from reconciler.verify.check import LEEWAY_SECONDS, Against, Rules, check, sign_in
from reconciler.verify.following import Follower, Monotonic, OpenStore
from reconciler.verify.interface import Freshness, IssuerKey, Verdict
from reconciler.verify.remembering import remembering
from reconciler.verify.unsealing import unsealing

MAX_STALE_SECONDS = 10.0
"""How long the store may be out of reach before nothing is accepted any more."""
NO_CALL = Call()


@dataclass(frozen=True, slots=True)
class Clocks:
    """The times of this machine, as values: a test gives its own."""

    now: Callable[[], float] = time.time
    """Epoch seconds."""
    monotonic: Monotonic = time.monotonic


class Verifier:
    """Checks presented tokens. Threads may share one; open it after a fork, not before."""

    def __init__(
        self,
        store: OpenStore,
        rules: Rules,
        *,
        max_stale: float = MAX_STALE_SECONDS,
        clocks: Clocks | None = None,
    ) -> None:
        self.rules = rules
        self.max_stale = max_stale
        self._clocks = clocks or Clocks()
        self._follower = Follower(store, self._clocks.monotonic)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        workspace: str | None = None,
        audience: str | None = None,
        identities: Identities | None = None,
        leeway: int = LEEWAY_SECONDS,
        issuer: str | None = None,
        issuer_keys: Mapping[str, IssuerKey] | None = None,
        max_stale: float = MAX_STALE_SECONDS,
        clocks: Clocks | None = None,
    ) -> Verifier:
        """A verifier that follows the store at `url`, which must be in reach now.

        `workspace` need not be named where the store has only one. `audience` is what owners sign in `aud`;
        without it, `reconciler:` and the workspace's name. The live store does not know what the specs say of
        it: whose workspace sets `verifier.audience` or `verifier.url` passes it, as `Specs.audience` has it.
        `identities` open the shared secrets that are sealed to the verifier. Close it, or use it in a `with`
        statement.

        Raises SettingsError, StoreUnreadable.
        """
        name = workspace or _only_workspace(url)
        rules = Rules(
            audience=audience or default_audience(name),
            leeway=leeway,
            issuer=issuer,
            issuer_keys=issuer_keys or {},
            holds=remembering(),
            unseal=unsealing(identities.native if identities else ()),
        )
        made = cls(
            lambda: open_store(url, name, create=False), rules, max_stale=max_stale, clocks=clocks
        ).started()
        found = made.freshness()
        if not found.ready:
            made.close()
            raise StoreUnreadable(found.why, hint="see that the store is there and in reach")
        return made

    def started(self) -> Self:
        """Begins to follow the store, and returns when it was read or could not be: see `freshness`."""
        self._follower.start()
        return self

    def check(
        self,
        token: str | Secret,
        call: Call | None = None,
        *,
        api: str | None = None,
        project: str | None = None,
        user: str | None = None,
        app: str | None = None,
        shop: str | None = None,
        address: str | None = None,
        device: str | None = None,
        audience: str | None = None,
    ) -> Verdict:
        """The verdict on a bearer token. The call is given whole, or by its parts. Raises nothing.

        `audience` is what `aud` has to be, where that is not the verifier's own.
        """
        asked = call or Call(api, project, user, app, shop, address, device)
        return self._found(partial(check, _secret(token)), asked, audience)

    def sign_in(self, name: str, token: str | Secret, call: Call = NO_CALL) -> Verdict:
        """The verdict on a JWT with which the application `name` signs a user in. Raises nothing."""
        return self._found(partial(sign_in, name, _secret(token)), call, None)

    def freshness(self) -> Freshness:
        """How well the live records are known to be true."""
        return self._follower.freshness(self.max_stale)

    def moment(self) -> tuple[Book, int] | None:
        """The live records and the second that a verdict depends on now; None while nothing is accepted."""
        if self._follower.age() > self.max_stale:
            return None
        return self._follower.book, int(self._clocks.now())

    @property
    def book(self) -> Book:
        """The live records as they were read last."""
        return self._follower.book

    def close(self) -> None:
        """Stops following. What comes afterwards is refused when `max_stale` is over."""
        self._follower.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _found(self, check: Callable[[Against], Verdict], call: Call, audience: str | None) -> Verdict:
        if (moment := self.moment()) is None:
            return Verdict(Reason.STALE, call)
        book, now = moment
        rules = self.rules if audience is None else replace(self.rules, audience=audience)
        try:
            return check(Against(book, call, rules, now))
        except Exception:  # noqa: BLE001 - a record that nobody foresaw refuses; its error may hold anything
            return Verdict(Reason.FAULT, call)


def _secret(token: str | Secret) -> Secret:
    return token if isinstance(token, Secret) else Secret(token)


def _only_workspace(url: str) -> str:
    store = open_store(url, "", create=False)
    try:
        names = store.workspaces()
    finally:
        store.close()
    if not names:
        raise StoreUnreadable(f"there is no live store at {store.url} yet", hint="run reconcile apply first")
    if len(names) > 1:
        raise SettingsError(
            f"the live store {store.url} has {len(names)} workspaces", hint=f"name one of {', '.join(names)}"
        )
    return names[0]
