"""`FIELD=VALUE` as a person types it, read by the model of the kind it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator

from reconciler.errors import UsageError
from reconciler.kinds.fields import one_or_many
from reconciler.specs.faults import did_you_mean, shown
from reconciler.specs.model import token_spec

WRITTEN = re.compile(r"(?P<field>[A-Za-z_][A-Za-z0-9_./-]*?)(?P<how>\+=|-=|=)(?P<value>.*)", re.DOTALL)
PARTS = ("spec", "lifecycle", "metadata", "deliver")

Plain: TypeAlias = str | int | bool | list[str]
FieldPath: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One field of a spec and what becomes of it."""

    path: FieldPath
    how: str
    """`=` sets, `+=` adds names, `-=` takes names away."""
    value: Plain | None
    """None removes the field."""
    single: bool = False
    """One name may stand without a list around it."""

    def applied(self, before: object) -> Plain | None:
        """The value after the assignment, given the one before."""
        if not isinstance(self.value, list):
            return self.value
        names = self._names(before)
        return names[0] if self.single and len(names) == 1 and not isinstance(before, list) else names

    def _names(self, before: object) -> list[str]:
        given = list(dict.fromkeys(self.value)) if isinstance(self.value, list) else []
        if self.how == "=":
            return given
        held = [before] if isinstance(before, str) else before if isinstance(before, list) else []
        names = [str(name) for name in held]
        if self.how == "+=":
            return names + [name for name in given if name not in names]
        return [name for name in names if name not in given]


def parse(words: Sequence[str], kind: str) -> list[Assignment]:
    """The assignments on a command line. Raises UsageError naming the word and the remedy."""
    return [_parse(word, kind) for word in words]


def _parse(word: str, kind: str) -> Assignment:
    match = WRITTEN.fullmatch(word)
    if match is None:
        raise UsageError(
            f"{shown(word.partition('=')[0])} is not FIELD=VALUE",
            hint="for example apis=device.read,device.list or apis+=telemetry.write",
        )
    field, how, text = match["field"], match["how"], match["value"]
    path, annotation = _resolved(field, kind)
    takes_list = _is_list(annotation)
    if how != "=" and not takes_list:
        raise UsageError(f"{field} is not a list", hint=f"write {field}=VALUE")
    if text == "" and how == "=":
        return Assignment(path, how, None)
    _refuse_whole(field, annotation)
    if takes_list:
        return Assignment(path, how, _names(text), single=_is_single(annotation))
    return Assignment(path, how, _plain(text, annotation))


def _refuse_whole(field: str, annotation: object) -> None:
    """A mapping is set field by field."""
    fields = list(_model_of(annotation).model_fields)
    if fields or _is_mapping(annotation):
        example = fields[0] if fields else "env"
        raise UsageError(f"{field} is a mapping", hint=f"set what is in it: {field}.{example}=VALUE")


def _resolved(field: str, kind: str) -> tuple[FieldPath, object]:
    """The full path of a field that may be written short, and its type."""
    model = token_spec(kind)
    steps = tuple(field.split("."))
    for path in (steps, *((part, *steps) for part in PARTS)):
        found = _found(model, path)
        if found is not None and path[0] in PARTS and len(path) > 1:
            if found[0] == ("metadata", "name"):
                raise UsageError(
                    "a name is not set",
                    hint="give it another with: reconcile rename OLD NEW",
                )
            return found
    known = [name for part in PARTS for name in _model_of(model.model_fields[part].annotation).model_fields]
    raise UsageError(f"{kind} has no field {shown(field)}", hint=did_you_mean(steps[-1], known))


def _found(model: type[BaseModel], path: FieldPath) -> tuple[FieldPath, object] | None:
    """The path and the type of a field; all that comes behind a mapping of free keys is one key."""
    found: object = model
    for depth, step in enumerate(path):
        if _is_mapping(found):
            return (*path[:depth], ".".join(path[depth:])), str
        fields = _model_of(found).model_fields
        if step not in fields:
            return None
        field = fields[step]
        found = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return path, found


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


def _notes(annotation: object) -> Iterator[object]:
    """What stands beside the type in Annotated, at any depth."""
    if get_origin(annotation) is Annotated:
        inner, *notes = get_args(annotation)
        yield from notes
        yield from _notes(inner)
    elif get_origin(annotation) in (Union, UnionType):
        for choice in get_args(annotation):
            yield from _notes(choice)


def _model_of(annotation: object) -> type[BaseModel]:
    for choice in _choices(annotation):
        if isinstance(choice, type) and issubclass(choice, BaseModel):
            return choice
    return BaseModel


def _is_list(annotation: object) -> bool:
    return any(get_origin(choice) in (tuple, list) for choice in _choices(annotation))


def _is_single(annotation: object) -> bool:
    """Whether the field takes one name without a list."""
    return any(isinstance(note, BeforeValidator) and note.func is one_or_many for note in _notes(annotation))


def _names(text: str) -> list[str]:
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    return [name for name in (part.strip() for part in bare.split(",")) if name]


def _plain(text: str, annotation: object) -> Plain:
    choices = _choices(annotation)
    if bool in choices and text in ("true", "false"):
        return text == "true"
    literals = [value for choice in choices if get_origin(choice) is Literal for value in get_args(choice)]
    wants_number = int in choices or any(isinstance(value, int) for value in literals)
    if wants_number and re.fullmatch(r"-?[0-9]{1,15}", text):
        return int(text)
    return _whole_lines(text)


def _whole_lines(text: str) -> str:
    """Text of several lines, each with its end: a shell's `$(cat FILE)` takes the last away."""
    lines = text.splitlines()
    return "".join(f"{line}\n" for line in lines) if len(lines) > 1 else text
