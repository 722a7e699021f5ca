"""What pydantic found, said in the words of a spec: a place, what is wrong, what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import TypeAlias, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from reconciler.kinds import all_kinds
from reconciler.kinds.fields import EXPECTED
from reconciler.specs.faults import did_you_mean, listed, nearest, shown
from reconciler.specs.values import Document, List, Mapping, Path, Value

TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
IN_SPEC = 2
"""Steps of the path of a field of `spec`."""
LIMITS = {
    "twice": ("{field} holds a name twice", "keep one of the two"),
    "star": ("{field} holds * and names beside it", "* means all: let it stand alone, or leave it out"),
    "too_short": ("{field} is empty", "name at least one, or remove the field if it is optional"),
    "too_long": ("{field} has too many entries", "it takes {max_length} at the most"),
    "string_too_short": ("{field} is empty", "write a value, or remove the field"),
    "string_too_long": ("{field} is too long", "it takes {max_length} characters at the most"),
    "greater_than_equal": ("{field} is {value}", "it can be {ge} at the least"),
    "less_than_equal": ("{field} is {value}", "it can be {le} at the most"),
}
"""What pydantic, or a field type, calls a limit that was passed: a message and a hint."""
SECRET_FIELDS = frozenset(
    (
        "secret",
        "secretid",
        "password",
        "passwd",
        "passphrase",
        "pwd",
        "initpwd",
        "privatekey",
        "apikey",
        "token",
    )
)
"""Fields that hold a secret by their name, without - and _."""
REFERENCE_HINT = "a secret never stands in a spec: write a reference, as in env://NAME or vault://path#key"


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of one document, before its place in a file is known."""

    path: Path
    rule: str
    message: str
    hint: str = ""
    at_key: bool = False
    """It is the key that is wrong, not its value."""
    sensitive: bool = False
    """The line may hold a secret."""
    quote: bool = False
    """What is written is right in quotes."""


Words: TypeAlias = tuple[str, str]
"""A message and a hint."""


def findings(
    error: ValidationError, document: Document, model: type[BaseModel], kind: str
) -> Iterator[Finding]:
    """Every error that pydantic found in one document, explained."""
    for detail in error.errors(include_url=False, include_input=False):
        if detail["type"] != "too_short" or not document.at(detail["loc"]):
            # A list is also too short when all that stands in it is wrong: that was said already.
            yield _finding(detail, document, model, kind)


def _finding(detail: ErrorDetails, document: Document, model: type[BaseModel], kind: str) -> Finding:
    path, at_key = _cut(detail["loc"], document)
    if _guarded(path) and detail["type"] not in ("missing", "extra_forbidden"):
        hint = detail["msg"] if detail["type"] == "literal_secret" else REFERENCE_HINT
        return Finding(path, "secret.literal", f"{path[-1]} holds a literal value", hint, sensitive=True)
    match detail["type"]:
        case "extra_forbidden":
            return _unknown_field(path, model, kind)
        case "missing":
            return _missing_field(path, kind)
        case "literal_secret":
            what = detail.get("ctx", {}).get("what", "a literal value")
            return Finding(path, "secret.literal", f"{path[-1]} holds {what}", detail["msg"], sensitive=True)
    value: Value = str(path[-1]) if at_key else document.at(path)
    message, hint = _words(detail, value, "this name" if at_key else _field(path))
    sensitive = detail["type"] == "own_key"
    quote = detail["type"] == "string_type" and isinstance(value, (bool, int, float))
    return Finding(path, _rule(path, kind), message, hint, at_key=at_key, quote=quote, sensitive=sensitive)


def _cut(path: Path, document: Document) -> tuple[Path, bool]:
    """The path as far as the document goes, and whether it is a key that is wrong.

    Pydantic sets a mark behind such a key, and goes on into what a validator made of a text.
    """
    if path[-1:] == ("[key]",):
        return path[:-1], True
    while path and not isinstance(document.at(path[:-1]), (Mapping, List)):
        path = path[:-1]
    return path, False


def _guarded(path: Path) -> bool:
    """Whether a field holds a reference to a secret: what stands there is never repeated."""
    return any(isinstance(step, str) and _plain_name(step) in SECRET_FIELDS for step in path[1:])


def _plain_name(field: str) -> str:
    return field.casefold().replace("-", "").replace("_", "")


