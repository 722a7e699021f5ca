"""What pydantic found, said in the words of a spec: a place, what is wrong, what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from reconciler.kinds import all_kinds
from reconciler.specs.faults import did_you_mean, listed, nearest, shown
from reconciler.specs.text import Document, Path

TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
SECRET_FIELDS = ("secret", "password", "passwd", "pwd", "privatekey", "private_key", "apikey", "token")


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


Words: TypeAlias = tuple[str, str]
"""A message and a hint."""


def findings(
    error: ValidationError, document: Document, model: type[BaseModel], kind: str
) -> Iterator[Finding]:
    """Every error that pydantic found in one document, explained."""
    for detail in error.errors(include_url=False, include_input=False):
        yield _finding(detail, document, model, kind)


def _finding(detail: ErrorDetails, document: Document, model: type[BaseModel], kind: str) -> Finding:
    path = detail["loc"]
    match detail["type"]:
        case "extra_forbidden":
            return _unknown_field(path, model, kind)
        case "missing":
            return _missing_field(path, kind)
        case "literal_secret":
            return Finding(
                path, "secret.literal", f"{path[-1]} holds a literal value", detail["msg"], sensitive=True
            )
    message, hint = _words(detail, document.at(path), str(_field(path)))
    return Finding(path, _rule(path, kind), message, hint)


def _unknown_field(path: Path, model: type[BaseModel], kind: str) -> Finding:
    field, parent = str(path[-1]), _dotted(path[:-1]) or "a document"
    if field.casefold().replace("-", "_") in SECRET_FIELDS:
        return Finding(
            path,
            "secret.literal",
            f"{field} would hold a secret, and specs hold none",
            "remove it: apply makes the secret, and seals it to the owner",
            at_key=True,
            sensitive=True,
        )
    if path[0] == "spec" and len(path) == 2 and (owners := _kinds_with(field, kind)):  # noqa: PLR2004
        return Finding(
            path,
            "unknown-field",
            f"{field} is a field of {' and '.join(owners)}, not of {kind}",
            "remove it",
            at_key=True,
        )
    known = _fields(model, path[:-1])
    hint = did_you_mean(field, known) if known else "remove it"
    return Finding(path, "unknown-field", f'{parent} has no field "{field[:60]}"', hint, at_key=True)


def _kinds_with(field: str, kind: str) -> list[str]:
    return [name for name, other in all_kinds().items() if name != kind and field in other.spec.model_fields]


def _missing_field(path: Path, kind: str) -> Finding:
    field = str(path[-1])
    examples: Mapping[str, object] = all_kinds()[kind].example if kind in all_kinds() else {}
    example = examples.get(field)
    if isinstance(example, (list, tuple)):
        written = f"{field}: [{', '.join(example)}]"
    else:
        written = f"{field}: {example if example is not None else '…'}"
    return Finding(path[:-1], "missing-field", f"{_dotted(path)} is missing", f"add {written}", at_key=True)


def _words(detail: ErrorDetails, value: object, field: str) -> Words:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in TYPES:
        return f"{field} is {shown(value)}; it takes {TYPES[kind]}", _type_hint(kind, value)
    if kind == "literal_error":
        choices = [choice.strip("'") for choice in context["expected"].replace(" or ", ", ").split(", ")]
        return _choice(field, value, choices)
    if kind == "choice":
        return _choice(field, value, context["choices"])
    if kind == "too_short":
        return f"{field} is empty", "name at least one, or remove the field if it is optional"
    if kind in ("greater_than_equal", "less_than_equal"):
        limit = context["ge" if kind == "greater_than_equal" else "le"]
        side = "least" if kind == "greater_than_equal" else "most"
        return f"{field} is {shown(value)}; it can be {limit} at the {side}", ""
    if kind in ("string_too_long", "string_too_short"):
        return f"{field} has {len(str(value))} characters", "it takes 1 to 200"
    return f"{field} is {shown(value)}", detail["msg"]


def _choice(field: str, value: object, choices: list[str]) -> Words:
    near = nearest(str(value), choices)
    return (
        f"{field} is {shown(value)}; {listed(choices)}",
        f"did you mean {near}?" if near else "choose one of them",
    )


def _type_hint(kind: str, value: object) -> str:
    match kind:
        case "string_type" if isinstance(value, (int, float, bool)):
            return f'put it in quotes: "{str(value).lower() if isinstance(value, bool) else value}"'
        case "bool_type":
            return "write true or false, without quotes"
        case "tuple_type":
            return "write [a, b], or one a line with - before it"
        case "int_type" if isinstance(value, str) and value.isdigit():
            return f"leave the quotes out: {value}"
        case _:
            return ""


def _field(path: Path) -> str | int:
    names = [step for step in path if isinstance(step, str)]
    return names[-1] if names else "the document"


def _rule(path: Path, kind: str) -> str:
    names = [step for step in path if isinstance(step, str)]
    if not names:
        return f"{kind.lower()}.document"
    if names[0] == "spec" and len(names) > 1:
        return f"{kind.lower()}.{'.'.join(names[1:])}"
    return ".".join(names)


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path)


def _fields(model: type[BaseModel], path: Path) -> list[str]:
    """The fields of the model at a path inside another."""
    found: object = model
    for step in path:
        if not (isinstance(found, type) and issubclass(found, BaseModel)) or step not in found.model_fields:
            return []
        found = _model_in(found.model_fields[str(step)].annotation)
    return list(found.model_fields) if isinstance(found, type) and issubclass(found, BaseModel) else []


def _model_in(annotation: object) -> object:
    choices = getattr(annotation, "__args__", ())
    models = [one for one in (annotation, *choices) if isinstance(one, type) and issubclass(one, BaseModel)]
    return models[0] if models else None
