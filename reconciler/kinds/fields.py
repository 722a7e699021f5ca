"""Field types that several kinds, and the parts of a spec around them, share."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal, TypeAlias
from unicodedata import normalize

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints
from pydantic_core import PydanticCustomError

from reconciler.times import seconds_of, timestamp

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
LONGEST = 100 * SECONDS["y"]
"""No duration is longer, so that every time that is computed with one can be written as a date."""
LAST_YEAR = 9998
DURATION = re.compile(r"([1-9][0-9]{0,5})([smhdwy])")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
REFERENCE = re.compile(r"(env|file|vault|openbao|op|awssm|gcpsm|azurekv)://[^\s]{1,500}")

TOKEN_NAME = "^[a-z][a-z0-9-]{0,62}$"
ENTRY_NAME = "^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$"
ENTRY_OR_ALL = r"^(\*|[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127})$"
GROUP_MEMBER = "^@?[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$"
GRANTED = r"^(\*|@?[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127})$"
TRACE_ID = "^[A-Za-z0-9]{1,8}$"
APP_NAME = "^[A-Za-z0-9_-]{1,64}$"
_UNSEEN = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\U000e0000-\U000e007f"
)
"""What ends a line, is not seen, or makes a terminal show something else than stands there."""
LINE = f"^[^{_UNSEEN}]{{1,200}}$"
_SPACES = r"\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
"""What looks like a blank and is another letter."""
OWNER = f"^[^ {_UNSEEN}{_SPACES}]([^{_UNSEEN}{_SPACES}]{{0,198}}[^ {_UNSEEN}{_SPACES}])?$"
LABEL_VALUE = f"^[^{_UNSEEN}]{{0,200}}$"
LABEL = "^[A-Za-z0-9]([A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?$"
RECIPIENT = "^age1[0-9a-z]{1,4096}$"
REMOTE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
BRANCH = r"^[A-Za-z0-9][A-Za-z0-9_-]*([./][A-Za-z0-9_-]+)*$"
"""No `..`, no `@{`, no dash in front: what git and a command line take as a name and nothing else."""
SERVICE_URL = "^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*$"
AUDIENCE = "^[!-~]{1,200}$"

EXPECTED = {
    RECIPIENT: "a public key that starts with age1, as reconcile keygen prints it",
    REMOTE: "the name of a remote of the repository, such as origin; never an address",
    BRANCH: "the name of a branch, of letters, digits, - _ . and /",
    SERVICE_URL: "https://HOST, with a port and a path if need be, and no / at the end",
    AUDIENCE: "1 to 200 letters of ASCII, without blanks",
    TOKEN_NAME: "1 to 63 of a-z, 0-9 and -, and a letter first",
    ENTRY_NAME: "1 to 128 letters, digits and . _ : / @ -",
    ENTRY_OR_ALL: "1 to 128 letters, digits and . _ : / @ -, or * for all",
    GROUP_MEMBER: "1 to 128 letters, digits and . _ : / @ -, and @ before them for a group",
    GRANTED: "1 to 128 letters, digits and . _ : / @ -, and @ before them for a group, or * for all",
    TRACE_ID: "1 to 8 letters or digits, in quotes",
    APP_NAME: "1 to 64 letters, digits, _ or -",
    LINE: "1 to 200 letters of any script, on one line",
    OWNER: "1 to 200 letters of any script, on one line, with plain blanks between words only",
    LABEL_VALUE: "up to 200 letters of any script, on one line",
    LABEL: "letters, digits and . _ / -, as in env or example.com/team",
}
"""What each pattern asks for, in words. The patterns themselves are checked in compiled code."""


class Model(BaseModel):
    """Base of all that is read from a spec file: strict, frozen, unknown fields refused."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )


@lru_cache(maxsize=1024)
def parse_duration(text: str) -> int:
    """Seconds in a duration such as `90d`, `12h` or `1y` (365 days). Raises ValueError."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise ValueError("not a duration")
    return int(match[1]) * SECONDS[match[2]]


@lru_cache(maxsize=1024)
def end_of_date(text: str) -> int:
    """Epoch seconds at which a date such as `2027-06-30` is over, in UTC. Raises ValueError."""
    if not DATE.fullmatch(text):
        raise ValueError("not a date")
    after = date.fromisoformat(text) + timedelta(days=1)
    return int(datetime(after.year, after.month, after.day, tzinfo=UTC).timestamp())


@lru_cache(maxsize=1024)
def _duration(text: str) -> str:
    """The duration in the largest of s, m, h and d that divides it: one text for one length."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise PydanticCustomError(
            "duration", "a duration is a whole number and a unit: s, m, h, d, w or y, as in 90d"
        ) from error
    if seconds > LONGEST:
        raise PydanticCustomError("duration", "a duration is 100y at the most")
    unit = next(unit for unit in "dhms" if seconds % SECONDS[unit] == 0)
    return f"{seconds // SECONDS[unit]}{unit}"


