"""Editing spec text: one document of a file changes, and every comment and line around it stays.

Pure: text goes in, text comes out. Nothing here says whether the result is a valid spec; whoever
writes it reads it again first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from reconciler.errors import UsageError
from reconciler.specs.assign import Assignment
from reconciler.specs.merge import merged, realigned
from reconciler.specs.roundtrip import as_written, dumped, yaml_even, yaml_like
from reconciler.specs.text import read
from reconciler.specs.values import Value

BOUNDARY = re.compile(r"^---(?=\s|$)|^\.\.\.(?=\s|$)[^\n]*\n?", re.MULTILINE)
SCHEMA_LINE = re.compile(r"# yaml-language-server:[^\n]*\n")
BOM = "\ufeff"


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
    cuts = [match.start() if match[0] == "---" else match.end() for match in BOUNDARY.finditer(text)]
    if cuts and not text[: cuts[0]].strip():
        del cuts[0]
    found, line = [], 1
    for start, end in pairwise((0, *cuts, len(text))):
        if start < end or not text:
            found.append(Chunk(line, text[start:end]))
        line += text.count("\n", start, end)
    return found


def with_fields(text: str, line: int, assignments: Sequence[Assignment]) -> str:
    """The file with fields assigned in the document that has a line. Raises UsageError."""
    return _replaced(
        text, line, lambda chunk: _line_ends_kept(chunk, lambda bare: _assigned(bare, assignments))
    )


def without_document(text: str, line: int) -> str:
    """The file without the document that has a line; empty when no other is left."""
    left = _replaced(text, line, _head)
    marked = re.match(r"(# yaml-language-server:[^\n]*\n)?---[ \t\r]*\n", left)
    if marked and not text.startswith("---"):
        left = (marked[1] or "") + left[marked.end() :]
    return left if _has_content(left) else ""


def _head(chunk: str) -> str:
    """What stays of a document that is removed: the line by which editors find the schema."""
    found = SCHEMA_LINE.match(chunk)
    return found[0] if found else ""


def formatted(text: str) -> str:
    """The file with even indentation and no trailing blanks. Comments, order and quotes stay.

    Raises UsageError for text that is not YAML, or that cannot be formatted and mean the same.
    """
    after = "".join(_line_ends_kept(chunk.text, _round_trip) for chunk in chunks(text))
    if _meaning(after) != _meaning(text):
        raise UsageError(
            "this file cannot be formatted without a change of meaning", hint="format it by hand"
        )
    return after


def _meaning(text: str) -> list[Value]:
    return [document.value for document in read(text.removeprefix(BOM))[0]]


def _has_content(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    return any(line and not line.startswith(("#", "%")) and line not in ("---", "...") for line in lines)


def _replaced(text: str, line: int, change: Callable[[str], str]) -> str:
    found = chunks(text)
    hit = max((chunk for chunk in found if chunk.first_line <= line), key=lambda chunk: chunk.first_line)
    return "".join(change(chunk.text) if chunk is hit else chunk.text for chunk in found)


def _line_ends_kept(chunk: str, change: Callable[[str], str]) -> str:
    """A change of a text that has a byte order mark, or the line ends of Windows: they stay."""
    mark = BOM if chunk.startswith(BOM) else ""
    changed = change(chunk.removeprefix(BOM).replace("\r\n", "\n"))
    return mark + (changed.replace("\n", "\r\n") if "\r\n" in chunk else changed)


def _assigned(chunk: str, assignments: Sequence[Assignment]) -> str:
    yaml = yaml_like(chunk)
    explicit = chunk.startswith("---")
    try:
        document = yaml.load(chunk)
    except YAMLError as error:
        raise UsageError("this document is not YAML", hint="see where with: reconcile validate") from error
    if not isinstance(document, CommentedMap):
        raise UsageError("this document is not a mapping", hint="see it with: reconcile validate")
    before = dumped(yaml, document, explicit=explicit)
    for assignment in assignments:
        _assign(document, assignment)
    after = dumped(yaml, document, explicit=explicit)
    kept = merged(chunk, before, after)
    return kept if _meaning(kept) == _meaning(after) else after


def _assign(document: CommentedMap, assignment: Assignment) -> None:
    *parents, field = assignment.path
    node, passed = document, []
    for step in parents:
        if not isinstance(node.get(step), CommentedMap):
            if assignment.value is None:
                return
            node[step] = CommentedMap()
        passed.append((node, step))
        node = node[step]
    before = node.get(field)
    value = assignment.applied(before)
    if value is None:
        if field in node:
            del node[field]
            _drop_empty(passed)
    elif isinstance(value, list) and isinstance(before, CommentedSeq):
        _relist(before, value)
    elif _meaning(dumped(yaml_even(), {field: before})) != _meaning(
        dumped(yaml_even(), {field: as_written(value)})
    ):
        node[field] = as_written(value)


def _drop_empty(passed: Sequence[tuple[CommentedMap, str]]) -> None:
    """Mappings that an assignment emptied, from the inside out."""
    for node, step in reversed(passed):
        if node[step] or step == "spec":
            return
        del node[step]


def _relist(held: CommentedSeq, names: list[str]) -> None:
    """Other names in a list: it keeps its style, and names that stay keep their place and comment."""
    for index in reversed(range(len(held))):
        if held[index] not in names:
            del held[index]
    held.extend(as_written(name) for name in names if name not in list(held))


def _round_trip(chunk: str) -> str:
    if not _has_content(chunk):
        return chunk
    yaml = yaml_even()
    try:
        document = yaml.load(chunk)
    except YAMLError as error:
        raise UsageError("this file is not YAML", hint="see where with: reconcile validate") from error
    made = dumped(yaml, document, explicit=chunk.startswith("---"))
    tidy = "\n".join(line.rstrip() for line in realigned(chunk, made).split("\n"))
    return tidy if _meaning(tidy) == _meaning(made) else made
