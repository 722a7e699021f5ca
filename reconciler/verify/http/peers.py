"""Who may be believed: the networks of the gateways, and the client that they speak for. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

LOOPBACK = ("127.0.0.0/8", "::1/128")
REMEMBERED = 1024
"""Addresses whose answer is kept; more are judged anew each time."""


def network(text: str) -> Network:
    """The network that a text such as `10.0.0.0/8` or `::1` names. Raises ValueError."""
    return ip_network(text, strict=True)


def address(text: str) -> Address | None:
    """The address in a text; IPv4 that is written as IPv6 is IPv4. None for anything else."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        if found.scope_id is not None:
            return None
        return found.ipv4_mapped or found
    return found


@dataclass(frozen=True, slots=True)
class Trust:
    """The networks whose hosts may say who their client is."""

    networks: tuple[Network, ...]
    _known: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    def has(self, text: str | None) -> bool:
        """Whether the address in a text is of these networks. What is no address is not."""
        if text is None:
            return False
        known = self._known.get(text)
        if known is None:
            found = address(text)
            known = found is not None and any(found in one for one in self.networks)
            if len(self._known) < REMEMBERED:
                self._known[text] = known
        return known

    def client(self, forwarded: str) -> str | None:
        """Whom the gateways speak for: the last in `X-Forwarded-For` that is no gateway itself.

        Where all of them are gateways, the first is the client. None where nobody is named, or where what
        stands in the place of an address is none.
        """
        named = [part.strip(" \t") for part in forwarded.split(",")]
        for text in reversed(named):
            if not self.has(text):
                found = address(text)
                return None if found is None else str(found)
        return str(address(named[0]))


def trusted(texts: tuple[str, ...] = LOOPBACK) -> Trust:
    """The networks that texts name. Raises ValueError."""
    return Trust(tuple(network(text) for text in texts))
