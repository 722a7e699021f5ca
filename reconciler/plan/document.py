"""The plan as data: bound to what it was made from, the same bytes for the same inputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from reconciler.canonical import Json, canonical, digest
from reconciler.errors import PlanForeign, PlanStale, PlanUnreadable
from reconciler.plan.brakes import Block, Overrides, Warned
from reconciler.plan.change import Change, summary
from reconciler.times import minute, seconds_of, timestamp

SCHEMA = "reconciler/plan/v1"
WAITS = "rotation-waits"
"""The rule of the warning that tells of credentials which could not be made, and wait for the next try."""
CLOCK_SKEW = 300
"""Seconds that the clock of the machine that planned may be ahead of this one."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a plan was made from. If any of it moved, the plan no longer fits."""

    workspace: str
    store: str
    """Id of the live store; empty while there is none."""
    settings: str
    """Digest of the settings in specs/ that an apply depends on. What each token is to be is bound in the
    change of that token: a spec that the plan does not touch does not bind it."""
    policy: str
    """Digest of what limits plans: the brakes and the policies."""
    rules: str
    """Digest of the creation rules that artifacts are sealed by; empty where there are none."""
    tool: str
    """Version of this tool."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An ordered list of changes, bound to its inputs."""

    bound: Bound
    changes: tuple[Change, ...]
    blocked: tuple[Block, ...]
    overrides: Overrides
    revision: int
    """Live revision that it was made at."""
    commit: str | None
    planned_at: int
    """Epoch seconds."""
    expires_at: int
    warnings: tuple[Warned, ...] = ()
    released: tuple[Block, ...] = ()
    """What would have blocked it if nothing had been let go, for the record; it is no part of the plan."""

    @property
    def waits(self) -> bool:
        """Whether more is to be done, when its time has come."""
        return any(one.rule == WAITS for one in self.warnings)

    @property
    def digest(self) -> str:
        """What a reviewer approves: the changes and what binds them, whenever it was made."""
        meaning: Json = {
            "schema": SCHEMA,
            "bound": asdict(self.bound),
            "overrides": asdict(self.overrides),
            "changes": [change.to_json() for change in self.changes],
        }
        return digest(canonical(meaning))

    def to_json(self) -> dict[str, Json]:
        """The plan document, without its checksum."""
        return {
            "schema": SCHEMA,
            "digest": self.digest,
            "bound": asdict(self.bound),
            "revision": self.revision,
            "commit": self.commit,
            "planned": timestamp(self.planned_at),
            "expires": timestamp(self.expires_at),
            "overrides": asdict(self.overrides),
            "summary": summary(self.changes),
            "changes": [change.to_json() for change in self.changes],
            "blocked": [asdict(block) for block in self.blocked],
            "warnings": [asdict(warned) for warned in self.warnings],
        }

    def to_bytes(self) -> bytes:
        """The plan file: JSON that a person can read, ending in a checksum of all of it."""
        document = self.to_json()
        document["checksum"] = digest(canonical(document))
        return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)


class _BoundPart(_Part):
    workspace: str
    store: str
    settings: str
    policy: str
    rules: str
    tool: str


class _OverridesPart(_Part):
    max_delete: int | None
    max_rotate: int | None
    max_disable: int | None
    allow_empty: bool
    retry: bool


class _LivePart(_Part):
    id: str
    revision: int


class _ChangePart(BaseModel):
    """As much of a change as is compared; the whole of it is under the digest."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)

    action: str
    kind: str
    name: str
    live: _LivePart | None = None
    spec: str | None = None


class SavedPlan(_Part):
    """A plan file that was read: what it claims. Nothing of it is done without being planned again."""

    schema_: Annotated[Literal["reconciler/plan/v1"], Field(alias="schema")]
    digest: str
    bound: _BoundPart
    revision: int
    commit: str | None
    planned: str
    expires: str
    overrides: _OverridesPart
    summary: dict[str, int]
    changes: Annotated[tuple[_ChangePart, ...], Strict(strict=False)]
    blocked: Annotated[tuple[dict[str, str], ...], Strict(strict=False)]
    warnings: Annotated[tuple[dict[str, str], ...], Strict(strict=False)]
    checksum: str

    @property
    def planned_at(self) -> int:
        """Epoch seconds."""
        return seconds_of(self.planned)

    def overridden(self) -> Overrides:
        """The overrides that it was made with."""
        return Overrides(**self.overrides.model_dump())


def read_plan(data: bytes) -> SavedPlan:
    """The plan in a file's bytes. Raises PlanUnreadable when they are not those that were written."""
    try:
        document = json.loads(data)
        if not isinstance(document, dict):
            raise PlanUnreadable("this file is not a plan", hint="make one with: reconcile plan --out FILE")
        saved = SavedPlan.model_validate(document)
        expected = digest(canonical({key: value for key, value in document.items() if key != "checksum"}))
        seconds_of(saved.planned), seconds_of(saved.expires)
    except (ValueError, ValidationError, RecursionError) as error:
        raise PlanUnreadable(
            "this file is not a plan, or it was made by another version",
            hint="make one with: reconcile plan --out FILE",
        ) from error
    if saved.checksum != expected or saved.digest != _meaning(document):
        raise PlanUnreadable(
            "this plan was edited after it was written", hint="make it anew with: reconcile plan --out FILE"
        )
    return saved


def _meaning(document: Mapping[str, Json]) -> str:
    """The digest that a document's own changes have: so what a reviewer reads is what is approved."""
    return digest(canonical({part: document[part] for part in ("schema", "bound", "overrides", "changes")}))


def check_fits(
    saved: SavedPlan, bound: Bound, spec: Callable[[str], str | None], now: int, valid_for: int
) -> None:
    """Whether a saved plan was made from what is here now. `spec` tells the digest of the spec of a name.

    A plan that was made before there was a store names none: its digest tells whether it still fits.
    Raises PlanForeign for another workspace or store, and PlanStale naming what moved.
    """
    if saved.bound.workspace != bound.workspace or saved.bound.store not in ("", bound.store):
        raise PlanForeign(
            f"this plan was made for workspace {saved.bound.workspace} in another live store"
            if saved.bound.workspace == bound.workspace
            else f"this plan was made for workspace {saved.bound.workspace}, and this is {bound.workspace}",
            hint="apply it where it was made",
        )
    expires = seconds_of(saved.expires)
    if expires > saved.planned_at + valid_for or saved.planned_at > now + CLOCK_SKEW:
        raise PlanStale(
            "this plan says that it is good for longer than this workspace lets a plan be",
            hint="plan again, and apply that",
        )
    if now >= expires:
        raise PlanStale(
            f"this plan was good until {minute(expires)} UTC",
            hint="plan again, and apply that",
        )
    moved: Mapping[str, tuple[str, str]] = {
        "the settings of the workspace changed": (saved.bound.settings, bound.settings),
        "the brakes or policies changed": (saved.bound.policy, bound.policy),
        "the creation rules in .sops.yaml changed": (saved.bound.rules, bound.rules),
        "the tool changed": (saved.bound.tool, bound.tool),
    }
    for what, (then, now_is) in moved.items():
        if then != now_is:
            raise PlanStale(f"{what} since this plan was made", hint="plan again, and apply that")
    for change in saved.changes:
        if change.spec is not None and change.spec != spec(change.name):
            raise PlanStale(
                f"the spec of {change.name} changed since this plan was made",
                hint="plan again, and apply that",
            )
