"""Scans what is too long to be held: in windows that overlap, so that no secret falls between two."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from reconciler.audit.leaks import all_detectors, needles
from reconciler.audit.leaks.der import filled
from reconciler.audit.leaks.interface import LONGEST, Detector, Leak

WINDOW = 1 << 22
"""Bytes that are looked at at once, besides the overlap."""
NEAR = 4096
"""Bytes around a secret in which the token that it is of may be named."""
OVERLAP = LONGEST + NEAR
NAMED = re.compile(rb"token_id[\"']?\s{0,9}[:=]\s{0,9}[\"']?((?:[a-z2-7]{20}|[0-9A-Za-z]{8})(?![0-9A-Za-z]))")
"""As an artifact that somebody opened names its token."""
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
"""Of base64, both of them."""
RUN = re.compile(rb"(?:[A-Za-z0-9+/_\s-]|\\[nr])*")
"""It goes on over ends of lines, also as JSON writes them."""
BREAK = re.compile(rb"\s|\\[nr]")
MARK = re.compile(rb"\n[+-]")
"""How a patch begins a line that it adds or takes away: a letter of base64, too."""
TO_STANDARD = bytes.maketrans(b"-_", b"+/")
SEQUENCE = b"\x30"
"""How a private key begins that is a file of its own, in DER."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A secret, and where in a content it stands."""

    detector: Detector
    leak: Leak
    line: int


def scan(chunks: Iterable[bytes], window: int = WINDOW) -> Iterator[Sighting]:
    """Every secret that stands in a content in the clear, once each.

    Also as UTF-16 and UTF-32, which are ASCII with zero bytes in between; and as base64, one layer of it.
    """
    plain, wide, last, lines = _Window(window), None, b"", 0
    seen: set[bytes] = set()
    for chunk in chunks:
        if wide is None and b"\0" in chunk:
            # The first letter may be of the chunk before.
            wide = _Window(window, lines - last.count(b"\n"), last)
        last, lines = chunk[-1:], lines + chunk.count(b"\n")
        yield from _new(plain.feed(chunk), seen)
        if wide is not None:
            yield from _new(wide.feed(chunk.replace(b"\0", b"")), seen)
    for one in (plain, wide):
        if one is not None:
            yield from _new(one.end(), seen)


def _new(found: Iterable[Sighting], seen: set[bytes]) -> Iterator[Sighting]:
    for one in found:
        if one.leak.same not in seen:
            seen.add(one.leak.same)
            yield one


@dataclass(slots=True)
class _Window:
    """What is held of a content at a time."""

    size: int
    lines: int = 0
    """Ends of lines before the text."""
    text: bytes = b""
    _parts: list[bytes] = field(default_factory=list)
    _held: int = 0
    _told: int = 0
    """What begins before this offset was told already."""

    def feed(self, chunk: bytes) -> Iterator[Sighting]:
        """What begins in the part of the text that is whole now, with all that may belong to it."""
        self._parts.append(chunk)
        self._held += len(chunk)
        if self._held < self.size + 2 * OVERLAP:
            return
        self._join()
        until = len(self.text) - OVERLAP
        yield from self._sightings(until)
        kept = max(0, until - NEAR)
        self.lines += self.text.count(b"\n", 0, kept)
        self.text, self._told = self.text[kept:], until - kept

    def end(self) -> Iterator[Sighting]:
        """What begins in the rest."""
        self._join()
        yield from self._sightings(len(self.text))

    def _join(self) -> None:
        self.text = b"".join((self.text, *self._parts))
        self._parts, self._held = [], 0

    def _sightings(self, until: int) -> Iterator[Sighting]:
        # In the order of places: one that stands there twice, in two forms, is told where it stands first.
        for detector, leak in sorted(leaks(self.text), key=lambda pair: pair[1].start):
            if self._told <= leak.start < until:
                line = self.lines + self.text.count(b"\n", 0, leak.start) + 1
                yield Sighting(detector, leak, line)


def leaks(text: bytes) -> Iterator[tuple[Detector, Leak]]:
    """All that stands in a text, as it is and in base64. What a key with a heading holds is told once."""
    if not text.startswith(SEQUENCE) and needles.anywhere().search(text) is None:
        return
    found = [*_direct(text), *_in_base64(text)]
    headed = sorted((leak.start, leak.end) for detector, leak in found if detector.needle is None)
    for detector, leak in found:
        if detector.needle is None or not any(start <= leak.start < end for start, end in headed):
            yield detector, leak


def _direct(text: bytes) -> Iterator[tuple[Detector, Leak]]:
    for detector in all_detectors().values():
        if not detector.literals or any(literal in text for literal in detector.literals):
            for leak in detector.find(text):
                yield detector, replace(leak, token=leak.token or _named_near(text, leak.start, leak.end))


def _in_base64(text: bytes) -> Iterator[tuple[Detector, Leak]]:
    """Decodes around each place where base64 of a literal stands, which tells how its letters are grouped."""
    over = dict.fromkeys(range(4), 0)
    for found in needles.in_base64().finditer(text):
        place = found.start() - needles.encoded()[found.group()]
        group = place % 4
        if place < over[group]:
            continue
        start = place - _letters_before(text, place) // 4 * 4
        run = RUN.match(text, place, place + LONGEST)
        over[group] = run.end() if run else place + 1
        readings = _readings(text[start : over[group]])
        decoded = (list(_direct(filled(letters.translate(TO_STANDARD)))) for letters in readings)
        for detector, leak in next(filter(None, decoded), ()):
            yield detector, replace(leak, start=found.start(), end=over[group])


def _readings(run: bytes) -> Iterator[bytes]:
    """The letters of a run of base64: as it is; and as lines of a patch, where it may be of one."""
    yield BREAK.sub(b"", run)
    if MARK.search(run):
        yield BREAK.sub(b"", MARK.sub(b"", run))


def _letters_before(text: bytes, place: int) -> int:
    """How many letters of base64 stand right before a place."""
    before = text[max(0, place - NEAR) : place]
    return len(before) - len(before.rstrip(ALPHABET))


def _named_near(text: bytes, start: int, end: int) -> str | None:
    """The token that is named nearest before a secret, else after it."""
    before = NAMED.findall(text, max(0, start - NEAR), start)
    after = NAMED.search(text, end, end + NEAR)
    named: bytes | None = before[-1] if before else after[1] if after else None
    return None if named is None else named.decode()


def masked(text: str) -> str:
    """A text with stars where a secret stands in it, and the letters right before it."""
    data = text.encode(errors="surrogateescape")
    for _, leak in sorted(leaks(data), key=lambda pair: -pair[1].start):
        start = leak.start - _letters_before(data, leak.start)
        data = data[:start] + b"***" + data[leak.end :]
    return data.decode(errors="surrogateescape")
