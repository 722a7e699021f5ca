"""Which API a request is of, by the routes of the catalog. Pure, and quick however many routes there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from unicodedata import normalize

from reconciler.kinds.checking import Call, Reason
from reconciler.specs.catalog import Entry
from reconciler.specs.routes import ANY, FILLED, METHOD, Sort, parse
from reconciler.verify.paths import segments_of


class _End(NamedTuple):
    """Where a route ends."""

    api: str
    literals: tuple[int, ...]
    """Its segments that are literals."""
    filled: tuple[tuple[str, int], ...]
    """What its captures say of the call, and in which segment."""
    others: frozenset[str] = frozenset()
    """APIs of routes that are the same to whoever does not tell capitals from small letters."""


Texts: TypeAlias = "tuple[str, ...]"
_Ends: TypeAlias = dict[str, _End]
"""By method."""


@dataclass(slots=True)
class _Node:
    """What may follow on some first segments."""

    literals: dict[str, _Node] = field(default_factory=dict)
    capture: _Node | None = None
    ends: _Ends = field(default_factory=dict)
    rests: _Ends = field(default_factory=dict)

    def add(self, text: str, api: str, plain: Callable[[Texts], Texts]) -> None:
        """Takes up a route, with its literals as `plain` makes them."""
        route, node = parse(text), self
        ends = None
        words = plain(tuple(one.text for one in route.segments))
        for (sort, _), word in zip(route.segments, words, strict=False):
            if sort is Sort.REST:
                ends = node.rests
            elif sort is Sort.CAPTURE:
                node.capture = node.capture or _Node()
                node = node.capture
            else:
                node = node.literals.setdefault(word, _Node())
        segments = list(enumerate(route.segments))
        literals = tuple(number for number, one in segments if one.sort is Sort.LITERAL)
        captures = ((one.text, number) for number, one in segments if one.sort is Sort.CAPTURE)
        filled = tuple((name, number) for name, number in captures if name in FILLED)
        ends = node.ends if ends is None else ends
        before = ends.get(route.method)
        others = frozenset() if before is None else before.others | {before.api}
        ends[route.method] = _End(api, literals, filled, others)


class Routes:
    """The routes of all APIs. It never changes, so threads may share it."""

    def __init__(self, root: _Node, folded: _Node, count: int) -> None:
        self._root = root
        self._folded = folded
        self._count = count

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Routes:
        """The routes of what a catalog lists under `apis`; the catalog has no two that are equal."""
        root, folded, count = _Node(), _Node(), 0
        for entry in entries:
            for text in entry.routes or ():
                root.add(text, entry.name, lambda texts: texts)
                folded.add(text, entry.name, _folded)
                count += 1
        return cls(root, folded, count)

    def __len__(self) -> int:
        return self._count

    def match(self, method: str, uri: str) -> Call | Reason:
        """The call that a request is; `Reason.PATH` or `Reason.API_UNKNOWN` where nobody can tell.

        `uri` is path and query as the client sent them. What captures hold is decoded and is not judged.
        A method in small letters is none: servers differ on whether it is the same in capitals.
        """
        path = segments_of(uri)
        if path is None:
            return Reason.PATH
        if method == ANY or METHOD.fullmatch(method) is None:
            return Reason.API_UNKNOWN
        end = _found(self._root, method, path.texts)
        if end is None:
            return Reason.API_UNKNOWN
        if not path.escaped.isdisjoint(end.literals):
            # Whoever compares before decoding takes another route.
            return Reason.PATH
        loose = _found(self._folded, method, _folded(path.texts))
        if loose is not None and end.api != loose.api and end.api not in loose.others:
            # So does a server that does not tell capitals from small letters, or minds no slash at the end.
            return Reason.PATH
        return Call(api=end.api, **{name: path.texts[number] for name, number in end.filled})


def _found(root: _Node, method: str, texts: Texts) -> _End | None:
    """The most specific route. No node is looked at twice, so the time is bounded by the routes."""
    waiting: list[tuple[_Node, int, _Ends | None]] = [(root, 0, None)]
    while waiting:
        node, depth, ends = waiting.pop()
        if ends is None and depth == len(texts):
            ends = node.ends
        if ends is not None:
            end = ends.get(method) or (ends.get("GET") if method == "HEAD" else None) or ends.get(ANY)
            if end is not None:
                return end
            continue
        text = texts[depth]
        # What is most specific comes last here, and is looked at first.
        if text and node.rests:
            waiting.append((node, depth, node.rests))
        if text and node.capture is not None:
            waiting.append((node.capture, depth + 1, None))
        if (exact := node.literals.get(text)) is not None:
            waiting.append((exact, depth + 1, None))
    return None


def _folded(texts: Texts) -> Texts:
    """A path as the least particular server takes it: letters in one form, no slash at the end."""
    kept = texts[:-1] if len(texts) > 1 and texts[-1] == "" else texts
    return tuple(text if text.isascii() and text.islower() else _fold(text) for text in kept)


@lru_cache(maxsize=4096)
def _fold(text: str) -> str:
    return normalize("NFKC", text).casefold()
