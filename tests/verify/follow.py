"""A verifier over a workspace that is applied to, with the workspace's clock; and what its owners present."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from time import monotonic

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from reconciler.artifacts import identities
from reconciler.verify.verifier import Clocks, Verifier
from tests.apply.kit import House, text, verifier
from tests.verify.kit import signed

DEADLINE_SECONDS = 30.0
"""For what takes milliseconds: a machine may be busy."""


@dataclass
class Hands:
    """A clock that nobody sets, moved by hand."""

    at: float = 0.0

    def read(self) -> float:
        return self.at


@contextmanager
def following(house: House, hands: Hands | None = None, *, opens: bool = True) -> Iterator[Verifier]:
    """A verifier that has read the store of a house."""
    found = identities.parse(verifier()[1], "the test") if opens else None
    clocks = Clocks(now=lambda: house.now, monotonic=(hands or Hands()).read)
    with Verifier.open(house.url, workspace=house.name, identities=found, clocks=clocks) as made:
        yield made


def until(condition: Callable[[], bool], what: str) -> None:
    """Waits for what another thread or process is about to do."""
    over, pause = monotonic() + DEADLINE_SECONDS, Event()
    while not condition():
        assert monotonic() < over, what
        pause.wait(0.002)


def caught_up(house: House, verifier: Verifier) -> None:
    """Waits until a verifier knows of the last commit."""
    revision = house.store().state().revision
    until(lambda: verifier.freshness().revision == revision, f"the verifier does not reach {revision}")


def held(house: House, name: str) -> dict[str, str]:
    """What the owner of a live token holds."""
    return {key: text(value) for key, value in house.opened(house.live()[name]).items()}


def bearer(house: House, name: str, fields: dict[str, str] | None = None) -> str:
    """What the owner of a token presents, by its newest artifact or an older one."""
    found = fields or held(house, name)
    if "private_key" not in found:
        return found.get("jwt") or found["login_token"]
    key = load_pem_private_key(found["private_key"].encode(), None)
    claims = {"aud": "reconciler:acme", "iat": house.now, "exp": house.now + 300}
    return signed(claims, key, found["algorithm"], {"kid": found["token_id"]})
