"""YAML read and written again with its comments, order and quotes, by ruamel.yaml.

Scalars are kept as the text that they are, so nothing is turned into a date or a number and back.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString
from ruamel.yaml.tag import Tag

from reconciler.specs.assign import Plain
from reconciler.specs.text import read

WIDTH = 4096
"""No line is folded by an edit: a folded line is a change that nobody asked for."""
TEXT = Tag(suffix="tag:yaml.org,2002:str")
BLOCK = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?\n){2,}")
FLUSH_LIST = re.compile(r"^( *)[^\s#-][^#\n]*:[ ]*(?:#[^\n]*)?\n\1- ", re.MULTILINE)
INNER = re.compile(r"^[^\s#-][^#\n]*:[ ]*(?:#[^\n]*)?\n( +)[^\s#-]", re.MULTILINE)


class _AsText(VersionedResolver):
    """Every plain scalar but the empty one is text: it is written as it was read."""

    def resolve(self, kind: type, value: str | None, implicit: Sequence[bool]) -> Tag:
        if kind is ScalarNode and value and implicit[0]:
            return TEXT
        tag: Tag = super().resolve(kind, value, implicit)
        return tag


def yaml_like(text: str) -> YAML:
    """A reader and writer that indents as the text does."""
    inner = INNER.search(text)
    return _yaml(len(inner[1]) if inner else 2, flush=bool(FLUSH_LIST.search(text)))


def yaml_even() -> YAML:
    """A reader and writer that indents by two, lists too."""
    return _yaml(2, flush=False)


def _yaml(mapping: int, *, flush: bool) -> YAML:
    yaml = YAML(typ="rt")
    yaml.Resolver = _AsText
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.indent(mapping=mapping, sequence=2 if flush else mapping + 2, offset=0 if flush else mapping)
    return yaml


def dumped(yaml: YAML, document: object, *, explicit: bool = False) -> str:
    """The text of a document; `explicit` puts `---` before it."""
    out = io.StringIO()
    yaml.explicit_start = explicit
    yaml.dump(document, out)
    return out.getvalue()


def as_written(value: Plain) -> str | CommentedSeq:
    """A value as it is put into a document: text that would be read as something else in quotes.

    Lines of plain letters, as of a key, stand as they are below `|`.
    """
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str() if BLOCK.fullmatch(value):
            block: str = LiteralScalarString(value)
            return block
        case str():
            return value if _reads_as_itself(value) else DoubleQuotedScalarString(value)
        case list():
            return flow_list(value)


def flow_list(names: list[str]) -> CommentedSeq:
    """A list on one line."""
    fresh = CommentedSeq([as_written(name) for name in names])
    fresh.fa.set_flow_style()
    return fresh


def _reads_as_itself(text: str) -> bool:
    documents, problems = read(f"[{text}]")
    return not problems and [document.value for document in documents] == [[text]]
