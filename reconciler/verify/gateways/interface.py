"""What a gateway is, what it is told, and which headers it sets, passes on and takes out.

Rendering is pure text. What goes into it was read by `places.py`, which lets through no character that means
something to a configuration language, so no flag can add a line.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.verify.gateways.places import Endpoint, Listen

IDENTITY = tuple(
    f"X-Reconciler-{name}"
    for name in ("Token", "Name", "Kind", "Owner", "Generation", "Api", "Project", "User")
)
"""What the verifier says about the bearer of an accepted token, and what the upstream may believe."""

MISLEADING = (
    "Forwarded",
    "X-Forwarded-Method",
    "X-Forwarded-Path",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Server",
    "X-Forwarded-Uri",
    "X-HTTP-Method",
    "X-HTTP-Method-Override",
    "X-Method-Override",
    "X-Original-Method",
    "X-Original-Uri",
    "X-Original-Url",
    "X-Real-Ip",
    "X-Rewrite-Url",
    "X-Client-Ip",
    "True-Client-Ip",
)
"""Headers by which a client could tell the upstream of another method, path or address than the verifier saw:
many a framework believes them. They are taken out of every request."""

CONNECT_SECONDS = 1
ANSWER_SECONDS = 2
"""How long the verifier may take. It answers out of memory, in well under a millisecond."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a configuration is printed for."""

    verifier: Endpoint
    upstream: Endpoint
    listen: Listen
    issuer: str
    """Of the `at+jwt` tokens that the verifier signs; only for a gateway that checks offline."""
    audience: str
    """Of the same."""
    authorities: str
    """File of the certificate authorities that are trusted where the verifier or the upstream is https."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway, and how it is set up to ask the verifier."""

    name: str
    summary: str
    """One line: what is printed."""
    render: Callable[[Setting], str]
    offline: bool = False
    """Whether it checks issued tokens by itself, so that it must know their issuer and audience."""


_HOLE = re.compile(r"^(?P<indent>[ \t]*)<<(?P<lines>\w+)>>\n|<<(?P<word>\w+)>>", re.MULTILINE)


def fill(template: str, **values: str) -> str:
    """The template with its `<<holes>>` filled.

    One that has a line to itself takes several lines at its indentation, or none and the line is gone. What
    is filled in is not looked at again: a value may look like a hole.
    """

    def filled(match: re.Match[str]) -> str:
        if match["word"] is not None:
            return values[match["word"]]
        text = values[match["lines"]].strip("\n")
        return textwrap.indent(text, match["indent"]) + "\n" if text else ""

    return _HOLE.sub(filled, template)


def each(pattern: str, names: Iterable[str]) -> str:
    """One line for each name: `{}` is the name as it is, `{var}` as a variable is written."""
    return "\n".join(pattern.format(name, var=name.lower().replace("-", "_")) for name in names)
