"""What is told of a secret that was found: where it came in, whether it is still there, what to do. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.audit.leaks.interface import Detector, Leak
from reconciler.audit.leaks.scanning import Sighting
from reconciler.git.objects import Place
from reconciler.times import timestamp

SCHEMA = "reconciler/audit-secrets/v1"
FORGOTTEN = "removing it from the files takes nothing back: every clone keeps it"
MOST = 5
"""Branches that are told one by one."""
NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
"""A token's name, as it may stand in a command that people copy."""


@dataclass(slots=True)
class Found:
    """One secret, at all places where it stands."""

    detector: Detector
    leak: Leak
    first: Place
    file: Place | None = None
    """The first that is a file; None where only messages say it."""
    line: int | None = None
    """There."""
    said: bool = False
    """Whether a message says it: of a commit or a tag, or a name that stands there."""
    objects: set[str] = field(default_factory=set)
    """Ids of all contents that it stands in."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The same as it is told. It holds no part of the secret."""

    rule: str
    what: str
    path: str | None
    """Where it came in, from the top of the repository; None for a message. No secret stands in it."""
    line: int | None
    commit: str
    """That brought it; or the tag."""
    contents: int
    """How many different contents it stands in."""
    in_message: bool
    """Whether a message says it, or a name that stands there."""
    head: tuple[str, ...]
    """The files of HEAD in which it still stands."""
    branches: tuple[str, ...]
    """The branches, besides those that are where HEAD is, whose newest commit holds it."""
    token: str | None
    name: str | None
    """Of the token, where the records or the specs know it."""
    ends: str | None
    hint: str

    @property
    def where(self) -> str:
        """The place where it came in."""
        return "a message or a name" if self.path is None else f"{self.path}:{self.line}"

    @property
    def message(self) -> str:
        """All but what to do, in a sentence."""
        of = f" of {self.name}" if self.name else f" of token {self.token}" if self.token else ""
        also = f", in {self.contents} contents" if self.contents > 1 else ""
        also += ", and in a message" if self.in_message and self.path is not None else ""
        ends = f", ends {self.ends}" if self.ends else ""
        still = "" if self.path is None else f"; {self._still}"
        return f"{self.what}{of}, since commit {self.commit[:10]}{also}{ends}{still}"

    @property
    def _still(self) -> str:
        """Where the files still are that hold it."""
        if not (self.head or self.branches):
            return "in no branch's newest commit"
        parts = [f"still in HEAD: {', '.join(self.head)}" if self.head else "not in HEAD"]
        if self.branches:
            more = len(self.branches) - MOST
            shown = ", ".join(self.branches[:MOST]) + f" and {more} more" * (more > 0)
            parts.append(f"still in the newest commit of {shown}")
        return ", ".join(parts)

    def to_json(self) -> Mapping[str, object]:
        """As in `reconciler/audit-secrets/v1`."""
        return {
            "rule": self.rule,
            "what": self.what,
            "path": self.path,
            "line": self.line,
            "commit": self.commit,
            "contents": self.contents,
            "in_message": self.in_message,
            "head": list(self.head),
            "branches": list(self.branches),
            "token": self.token,
            "name": self.name,
            "ends": self.ends,
            "hint": self.hint,
        }


@dataclass(slots=True)
class Gathered:
    """Secrets by what they are: one that stands in many contents is one."""

    found: dict[tuple[str, bytes], Found] = field(default_factory=dict)

    def add(self, sighting: Sighting, place: Place) -> None:
        """One more place; the first that is added is where it came in."""
        key = sighting.detector.name, sighting.leak.same
        one = self.found.setdefault(key, Found(sighting.detector, sighting.leak, place))
        one.objects.add(place.id)
        one.said |= place.path is None
        if one.file is None and place.path is not None:
            one.file, one.line = place, sighting.line
        if one.leak.token is None and sighting.leak.token is not None:
            one.leak = sighting.leak


@dataclass(frozen=True, slots=True)
class Known:
    """What the checkout tells of tokens."""

    ids: Mapping[str, str]
    """Id → name."""
    keys: Mapping[str, str]
    """Fingerprint of a public key that an owner brought → name."""

    def name(self, leak: Leak) -> str | None:
        """Of the token that a secret is of."""
        found = self.ids.get(leak.token or "") or self.keys.get(leak.public or "")
        return found if found is not None and NAME.fullmatch(found) else None


@dataclass(frozen=True, slots=True)
class Stands:
    """Where something still is."""

    head: tuple[str, ...]
    """Files of HEAD."""
    branches: tuple[str, ...]
    """Branches whose newest commit is another."""


def finding(one: Found, path: str | None, stands: Stands, known: Known) -> Finding:
    """What is told; `path` and `stands` are without secrets."""
    name = known.name(one.leak)
    remedy = f"reconcile rotate {name}, commit, and apply" if name else one.detector.remedy
    if name and known.keys.get(one.leak.public or "") == name:
        remedy = f"its owner makes another key pair: put its public key into the spec of {name}"
    return Finding(
        rule=f"leak.{one.detector.name}",
        what=one.detector.what,
        path=path,
        line=one.line,
        commit=one.first.commit,
        contents=len(one.objects),
        in_message=one.said,
        head=stands.head,
        branches=stands.branches,
        token=one.leak.token,
        name=name,
        ends=None if one.leak.ends is None else _when(one.leak.ends),
        hint=f"{remedy}; {FORGOTTEN}",
    )


def _when(seconds: int) -> str | None:
    try:
        return timestamp(seconds)
    except (ValueError, OverflowError, OSError):
        return None
