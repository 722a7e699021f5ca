"""A workflow's runner, as far as it reads what a step prints: which lines it takes for commands, and how.

Every line of stdout and stderr is looked at. A line that starts with `::name …::`, after blanks, is a
command, and so is one that holds `##[name …]` anywhere. Names that it does not know are text. It compares
as the machine's language does, so characters that sorting ignores may stand in between.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

NAMES = frozenset({
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice",
    "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning",
})  # fmt: skip
IGNORED = ("Cc", "Cf", "Mn", "Me", "Cn")


@dataclass(frozen=True)
class Command:
    """What the runner carries out."""

    name: str
    data: str
    properties: dict[str, str] = field(default_factory=dict)


def commands(printed: str) -> list[Command]:
    """Every command in what a step printed."""
    lines = re.split("\r\n|\r|\n", printed)
    return [found for line in lines if (found := _second(line) or _second(_sorted(line)) or _first(line))]


def _sorted(line: str) -> str:
    """What is left of a line for whoever compares by language."""
    return "".join(one for one in line if one.isascii() or unicodedata.category(one) not in IGNORED)


def _second(line: str) -> Command | None:
    """`::name key=value,key=value::data`."""
    line = line.lstrip()
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    name, _, rest = line[2:end].partition(" ")
    if name.lower() not in NAMES:
        return None
    pairs = (pair.split("=", 1) for pair in rest.strip().split(",") if pair)
    properties = {pair[0]: _read(pair[1], ":,") for pair in pairs if len(pair) == 2 and pair[1]}
    return Command(name.lower(), _read(line[end + 2 :], ""), properties)


def _first(line: str) -> Command | None:
    """`##[name key=value;key=value]data`, anywhere."""
    found = re.search(r"##\[([^\]\s]*)([^\]]*)\](.*)", _sorted(line))
    return Command(found[1].lower(), found[3]) if found and found[1].lower() in NAMES else None


def _read(text: str, more: str) -> str:
    """A text as it was before it was escaped."""
    for letter in f"\r\n{more}%":
        text = text.replace(f"%{ord(letter):02X}", letter)
    return text