def _unknown_field(path: Path, model: type[BaseModel], kind: str) -> Finding:
    field, parent = str(path[-1]), _dotted(path[:-1]) or "a document"
    if path[0] == "spec" and len(path) == IN_SPEC and (owners := _kinds_with(field, kind)):
        return Finding(
            path,
            "unknown-field",
            f"{field} is a field of {' and '.join(owners)}, not of {kind}",
            "remove it",
            at_key=True,
            sensitive=_plain_name(field) in SECRET_FIELDS,
        )
    if _plain_name(field) in SECRET_FIELDS:
        return Finding(
            path,
            "secret.literal",
            f"{field} would hold a secret, and specs hold none",
            "remove it: apply makes the secret, and seals it to the owner",
            at_key=True,
            sensitive=True,
        )
    known = _fields(model, path[:-1])
    hint = did_you_mean(field, known) if known else "remove it"
    return Finding(path, "unknown-field", f"{parent} has no field {shown(field)}", hint, at_key=True)


def _kinds_with(field: str, kind: str) -> list[str]:
    kinds = all_kinds()
    return [
        name for name in kinds if kind in kinds and name != kind and field in kinds[name].spec.model_fields
    ]


def _missing_field(path: Path, kind: str) -> Finding:
    field = str(path[-1])
    examples: AnyMapping[str, object] = all_kinds()[kind].example if kind in all_kinds() else {}
    example = examples.get(field)
    if isinstance(example, (list, tuple)):
        written = f"{field}: [{', '.join(example)}]"
    else:
        written = f"{field}: {example if example is not None else '…'}"
    return Finding(path[:-1], "missing-field", f"{_dotted(path)} is missing", f"add {written}", at_key=True)


def _words(detail: ErrorDetails, value: Value, field: str) -> Words:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in TYPES:
        return f"{field} is {shown(value)}; it takes {TYPES[kind]}", _type_hint(kind, value)
    if kind in LIMITS:
        message, hint = LIMITS[kind]
        return message.format(field=field, value=shown(value)), hint.format(**context)
    match kind:
        case "literal_error":
            choices = [choice.strip("'") for choice in context["expected"].replace(" or ", ", ").split(", ")]
            return _choice(field, value, choices)
        case "choice":
            return _choice(field, value, context["choices"])
        case "own_key":
            return f"{field} {context['why']}", detail["msg"]
        case "string_pattern_mismatch":
            return f"{field} is {shown(value)}", f"it takes {EXPECTED[context['pattern']]}"
        case _:
            return f"{field} is {shown(value)}", detail["msg"]


def _choice(field: str, value: Value, choices: list[str]) -> Words:
    message = f"{field} is {shown(value)}; {listed(choices)}"
    if isinstance(value, str) and value.isdigit() and value in choices:
        return message, f"leave the quotes out: {value}"
    near = nearest(str(value), choices) if isinstance(value, (str, int)) else None
    return message, f"did you mean {near}?" if near else "choose one of them"


def _type_hint(kind: str, value: Value) -> str:
    match kind:
        case "string_type" if isinstance(value, (int, float)):
            return "put it in quotes"
        case "string_type":
            return "write a word or a sentence"
        case "bool_type":
            return "write true or false, without quotes"
        case "tuple_type":
            return "write [a, b], or one a line with - before it"
        case "int_type" if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value):
            return f"leave the quotes out: {value}"
        case "int_type":
            return "write a number such as 3600"
        case _:
            return "write its fields below it, each on its line and indented"


def _field(path: Path) -> str:
    names = [step for step in path if isinstance(step, str)]
    if "labels" in names[:-1]:
        return "this label"
    return names[-1] if names else "the document"


def _rule(path: Path, kind: str) -> str:
    names = [step for step in path if isinstance(step, str)]
    if "labels" in names:
        del names[names.index("labels") + 1 :]
    if not names:
        return f"{kind.lower()}.document"
    if names[0] == "spec" and len(names) > 1:
        return f"{kind.lower()}.{'.'.join(names[1:])}"
    return ".".join(names)


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path)


def _fields(model: type[BaseModel], path: Path) -> list[str]:
    """The fields of the model at a path inside another."""
    found: type[BaseModel] | None = model
    for step in path:
        if isinstance(step, str):
            field = found.model_fields.get(step) if found else None
            found = _model_in(field.annotation) if field else None
    return list(found.model_fields) if found else []


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The first model that a type names, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
