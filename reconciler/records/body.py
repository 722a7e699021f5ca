"""What a record says: one run, what it did, and what it left. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints, ValidationError

from reconciler.canonical import Json
from reconciler.errors import RecordUnreadable
from reconciler.times import seconds_of

SCHEMA = "reconciler/record/v1"

Outcome: TypeAlias = Literal["done", "partly", "failed", "blocked", "interrupted"]
DONE: Outcome = "done"
PARTLY: Outcome = "partly"
FAILED: Outcome = "failed"
BLOCKED: Outcome = "blocked"
INTERRUPTED: Outcome = "interrupted"
"""Outcomes of a run; those of a change are others. All of it, some of it, nothing of it; not begun, because a
brake or a policy held it; died, and settled by the run after it."""

Digest: TypeAlias = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Part(BaseModel):
    """Strict, and closed: a record with a field that nobody knows is not one that is understood."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)


class Artifact(_Part):
    """A sealed file that a change put in place, or took as it was."""

    path: str
    """From the workspace, with `/`."""
    digest: Digest
    """Of its bytes."""
    contents: Digest | None = None
    """Of what was sealed, where that is new."""


class Change(_Part):
    """One change of a plan, and what became of it."""

    action: str
    kind: str
    name: str
    token: str | None
    """Id of the token; None where there never came to be one."""
    generation: int
    """Of the newest credential that it is about; 0 for none."""
    outcome: Literal["done", "failed", "untried"]
    error: str | None = None
    """The code of what went wrong."""
    artifact: Artifact | None = None
    removed: str | None = None
    """Path of the artifact that left the tree."""
    previously: str | None = None
    """The name that the token had before."""
    spec: Digest | None = None
    """Digest of the spec that its token has since, by its normal form, whatever became of the change. None
    where it has none: it never came to be, it is deleted, or access was taken away and nothing given yet."""
    declared: dict[str, object] | None = None
    """The spec itself in its normal form, groups resolved, where the token did not have that one before: so
    what a token could do is told by records alone."""

    @property
    def is_done(self) -> bool:
        """Whether it was carried out."""
        return self.outcome == "done"


class Held(_Part):
    """A brake or a policy that held a plan, or would have if nobody had let it go."""

    rule: str
    message: str


class Settled(_Part):
    """Who ended a run that could not end itself. What it gave is live since then; what it took, before."""

    time: str
    """RFC 3339 in UTC."""
    actor: str


class Body(_Part):
    """The predicate of a record. What is None or empty is not written."""

    schema_: Annotated[Literal["reconciler/record/v1"], Field(alias="schema")]
    sequence: Annotated[int, Field(ge=1)]
    """From 1, without a gap."""
    previous: Digest | None
    """Of the file of the record before: of all its bytes, signatures too."""
    run: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]+$")]
    time: str
    """When the run read its clock, RFC 3339 in UTC."""
    actor: str
    commit: str | None
    """That the specs were read at."""
    plan: Digest
    outcome: Outcome
    changes: Annotated[tuple[Change, ...], Strict(strict=False)]
    """In the order of the plan; empty for a run that was blocked."""
    live: dict[str, Digest] = {}
    """Id of each token that the run touched → digest of all that the live store holds of it since
    (`live_digest`). A token whose change failed may have lost access all the same."""
    overrides: dict[str, int | bool] = {}
    """The brakes that somebody let go for it, by name."""
    released: Annotated[tuple[Held, ...], Strict(strict=False)] = ()
    """What would have held the plan without the overrides."""
    held: Annotated[tuple[Held, ...], Strict(strict=False)] = ()
    """What did hold it, where it was blocked."""
    reason: str | None = None
    """Why, in the words of who ran it."""
    error: str | None = None
    """The code of what ended the run, where it was not done."""
    settled: Settled | None = None
    """None where it ended itself, or had published its record before it was cut off."""

    @property
    def gave_at(self) -> int:
        """When what it gave became live, in epoch seconds, as far as the record can tell."""
        return seconds_of(self.settled.time) if self.settled else self.at

    @property
    def at(self) -> int:
        """Its time in epoch seconds."""
        return seconds_of(self.time)

    @property
    def is_overridden(self) -> bool:
        """Whether somebody let a brake go for it."""
        return bool(self.overrides or self.released)

    @property
    def is_exceptional(self) -> bool:
        """Whether somebody should ask why: a brake was let go, it was held, or not all of it was done."""
        return self.is_overridden or self.outcome != DONE

    @property
    def done(self) -> list[Change]:
        """The changes that were carried out."""
        return [one for one in self.changes if one.is_done]

    @property
    def let_go(self) -> list[str]:
        """The overrides in words, as they were given: `max_delete=10`, `allow_empty=true`."""
        return [f"{name}={str(value).lower()}" for name, value in sorted(self.overrides.items())]


def read_body(document: object) -> Body:
    """A body out of JSON. Raises RecordUnreadable, saying which part is not as it should be."""
    try:
        body = Body.model_validate(document)
        _ = body.at, body.gave_at
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "the whole"
        raise RecordUnreadable(f"{place} is not as in a record", hint=MEND) from None
    except ValueError:
        raise RecordUnreadable("time is not as in a record", hint=MEND) from None
    return body


MEND = "restore the records from git, or pull the commit that apply published"


def to_json(body: Body) -> Mapping[str, Json]:
    """The JSON of a body, without what is empty.

    `previous`, `commit`, `changes`, and `token` of each, are there always.
    """
    whole: dict[str, Json] = body.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={"changes"}
    )
    changes: list[Json] = [
        one.model_dump(mode="json", exclude_none=True) | {"token": one.token} for one in body.changes
    ]
    told = {name: value for name, value in whole.items() if value not in ({}, [])}
    return {**told, "previous": body.previous, "commit": body.commit, "changes": changes}
