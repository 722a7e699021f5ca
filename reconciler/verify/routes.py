"""Which API a request is of, by the routes of the catalog. Pure, and quick however many routes there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

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


_Ends: TypeAlias = dict[str, _End]
"""By method."""


@dataclass(slots=True)
class _Node:
    """What may follow on some first segments."""

    literals: dict[str, _Node] = field(default_factory=dict)
    capture: _Node | None = None
    ends: _Ends = field(default_factory=dict)
    rests: _Ends = field(default_factory=dict)

    def add(self, text: str, api: str) -> None:
        """Takes up a route."""
        route, node = parse(text), self
        ends = None
        for sort, word in route.segments:
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
        (node.ends if ends is None else ends)[route.method] = _End(api, literals, filled)


class Routes:
    """The routes of all APIs. It never changes, so threads may share it."""

    def __init__(self, root: _Node, count: int) -> None:
        self._root = root
        self._count = count

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Routes:
        """The routes of what a catalog lists under `apis`; the catalog has no two that are equal."""
        root, count = _Node(), 0
        for entry in entries:
            for text in entry.routes or ():
                root.add(text, entry.name)
                count += 1
        return cls(root, count)

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
        end = self._found(method, path.texts) if method != ANY and METHOD.fullmatch(method) else None
        if end is None:
            return Reason.API_UNKNOWN
        if not path.escaped.isdisjoint(end.literals):
            # Whoever compares before decoding takes another route.
            return Reason.PATH
        return Call(api=end.api, **{name: path.texts[number] for name, number in end.filled})

    def _found(self, method: str, texts: tuple[str, ...]) -> _End | None:
        """The most specific route. No node is looked at twice, so the time is bounded by the routes."""
        waiting: list[tuple[_Node, int, _Ends | None]] = [(self._root, 0, None)]
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
