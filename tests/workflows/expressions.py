"""As much of GitHub's expressions as the workflows use: names, texts, `==`, `!=`, `&&`, `||`, brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

Context: TypeAlias = Mapping[str, object]

_TOKEN = re.compile(r"\s*(?:(?P<text>'[^']*')|(?P<name>[A-Za-z_][\w.-]*)|(?P<sign>==|!=|&&|\|\||[()]))")
_HOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def filled(text: object, context: Context) -> str:
    """A value of a workflow file with its expressions put in."""
    return _HOLE.sub(lambda hole: shown(evaluated(hole[1], context)), shown(text))


def evaluated(expression: str, context: Context) -> object:
    """The value of an expression. Raises ValueError for one that this does not know."""
    tokens = list(_tokens(expression.strip()))
    value, rest = _either(tokens, context)
    if rest:
        raise ValueError(f"{expression!r} is more than this reads")
    return value


def shown(value: object) -> str:
    """A value as text."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(expression):
        found = _TOKEN.match(expression, place)
        if found is None or found.lastgroup is None:
            raise ValueError(f"{expression!r} is more than this reads")
        yield found.lastgroup, found[found.lastgroup]
        place = found.end()


_Tokens: TypeAlias = list[tuple[str, str]]


def _either(tokens: _Tokens, context: Context) -> tuple[object, _Tokens]:
    value, rest = _both(tokens, context)
    while rest[:1] == [("sign", "||")]:
        other, rest = _both(rest[1:], context)
        value = value or other
    return value, rest


def _both(tokens: _Tokens, context: Context) -> tuple[object, _Tokens]:
    value, rest = _compared(tokens, context)
    while rest[:1] == [("sign", "&&")]:
        other, rest = _compared(rest[1:], context)
        value = value and other
    return value, rest


def _compared(tokens: _Tokens, context: Context) -> tuple[object, _Tokens]:
    value, rest = _one(tokens, context)
    if rest and rest[0][0] == "sign" and rest[0][1] in ("==", "!="):
        other, left = _one(rest[1:], context)
        same = shown(value).lower() == shown(other).lower()
        return same is (rest[0][1] == "=="), left
    return value, rest


def _one(tokens: _Tokens, context: Context) -> tuple[object, _Tokens]:
    (kind, word), rest = tokens[0], tokens[1:]
    if kind == "text":
        return word[1:-1], rest
    if kind == "name":
        return _looked_up(word, context), rest
    if word == "(":
        value, rest = _either(rest, context)
        return value, rest[1:]
    raise ValueError(f"{word!r} stands where a value should")


def _looked_up(name: str, context: Context) -> object:
    """The value of a name. One that a context lacks is nothing; a context that is not there is a mistake."""
    first, *steps = name.split(".")
    if first not in context:
        raise ValueError(f"there is no context {first!r} here")
    value: object = context[first]
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
