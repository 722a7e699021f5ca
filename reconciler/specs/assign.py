"""`FIELD=VALUE` as a person types it, read by the model of the kind it is for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel

from reconciler.errors import UsageError
from reconciler.specs.faults import did_you_mean
from reconciler.specs.model import token_spec

WRITTEN = re.compile(r"(?P<field>[A-Za-z_][A-Za-z0-9_.-]*?)(?P<how>\+=|-=|=)(?P<value>.*)", re.DOTALL)
PARTS = ("spec", "lifecycle", "metadata", "deliver")

Plain: TypeAlias = str | int | bool | list[str]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One field of a spec and what becomes of it."""

    path: tuple[str, ...]
    how: str
    """`=` sets, `+=` adds names, `-=` takes names away."""
    value: Plain | None
    """None removes the field."""

    def applied(self, before: object) -> Plain | None:
        """The value after the assignment, given the one before."""
        if self.how == "=" or not isinstance(self.value, list):
            return self.value
        held = (
            [str(name) for name in before]
            if isinstance(before, list)
            else [before]
            if isinstance(before, str)
            else []
        )
        if self.how == "+=":
            return held + [name for name in self.value if name not in held]
        return [name for name in held if name not in self.value]


def parse(words: Sequence[str], kind: str) -> list[Assignment]:
    """The assignments on a command line. Raises UsageError naming the word and the remedy."""
    return [_parse(word, kind) for word in words]


def _parse(word: str, kind: str) -> Assignment:
    match = WRITTEN.fullmatch(word)
    if match is None:
        raise UsageError(
            f'"{word.partition("=")[0][:40]}" is not FIELD=VALUE',
            hint="for example apis=device.read,device.list or apis+=telemetry.write",
        )
    path, annotation = _resolved(match["field"], kind)
    if path == ("metadata", "name"):
        raise UsageError(
            "a name is not set", hint="a new name is a new token: remove this one and add another"
        )
    how, text = match["how"], match["value"]
    takes_list = _is_list(annotation)
    if how != "=" and not takes_list:
        raise UsageError(f"{match['field']} is not a list", hint=f"write {match['field']}=VALUE")
    if text == "" and how == "=":
        return Assignment(path, how, None)
    return Assignment(path, how, _names(text) if takes_list else _plain(text, annotation))


def _resolved(field: str, kind: str) -> tuple[tuple[str, ...], object]:
    """The full path of a field that may be written short, and its type."""
    model = token_spec(kind)
    steps = tuple(field.split("."))
    for path in (steps, *((part, *steps) for part in PARTS)):
        annotation = _annotation(model, path)
        if annotation is not None and path[0] in PARTS and len(path) > 1:
            return path, annotation
    known = [name for part in PARTS for name in _model_of(model.model_fields[part].annotation).model_fields]
    raise UsageError(f'{kind} has no field "{field[:60]}"', hint=did_you_mean(steps[-1], known))


def _annotation(model: type[BaseModel], path: tuple[str, ...]) -> object | None:
    found: object = model
    for index, step in enumerate(path):
        inner = _model_of(found)
        if index > 1 and _strip(found) is dict:
            return str
        if inner is BaseModel or step not in inner.model_fields:
            return str if _is_mapping(found) else None
        field = inner.model_fields[step]
        found = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return found


def _is_mapping(annotation: object) -> bool:
    return any(get_origin(choice) is dict for choice in _choices(annotation))


def _choices(annotation: object) -> list[object]:
    """The types that a field may take, out of Annotated, Optional and unions."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _choices(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [one for choice in get_args(annotation) for one in _choices(choice) if choice is not NoneType]
    return [annotation]


def _strip(annotation: object) -> object:
    return get_origin(_choices(annotation)[0])


def _model_of(annotation: object) -> type[BaseModel]:
    for choice in _choices(annotation):
        if isinstance(choice, type) and issubclass(choice, BaseModel):
            return choice
    return BaseModel


def _is_list(annotation: object) -> bool:
    return any(get_origin(choice) in (tuple, list) for choice in _choices(annotation))


def _names(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.strip("[] ").split(",")) if name]


def _plain(text: str, annotation: object) -> Plain:
    choices = _choices(annotation)
    if bool in choices and text in ("true", "false"):
        return text == "true"
    literals = [value for choice in choices if get_origin(choice) is Literal for value in get_args(choice)]
    wants_number = int in choices or any(isinstance(value, int) for value in literals)
    if wants_number and re.fullmatch(r"-?[0-9]{1,15}", text):
        return int(text)
    return text
