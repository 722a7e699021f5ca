"""One key in two specs: who has the private half would be two tokens at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from reconciler.kinds.ownkeys import FIELD
from reconciler.specs.faults import Fault
from reconciler.specs.reader import Declared
from reconciler.specs.source import Source
from reconciler.specs.text import read
from reconciler.specs.values import Path, Place

HINT = "each token has a key of its own: make a new key pair for this one"
BEHIND: Path = ("spec", FIELD)


def reused_keys(tokens: Sequence[Declared], read_file: Callable[[str], bytes]) -> Iterator[Fault]:
    """A fault at each key that a token before has too.

    `read_file` gives the bytes of a spec file; it is asked for those with such a fault.
    """
    first: dict[str, Declared] = {}
    for token in tokens:
        key = token.own_key
        other = token if key is None else first.setdefault(key, token)
        if other is not token:
            yield _fault(token, other, read_file)


def _fault(token: Declared, other: Declared, read_file: Callable[[str], bytes]) -> Fault:
    message = f"{FIELD} is the key of {other.name} too, at {other.file}:{other.line}"
    rule = f"{FIELD}.reused"
    try:
        source = Source(token.file, read_file(token.file).decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError):  # it was read a moment ago
        return Fault(token.file, token.line, token.column, rule, message, HINT)
    return source.fault(_place(source.text, token), rule, message, HINT)


def _place(text: str, token: Declared) -> Place:
    """Where the key stands in the document of the token."""
    name = (token.line, token.column)
    documents = read(text)[0]
    found = next((one for one in documents if one.place(("metadata", "name")) == name), None)
    return found.place(BEHIND) if found else Place(*name)
