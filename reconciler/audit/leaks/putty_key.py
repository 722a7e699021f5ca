"""Private keys as PuTTY keeps them (.ppk)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from reconciler.audit.leaks.interface import LONGEST, Detector, Leak, same

HEADING = re.compile(rb"PuTTY-User-Key-File-[0-9]:")
CLEAR = re.compile(rb"Encryption:[ \t]*none")
LINES = re.compile(rb"Private-Lines:[ \t]*[1-9][0-9]{0,3}((?:[\s>#*|-]|\\[rn])+[A-Za-z0-9+/=]{40,})")


def find(text: bytes) -> Iterator[Leak]:
    """Those that no password protects, with the lines of their private half."""
    starts = (found.start() for found in HEADING.finditer(text))
    for start, after in pairwise((*starts, len(text))):
        whole = text[start : min(after, start + LONGEST)]
        lines = LINES.search(whole)
        if lines and CLEAR.search(whole):
            yield Leak(start, start + lines.end(), same(lines[1].strip()))


DETECTOR = Detector(
    name="putty-key",
    what="a private key of PuTTY",
    remedy="put another key in its place wherever it is used",
    find=find,
    literals=(b"PuTTY-User-Key-File-",),
)
