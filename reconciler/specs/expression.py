"""Expressions of policies, in CEL: whether one can run, and how much it may look at. Pure.

An expression that runs cannot be stopped. So what it may cost is told before, from its text and the
size of what it looks at: how deep its loops stand in each other, and what it compares and adds up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.specs.faults import did_you_mean, listed, looks_secret

if TYPE_CHECKING:
    from cel import Program

MAX_LENGTH = 1000
MAX_LOOPS = 8
MAX_DEPTH = 3
MAX_SUMS = 6
PATTERN_STEPS = 100
"""What compiling one regular expression costs."""
VALUES_A_STEP = 10
"""Values that are compared in the time of one turn of a loop."""
LEAST = 2
"""Steps that any evaluation costs."""

LOOPS = ("all", "exists", "exists_one", "existsOne", "filter")
FUNCTIONS = (
    *("contains", "double", "duration", "endsWith", "has", "int", "matches", "seconds", "size"),
    *("startsWith", "string", "timestamp", "type", "uint"),
)
_STRING = r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'"""
_RAW = r"""[rR](?:"[^"\n]*"|'[^'\n]*')"""
TOKEN = re.compile(rf"//[^\n]*|{_RAW}|{_STRING}|[A-Za-z_]\w*|[0-9][0-9.A-Za-z]*|==|!=|\S")
LITERAL = re.compile(rf"({_RAW}|{_STRING}|[0-9][0-9.A-Za-z]*|true|false|null)", re.DOTALL)
PATTERN = re.compile(r"""(["'])[^"'\\{]{1,100}\1""")
WHERE = re.compile(r"ERROR: <input>:([0-9]+):([0-9]+): (.*)")
TYPE_NAMES = frozenset(
    ("bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint")
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What the cost of an expression depends on."""

    loops: int
    depth: int
    """Loops that stand in each other."""
    compares: bool
    """Whether it compares what may be long: a list with a list, or a name with every name of a list."""
    sums: int
    """Additions: each doubles at most what is there."""
    items: int
    """Items of the longest list that is written in it, at most."""
    patterns: bool
    """Whether it matches regular expressions."""

    def steps(self, values: int, longest: int) -> int:
        """At most so many steps for looking at so many values, of which one list holds `longest`."""
        growth = 1 << self.sums
        turns: int = (max(longest, self.items, 1) * growth) ** self.depth
        each = max(1, values * growth // VALUES_A_STEP) if self.compares or self.sums else 1
        return LEAST + max(1, self.loops) * turns * each * (PATTERN_STEPS if self.patterns else 1)


def compiled(text: str) -> Program:
    """The expression, ready to run; it fails unless it comes out as true or false. Raises ValueError."""
    from cel import compile as parse

    # On a line of its own, the closing bracket is not taken for a part of a comment.
    return parse(f"({text}\n) ? true : false")


@lru_cache(maxsize=1024)
def expression_fault(text: str, variables: tuple[str, ...]) -> str | None:
    """Why an expression cannot run, in words, if it cannot."""
    return next(_faults(text, variables), None)


def _faults(text: str, variables: Sequence[str]) -> Iterator[str]:
    if len(text) > MAX_LENGTH:
        yield f"an expression takes {MAX_LENGTH} characters at the most"
        return
    yield from _bounds(text)
    from cel import compile as parse

    try:
        program = parse(text)
        compiled(text)
    except ValueError as error:
        yield _syntax(text, str(error))
        return
    bound = set(_bound(_tokens(text)))
    for name in program.variables():
        if name not in bound and name not in variables and name not in TYPE_NAMES:
            yield f"there is no variable {name}; {did_you_mean(name, list(variables))}"
    for name in program.functions():
        if name[0].isalpha() and name not in FUNCTIONS:
            yield f"there is no function {name}; {did_you_mean(name, [*FUNCTIONS, *LOOPS[:3], 'filter'])}"


def _bounds(text: str) -> Iterator[str]:
    """What would make the cost of an expression unknown, or too high."""
    tokens = _tokens(text)
    if '"""' in text or "'''" in text or '"' in tokens or "'" in tokens:
        yield "put texts in plain quotes, each on one line"
    if "map" in tokens:
        yield f"map is not offered; {listed([*LOOPS[:3], 'filter'])}"
    for place, token in enumerate(tokens):
        if token == "matches" and not _plain_pattern(tokens[place + 1 : place + 4]):
            yield (
                "a pattern of matches is a text of up to 100 characters in plain quotes, without a"
                " backslash or a brace: write [0-9] for a digit, [.] for a dot, and * or + to repeat"
            )
    shape = shape_of(text)
    if shape.loops > MAX_LOOPS or shape.depth > MAX_DEPTH:
        yield f"it takes {MAX_LOOPS} loops at the most, and no more than {MAX_DEPTH} in each other"
    if shape.sums > MAX_SUMS:
        yield f"it takes {MAX_SUMS} additions at the most"


def _plain_pattern(tokens: Sequence[str]) -> bool:
    match tokens:
        case ["(", pattern, ")"]:
            return PATTERN.fullmatch(pattern) is not None
        case _:
            return False


def _syntax(text: str, message: str) -> str:
    """What the parser says, with the place in the expression; nothing that may be a secret."""
    found = WHERE.search(message)
    if found is None or looks_secret(text):
        return "this is not CEL: mind the brackets, quotes and operators"
    if "limit of" in found[3]:
        return "its brackets stand too deep in each other"
    said = found[3].split(" expecting ")[0].removeprefix("Syntax error: ").replace("'<EOF>'", "its end")
    place = f"character {found[2]}" if "\n" not in text else f"line {found[1]}, character {found[2]}"
    return f"this is not CEL at {place}: {said}"


def _tokens(text: str) -> list[str]:
    return [token for token in TOKEN.findall(text) if not token.startswith("//")]


def _bound(tokens: Sequence[str]) -> Iterator[str]:
    """The names that loops give to the items."""
    for place, token in enumerate(tokens[:-2]):
        if token in LOOPS and tokens[place + 1] == "(":
            yield tokens[place + 2]


def shape_of(text: str) -> Shape:
    """What the cost of an expression depends on."""
    tokens = _tokens(text)
    return Shape(
        loops=sum(token in LOOPS for token in tokens),
        depth=_depth(tokens),
        compares=any(_is_long(tokens, place) for place in range(len(tokens))),
        sums=tokens.count("+"),
        items=tokens.count(",") + 1,
        patterns="matches" in tokens,
    )


def _depth(tokens: Sequence[str]) -> int:
    """How many loops stand in each other, at the most."""
    opened: list[bool] = []
    deepest = 0
    for before, token in zip(["", *tokens], tokens, strict=False):
        if token in ("(", "[", "{"):
            opened.append(before in LOOPS and token == "(")
            deepest = max(deepest, sum(opened))
        elif token in (")", "]", "}") and opened:
            opened.pop()
    return deepest


def _is_long(tokens: Sequence[str], place: int) -> bool:
    """Whether an operator stands there that may compare more than a word or a number."""
    after = tokens[place + 1 :]
    match tokens[place]:
        case "==" | "!=":
            beside = (*tokens[max(place - 1, 0) : place], *after[:1])
            return not any(LITERAL.fullmatch(token) for token in beside)
        case "in":
            return not _is_list_of_words(after)
        case _:
            return False


def _is_list_of_words(tokens: Sequence[str]) -> bool:
    """Whether a list of nothing but texts and numbers starts there."""
    if tokens[:1] != ["["] or "]" not in tokens:
        return False
    inside = tokens[1 : tokens.index("]")]
    return all(token == "," or LITERAL.fullmatch(token) for token in inside)