def _moment(text: str) -> str:
    """The moment in RFC 3339, UTC, whole seconds: one text for one moment, in the order of time."""
    full = f"{text}T00:00:00Z" if DATE.fullmatch(text) else text
    try:
        if timestamp(seconds_of(full)) == full and int(full[:4]) <= LAST_YEAR:
            return full
    except ValueError:
        pass
    raise PydanticCustomError("moment", "write a moment in UTC such as 2027-06-30T12:00:00Z")


@lru_cache(maxsize=1024)
def _date_or_duration(text: str) -> str:
    if DURATION.fullmatch(text):
        return _duration(text)
    if DATE.fullmatch(text) and int(text[:4]) > LAST_YEAR:
        raise PydanticCustomError("ending", "leave expires out if the token is not to end")
    try:
        end_of_date(text)
    except ValueError as error:
        raise PydanticCustomError(
            "ending", "write a date such as 2027-06-30, or a duration such as 180d"
        ) from error
    return text


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """Sorted, because the order of a set of names has no meaning and must change no digest."""
    if len(names) == 1:
        return names
    if len(set(names)) < len(names):
        raise PydanticCustomError("twice", "a name stands here twice")
    if "*" in names:
        raise PydanticCustomError("star", "* means all, so it stands alone")
    return tuple(sorted(names))


def _composed(text: str) -> str:
    """The text with each letter as one, where it can be: what looks the same is the same."""
    return normalize("NFC", text)


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
    return dict(sorted(labels.items())) if len(labels) > 1 else labels


TokenName: TypeAlias = Annotated[str, StringConstraints(pattern=TOKEN_NAME)]
EntryName: TypeAlias = Annotated[str, StringConstraints(pattern=ENTRY_NAME)]
EntryOrAll: TypeAlias = Annotated[str, StringConstraints(pattern=ENTRY_OR_ALL)]
GroupMember: TypeAlias = Annotated[str, StringConstraints(pattern=GROUP_MEMBER)]
Granted: TypeAlias = Annotated[str, StringConstraints(pattern=GRANTED)]
"""A name of the catalog, `@` and the name of a group, or `*`."""
Line: TypeAlias = Annotated[str, StringConstraints(pattern=LINE)]
Owner: TypeAlias = Annotated[str, StringConstraints(pattern=OWNER), AfterValidator(_composed)]
Names: TypeAlias = Annotated[
    tuple[Granted, ...],
    Strict(strict=False),
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_distinct),
]
"""What a kind checks against the catalog: for any other field there is `OneOrMany`."""
_Named: TypeAlias = Annotated[list[Granted], Field(min_length=1, json_schema_extra={"uniqueItems": True})]
OneOrManyNames: TypeAlias = Annotated[
    tuple[Granted, ...],
    Strict(strict=False),
    Field(min_length=1),
    BeforeValidator(one_or_many, json_schema_input_type=Granted | _Named),
    AfterValidator(_distinct),
]
_Listed: TypeAlias = Annotated[list[EntryOrAll], Field(min_length=1, json_schema_extra={"uniqueItems": True})]
OneOrMany: TypeAlias = Annotated[
    tuple[EntryOrAll, ...],
    Strict(strict=False),
    Field(min_length=1),
    BeforeValidator(one_or_many, json_schema_input_type=EntryOrAll | _Listed),
    AfterValidator(_distinct),
]
Duration: TypeAlias = Annotated[
    str,
    AfterValidator(_duration),
    Field(json_schema_extra={"pattern": f"^{DURATION.pattern}$"}),
]
Ending: TypeAlias = Annotated[
    str,
    AfterValidator(_date_or_duration),
    Field(json_schema_extra={"pattern": f"^({DURATION.pattern}|{DATE.pattern})$"}),
]
Moment: TypeAlias = Annotated[
    str,
    AfterValidator(_moment),
    Field(json_schema_extra={"pattern": f"^{DATE.pattern}(T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}Z)?$"}),
]
Switch: TypeAlias = Annotated[bool, BeforeValidator(_switch, json_schema_input_type=bool | Literal["0", "1"])]
Reference: TypeAlias = Annotated[
    str,
    AfterValidator(_reference),
    Field(json_schema_extra={"pattern": f"^{REFERENCE.pattern}$"}),
]
LabelName: TypeAlias = Annotated[str, StringConstraints(pattern=LABEL)]
LabelValue: TypeAlias = Annotated[str, StringConstraints(pattern=LABEL_VALUE)]
Labels: TypeAlias = Annotated[
    dict[LabelName, LabelValue],
    Field(max_length=64, json_schema_extra={"additionalProperties": False}),
    AfterValidator(_sorted_labels),
]
