"""Field types that several kinds, and the parts of a spec around them, share."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
DURATION = re.compile(r"([1-9][0-9]{0,5})([smhdwy])")
REFERENCE = re.compile(r"(env|file|vault|openbao|op|awssm|gcpsm|azurekv)://[^\s]{1,500}")


class Model(BaseModel):
    """Base of all that is read from a spec file: strict, frozen, unknown fields refused."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)


def parse_duration(text: str) -> int:
    """Seconds in a duration such as `90d`, `12h` or `1y` (365 days). Raises ValueError."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise ValueError("not a duration")
    return int(match[1]) * SECONDS[match[2]]


def end_of_date(text: str) -> int:
    """Epoch seconds at which a date such as `2027-06-30` is over, in UTC. Raises ValueError."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("not a date")
    day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    return int((day + timedelta(days=1)).timestamp())


def _duration(text: str) -> str:
    try:
        parse_duration(text)
    except ValueError as error:
        raise PydanticCustomError(
            "duration", "a duration is a whole number and a unit: s, m, h, d, w or y, as in 90d"
        ) from error
    return text


def _date_or_duration(text: str) -> str:
    for parse in (parse_duration, end_of_date):
        try:
            parse(text)
        except (ValueError, OverflowError):
            continue
        return text
    raise PydanticCustomError("ending", "write a date such as 2027-06-30, or a duration such as 180d")


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """Sorted, because the order of a set of names has no meaning and must change no digest."""
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise PydanticCustomError("twice", "{name} is named twice", {"name": twice})
    if "*" in names and len(names) > 1:
        raise PydanticCustomError("star", "* means all, so it stands alone")
    return tuple(sorted(names))


def one_or_many(value: object) -> object:
    """A single string as a list of one; anything else as it is."""
    return [value] if isinstance(value, str) else value


def _switch(value: object) -> object:
    return {"1": True, "0": False}.get(value, value) if isinstance(value, str) else value


def _reference(text: str) -> str:
    if REFERENCE.fullmatch(text) is None:
        raise PydanticCustomError(
            "literal_secret",
            "a secret never stands in a spec: write a reference, as in env://NAME or vault://path#key",
        )
    return text


def _sorted_labels(labels: dict[str, str]) -> dict[str, str]:
    return dict(sorted(labels.items()))


def pattern(kind: str, regex: str, expected: str) -> Callable[[str], str]:
    """A validator that says in words what is expected, not which regular expression failed."""
    compiled = re.compile(regex)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise PydanticCustomError(kind, "{expected}", {"expected": expected})
        return text

    return check


TOKEN_NAME = r"[a-z][a-z0-9-]{0,62}"
ENTRY_NAME = r"\*|[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}"

TokenName: TypeAlias = Annotated[
    str,
    AfterValidator(pattern("name", TOKEN_NAME, "1 to 63 of a-z, 0-9 and -, and a letter first")),
    Field(json_schema_extra={"pattern": f"^{TOKEN_NAME}$"}),
]
EntryName: TypeAlias = Annotated[
    str,
    AfterValidator(pattern("entry", ENTRY_NAME, "1 to 128 letters, digits and . _ : / @ -, or * for all")),
    Field(json_schema_extra={"pattern": f"^({ENTRY_NAME})$"}),
]
Names: TypeAlias = Annotated[
    tuple[EntryName, ...], Strict(strict=False), Field(min_length=1), AfterValidator(_distinct)
]
OneOrMany: TypeAlias = Annotated[
    tuple[EntryName, ...],
    Strict(strict=False),
    Field(min_length=1),
    BeforeValidator(one_or_many, json_schema_input_type=str | list[str]),
    AfterValidator(_distinct),
]
Duration: TypeAlias = Annotated[
    str,
    AfterValidator(_duration),
    Field(json_schema_extra={"pattern": "^[1-9][0-9]{0,5}[smhdwy]$"}),
]
Ending: TypeAlias = Annotated[str, AfterValidator(_date_or_duration)]
Switch: TypeAlias = Annotated[bool, BeforeValidator(_switch, json_schema_input_type=bool | Literal["0", "1"])]
Reference: TypeAlias = Annotated[
    str,
    AfterValidator(_reference),
    Field(json_schema_extra={"pattern": f"^{REFERENCE.pattern}$"}),
]
Labels: TypeAlias = Annotated[dict[str, str], AfterValidator(_sorted_labels)]
