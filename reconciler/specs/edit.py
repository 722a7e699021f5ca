"""Editing spec text: one document of a file changes, and every comment and line around it stays.

Pure: text goes in, text comes out. Nothing here says whether the result is a valid spec; whoever
writes it reads it again first.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from reconciler.errors import UsageError
from reconciler.specs.assign import Assignment

SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
FLUSH_LIST = re.compile(r"^( *)[^\s#-][^#\n]*:[ ]*\n\1- ", re.MULTILINE)
WIDTH = 4096
"""No line is folded by an edit: a folded line is a change that nobody asked for."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The lines of one document, its `---` line included."""

    first_line: int
    """Counted from 1."""
    text: str

    @property
    def last_line(self) -> int:
        """The last line that belongs to it."""
        return self.first_line + self.text.count("\n")


def chunks(text: str) -> list[Chunk]:
    """A file cut at its document separators. Joined again, it is the same to the byte."""
    starts = [match.start() for match in SEPARATOR.finditer(text)]
    if not starts or text[: starts[0]].strip():
        starts.insert(0, 0)
    else:
        starts[0] = 0
    ends = [*starts[1:], len(text)]
    return [
        Chunk(text.count("\n", 0, start) + 1, text[start:end])
        for start, end in zip(starts, ends, strict=True)
    ]


def with_fields(text: str, line: int, assignments: Sequence[Assignment]) -> str:
    """The file with fields assigned in the document that has a line. Raises UsageError."""
    return _replaced(text, line, lambda chunk: _assigned(chunk, assignments))


def without_document(text: str, line: int) -> str:
    """The file without the document that has a line; empty when no other is left."""
    left = _replaced(text, line, lambda _: "")
    left = SEPARATOR.sub("", left, count=1).lstrip("\n") if left.startswith("---") else left
    return left if _has_content(left) else ""


def formatted(text: str) -> str:
    """The file with even indentation and no trailing blanks. Comments, order and quotes stay.

    Raises UsageError for text that is not YAML.
    """
    return "".join(_round_trip(chunk.text, flush=False) for chunk in chunks(text))


def _has_content(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    return any(line and not line.startswith("#") and line != "---" for line in lines)


def _replaced(text: str, line: int, change: Callable[[str], str]) -> str:
    found = chunks(text)
    hit = max((chunk for chunk in found if chunk.first_line <= line), key=lambda chunk: chunk.first_line)
    return "".join(change(chunk.text) if chunk is hit else chunk.text for chunk in found)


def _assigned(chunk: str, assignments: Sequence[Assignment]) -> str:
    yaml = _yaml(flush=bool(FLUSH_LIST.search(chunk)))
    document = yaml.load(chunk)
    if not isinstance(document, CommentedMap):
        raise UsageError("this document is not a mapping", hint="see it with: reconcile validate")
    for assignment in assignments:
        _assign(document, assignment)
    return _dumped(yaml, document, chunk)


def _assign(document: CommentedMap, assignment: Assignment) -> None:
    node = document
    for step in assignment.path[:-1]:
        if not isinstance(node.get(step), CommentedMap):
            node[step] = CommentedMap()
        node = node[step]
    field = assignment.path[-1]
    if assignment.value is None:
        node.pop(field, None)
        return
    value = assignment.applied(node.get(field))
    if isinstance(value, list):
        node[field] = _listed(node.get(field), value)
    elif node.get(field) != value or type(node.get(field)) is not type(value):
        node[field] = value


def _listed(before: object, names: list[str]) -> CommentedSeq:
    """The list with new names, in the style that it has; names that stay keep their place and comment."""
    if not isinstance(before, CommentedSeq):
        fresh = CommentedSeq(names)
        fresh.fa.set_flow_style()
        return fresh
    for index in reversed(range(len(before))):
        if before[index] not in names:
            del before[index]
    before.extend(name for name in names if name not in list(before))
    return before


def _round_trip(chunk: str, *, flush: bool) -> str:
    if not _has_content(chunk):
        return chunk
    yaml = _yaml(flush=flush)
    try:
        document = yaml.load(chunk)
    except YAMLError as error:
        raise UsageError("this file is not YAML", hint="see where with: reconcile validate") from error
    lines = _dumped(yaml, document, chunk).split("\n")
    return "\n".join(line.rstrip() for line in lines)


def _dumped(yaml: YAML, document: CommentedMap, chunk: str) -> str:
    out = io.StringIO()
    yaml.explicit_start = chunk.startswith("---")
    yaml.dump(document, out)
    return out.getvalue()


def _yaml(*, flush: bool) -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=2 if flush else 4, offset=0 if flush else 2)
    return yaml
