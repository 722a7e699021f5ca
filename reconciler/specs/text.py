"""The text of a file to its YAML documents, and what is wrong with the text itself."""

from __future__ import annotations

import re

from _ruamel_yaml import CParser
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import DocumentStartEvent

from reconciler.specs.compose import PastLimitError, compose
from reconciler.specs.values import Document, Place, Problem, place_of

MAX_DOCUMENTS = 5_000
LINE_END = re.compile("\r?\n")
ODD_BREAK = re.compile("\r(?!\n)|[\x85\u2028\u2029]")
"""Line ends to some readers, and not to others: refused, so that all count lines alike."""
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
DIRECTIVE = re.compile(r"^%(TAG|YAML\s+1\.[013-9])", re.MULTILINE)
"""Tags are refused anyway, and the parser takes the square of the time for many directives."""

SYNTAX_HINTS = {
    "found unexpected ':'": "put text with : in quotes when it stands in [ ] or { }",
    "found character that cannot start any token": (
        "indent with blanks; put text that starts with @ or ` in quotes"
    ),
}
"""What the parser says, where there is better advice than to look at the line."""


def place_at(text: str, offset: int) -> Place:
    """The place of the letter at an offset of a text."""
    line, start = 1, 0
    for end in LINE_END.finditer(text, 0, offset):
        line, start = line + 1, end.end()
    return Place(line, offset - start + 1)


def read(text: str) -> tuple[list[Document], list[Problem]]:
    """Every document of a file, and what is wrong with the text.

    After a syntax error, or a document that is too large, the documents before it are still returned.
    """
    problem = _refused(text)
    if problem is not None:
        return [], [problem]
    documents: list[Document] = []
    parser = CParser(text)
    try:
        while (event := parser.get_event()) is not None:
            if isinstance(event, DocumentStartEvent):
                if len(documents) == MAX_DOCUMENTS:
                    return documents, [_too_many(place_of(event.start_mark))]
                documents.append(compose(parser.get_event, place_of(event.start_mark)))
    except PastLimitError as error:
        return documents, error.problems
    except MarkedYAMLError as error:
        return documents, [_syntax(error)]
    except YAMLError:
        found = UNPRINTABLE.search(text)
        return documents, [_character(text, found.start() if found else 0)]
    return documents, []


def _refused(text: str) -> Problem | None:
    """What is refused before the parser sees it."""
    plain = text.isascii() and "\r" not in text
    if not plain and (odd := ODD_BREAK.search(text)):
        return _character(text, odd.start())
    directive = DIRECTIVE.search(text) if "%" in text else None
    if directive is None:
        return None
    place = place_at(text, directive.start())
    return Problem(place, "yaml.directive", "specs are YAML 1.2 and use no tags", "remove this line")


def _too_many(place: Place) -> Problem:
    return Problem(
        place,
        "yaml.size",
        f"this file has more than {MAX_DOCUMENTS:,} documents",
        "split it into several files",
    )


def _syntax(error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    words = [part for part in (error.problem, error.context) if part]
    return Problem(
        place_of(mark) if mark is not None else Place(1, 1),
        "yaml.syntax",
        ", ".join(words) or "this is not YAML",
        SYNTAX_HINTS.get(error.problem, "mind the indentation, colons and quotes"),
    )


def _character(text: str, offset: int) -> Problem:
    return Problem(
        place_at(text, offset),
        "yaml.character",
        f"the control character U+{ord(text[offset]):04X} stands here",
        r'save the file as plain text; in double quotes it can be written as "\uXXXX"',
    )
