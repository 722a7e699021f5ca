"""A fault: what is wrong at one place of one file, and what to write instead."""

from __future__ import annotations

import re
from dataclasses import dataclass

HIDDEN_WORDS = re.compile(
    r"secret|passw|pwd|private|credential|api[_-]?key|access[_-]?key|BEGIN [A-Z ]{0,40}KEY|AGE-SECRET"
    r"|://[^\s/@:]*:[^\s/@]+@"
    r"|token['\"]?\s*[:=]\s*\S{12}",
    re.IGNORECASE,
)
LONG_RUN = re.compile(r"[A-Za-z0-9+/=_-]{24,}")
SHOWN_VALUE = 60
LONGEST_WORD = 200


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault. Lines and columns count from 1. No part of it holds a secret."""

    file: str
    line: int
    column: int
    rule: str
    """Stable id, such as `tokenauth.algorithm`."""
    message: str
    hint: str = ""
    source: str = ""
    """The line as it stands in the file, or nothing where it may hold a secret."""
    width: int = 1
    """Characters of `source`, from `column`, that are meant."""
    wide: int = 0
    """Characters before `column` that UTF-16 counts as two, as who reads in a browser does."""

    @property
    def where(self) -> str:
        """`file:line:column`."""
        return f"{self.file}:{self.line}:{self.column}"


def looks_secret(text: str) -> bool:
    """Whether a text may hold a key or password, so that it must not be repeated to a log."""
    if HIDDEN_WORDS.search(text):
        return True
    for run in LONG_RUN.findall(text):
        classes = (str.isdigit, str.isupper, str.islower)
        if all(any(test(letter) for letter in run) for test in classes):
            return True
    return False


def shown(value: object) -> str:
    """A value as a message may repeat it: short, and never what may be a secret."""
    match value:
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str() if len(value) > SHOWN_VALUE or looks_secret(value) or not value.isprintable():
            return f"a text of {len(value)} characters"
        case str():
            return f'"{value}"'
        case dict():
            return "a mapping"
        case _:
            return "a list"


def nearest(word: str, choices: list[str]) -> str | None:
    """The choice that somebody who wrote `word` probably meant, if one is near enough."""
    from rapidfuzz import fuzz, process

    cases = {choice: choice.casefold() for choice in choices}
    found = process.extractOne(word[:LONGEST_WORD].casefold(), cases, scorer=fuzz.ratio, score_cutoff=65)
    return None if found is None else str(found[2])


def did_you_mean(word: str, choices: list[str]) -> str:
    """`did you mean X?`, or what there is to choose from."""
    near = nearest(word, choices)
    return f"did you mean {near}?" if near else listed(choices)


def listed(choices: list[str], most: int = 8) -> str:
    """`it can be A, B or C`; a long list ends in `…`."""
    if len(choices) > most:
        return "it can be " + ", ".join(choices[:most]) + " …"
    return "it can be " + " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
