"""Markdown for the comment of a pull request: text from specs, the store and git is shown, and never obeyed.

Forges look for mentions, references and links in what they have rendered, so no escape keeps them from it:
`\\@team` and `&#64;team` notify a team. Only code is left alone. So whatever is not plainly a word stands in
a code span, and nothing that comes from outside begins a line, where bots and forges look for commands.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from reconciler.cli.output import in_line
from reconciler.forges.commenting import NO_NEWS

LIMIT = 60_000
"""Bytes of a comment. A forge takes 65,536 characters, and a pipeline may have something to say around it."""
SPARE = 2_000
"""Bytes for headings, and for what is said of what does not fit."""
TEXT, NAME = 400, 80
"""Characters of one text, and of one name."""
PLAIN = re.compile(
    r"(?![0-9A-Fa-f]{7,}$)[A-Za-z\x80-\U0010ffff]+"  # a word, unless it could be the id of a commit
    r"|[0-9]{1,5}[a-z]?|[0-9]{4}-[0-9]{2}-[0-9]{2}|%"
)
"""What stands outside of code: no forge and no parser makes anything of it."""
LOOSE = re.compile(r"(\(?)(.*?)([,;:.)]*)", re.DOTALL)
"""A word, and the punctuation around it."""
_PLAIN_PLACE = re.compile(r"[A-Za-z0-9._/-]{1,60}")
"""A way that a marker can name."""
TICK = str.maketrans("`", "\N{MODIFIER LETTER GRAVE ACCENT}")
"""Code is fenced by one backtick, always: parsers give up on fences that are too long."""


def code(text: str) -> str:
    """A code span of the text as it is, on one line. In a table, `row` does the rest."""
    shown = in_line(text).translate(TICK)
    # A parser takes one space off each side, if both are there.
    padded = f" {shown} " if shown.startswith(" ") or shown.endswith(" ") else shown
    return f"`{padded or ' '}`"


def prose(text: str) -> str:
    """Text in which words are words, and all else is code: names, addresses, mentions, markup."""
    words = [word for word in in_line(text).split(" ") if word]
    parts: list[str] = []
    for plain, group in groupby(words, _is_plain):
        run = " ".join(group)
        parts.append(run if plain else _loose(run))
    return " ".join(parts)


def _is_plain(word: str) -> bool:
    split = LOOSE.fullmatch(word)
    if split is None:
        return False
    # A number and a dot, or a bracket, would begin a list.
    return PLAIN.fullmatch(split[2]) is not None and not (split[2].isdigit() and split[3][:1] in (".", ")"))


def _loose(words: str) -> str:
    """Code, with the punctuation around it outside."""
    split = LOOSE.fullmatch(words)
    if split is None or not split[2]:
        return code(words)
    return f"{split[1]}{code(split[2])}{split[3]}"


def clipped(text: str, most: int) -> str:
    """As much of a text as is shown: so many characters. To be cut before it is made Markdown."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def row(cells: Sequence[str]) -> str:
    """A row of a table. A pipe is escaped in code too: tables are cut into cells before anything else."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def table(heads: Sequence[str]) -> list[str]:
    """The first two lines of a table."""
    return [row(heads), "|" + " --- |" * len(heads)]


def folded(summary: str, lines: Iterable[str]) -> list[str]:
    """Lines that are shown when somebody asks. The summary is ours: it is HTML, and no Markdown."""
    return [f"<details><summary>{summary}</summary>", "", *lines, "", "</details>"]


def titled(title: str, lines: Iterable[str], heads: Sequence[str] = ()) -> Iterator[str]:
    """Lines below a title, as a table where there are heads; nothing where there are no lines."""
    shown = list(lines)
    if shown:
        yield from ("", f"**{title}**", "", *(table(heads) if heads else ()), *shown)


def not_shown(parts: Iterable[str], command: str) -> Iterator[str]:
    """What did not fit, counted, and the command that shows it."""
    told = "; ".join(parts)
    if told:
        yield from ("", f"**Not shown here, for want of room:** {told}. See all: `{command}`")


def marker(workspace: str, place: str = "", about: str = "", *, news: bool) -> Iterator[str]:
    """The first lines of a comment: by one the next finds it, the other says that it is worth no new one.

    `place` tells apart workspaces that no name tells apart, `about` comments of one workspace. No place
    has a blank here, so no two of these make the same line.
    """
    parts = (workspace, *(("at", _named_place(place)) if place else ()), *((about,) if about else ()))
    yield f"<!-- reconciler: {' '.join(parts)} -->"
    if not news:
        yield NO_NEWS


def _named_place(place: str) -> str:
    """A place as a marker has it: its digest, where it is long or has letters that a marker has not."""
    if _PLAIN_PLACE.fullmatch(place):
        return place
    return f"sha256 {hashlib.sha256(os.fsencode(place)).hexdigest()[:32]}"


def size(lines: Iterable[str]) -> int:
    """Bytes of the lines in UTF-8, each with its end."""
    return sum(len(line.encode()) + 1 for line in lines)


@dataclass(slots=True)
class Room:
    """What is left of the bytes that a comment may have. Who asks first gets it first."""

    left: int

    def reserve(self, lines: Sequence[str]) -> Sequence[str]:
        """Lines that stand whatever happens, and so take their room before all others."""
        self.left -= size(lines)
        return lines

    def take(self, lines: Iterable[str], most: int | None = None) -> Taken:
        """Lines from the first on, until one does not fit; `most` bytes at the most."""
        room = self.left if most is None else min(most, self.left)
        taken: list[str] = []
        rest = iter(lines)
        out = 0
        for line in rest:
            room -= size((line,))
            if room < 0:
                out = 1 + sum(1 for _ in rest)
                break
            taken.append(line)
        self.left -= size(taken)
        return Taken(taken, out)


@dataclass(frozen=True, slots=True)
class Taken:
    """The lines that fit, and how many did not."""

    lines: Sequence[str]
    out: int

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)
