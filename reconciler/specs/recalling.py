"""Specs that were read before: the same bytes mean the same, so they are not parsed again.

What is kept of a file is what its bytes declare, by their SHA-256; and besides, how the file looked from
outside when it was read (its stamp), so that a file that nobody touched since is not even opened.
Only files that declare tokens and nothing else, without any fault, are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import pydantic
import ruamel.yaml
from pydantic_core import from_json, to_json

from reconciler.canonical import digest
from reconciler.files import Stamp
from reconciler.memo import MOMENT, Memo
from reconciler.specs.files import Tree
from reconciler.specs.reader import Declared, FileRead, Token

CHUNK = 1000
"""Files in one chunk of a memo."""
Known: TypeAlias = Mapping[str, Sequence[Token]]
"""SHA-256 of bytes, in hexadecimal → the tokens that they declare."""


@dataclass(slots=True)
class Recalled:
    """What a memo knows of the files of a tree."""

    found: FileRead = field(default_factory=FileRead)
    """What those files declare that look as they did."""
    left: list[str] = field(default_factory=list)
    """The others."""
    stamps: dict[str, Stamp] = field(default_factory=dict)
    """How each file of the tree looks now, if that can be told."""
    known: dict[str, Sequence[Token]] = field(default_factory=dict)


@cache
def reader() -> str:
    """What a file means depends on this: the code that reads it, and the libraries that it reads with."""
    package = Path(__file__).resolve().parent.parent
    sources = [file for part in ("kinds", "specs") for file in sorted((package / part).rglob("*.py"))]
    whole = hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in sources)).hexdigest()
    return f"specs {whole} {pydantic.VERSION} {ruamel.yaml.__version__}"


def recall(memo: Memo, tree: Tree, names: Iterable[str]) -> Recalled:
    """What is known of the files, and which are to be read."""
    recalled = Recalled()
    waiting = dict.fromkeys(names)
    for name, stamp, sha, tokens in _entries(memo):
        if stamp is not None and name in waiting and tree.stamp(name) == stamp:
            del waiting[name]
            recalled.stamps[name] = stamp
            recalled.found.contents[name] = sha
            recalled.found.tokens.extend(_declared(name, tokens))
        else:
            recalled.known[sha] = tokens
    recalled.left.extend(waiting)
    seen = ((name, tree.stamp(name)) for name in recalled.left)
    recalled.stamps.update((name, stamp) for name, stamp in seen if stamp is not None)
    return recalled


def keep(memo: Memo, recalled: Recalled, read: FileRead, began: int | None) -> None:
    """Keeps what files declare, those that were recalled and those that were read, for the next time.

    `began` is the moment before the first file was looked at (`Memo.moment`).
    """
    if began is not None and not read.contents.keys() <= read.impure():
        entries = _to_keep((recalled.found, read), recalled.stamps, began - MOMENT)
        memo.write(_chunks(entries))


def declares(name: str, data: bytes, known: Known, found: FileRead) -> bool:
    """Whether the bytes of a file are known; then what they declare is added."""
    sha = hashlib.sha256(data).hexdigest()
    found.contents[name] = sha
    if sha not in known:
        return False
    found.tokens.extend(_declared(name, known[sha]))
    return True


def _declared(name: str, tokens: Sequence[Token]) -> Iterator[Declared]:
    for token, kind, normal, line, column in tokens:
        yield Declared(token, kind, normal, digest(normal.encode()), name, line, column)


def _entries(memo: Memo) -> Iterator[tuple[str, Stamp | None, str, Sequence[Token]]]:
    for chunk in memo.read():
        for name, stamp, sha, tokens in from_json(chunk):
            yield name, stamp and Stamp(*stamp), sha, tokens


def _to_keep(
    parts: Sequence[FileRead], stamps: Mapping[str, Stamp], before: int
) -> Iterator[tuple[str, Stamp | None, str, Sequence[Token]]]:
    for read in parts:
        tokens: dict[str, list[Token]] = {}
        for one in read.tokens:
            tokens.setdefault(one.file, []).append((one.name, one.kind, one.normal, one.line, one.column))
        for name in tokens.keys() - read.impure():
            stamp = stamps.get(name)
            settled = stamp is not None and stamp.is_older_than(before)
            yield name, stamp if settled else None, read.contents[name], tokens[name]


def _chunks(entries: Iterator[object]) -> Iterator[bytes]:
    while part := list(islice(entries, CHUNK)):
        yield to_json(part)
