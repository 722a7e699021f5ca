"""The Policy document: rules in CEL that specs, changes and whole plans must pass."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    Field,
    Strict,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from reconciler.kinds import all_kinds
from reconciler.kinds.fields import DATE, LAST_YEAR, Labels, Line, Model, TokenName, end_of_date
from reconciler.specs.expression import MAX_LENGTH, expression_fault

RULE_ID = "^[a-z][a-z0-9-]{0,62}$"
RULE_NAME = r"^([a-z][a-z0-9-]{0,62}\.)?[a-z][a-z0-9-]{0,62}$"
MOST = 100
"""Rules of one policy."""

Subject: TypeAlias = Literal["spec", "change", "plan"]
VARIABLES: dict[str, tuple[str, ...]] = {
    "spec": ("spec", "kind", "name", "owner", "labels"),
    "change": ("change", "before", "after", "kind", "name", "owner", "labels"),
    "plan": ("plan", "tokens"),
}
"""What an expression may look at."""


def _known_kind(name: str) -> str:
    if name not in all_kinds():
        raise PydanticCustomError("choice", "unknown kind", {"choices": list(all_kinds())})
    return name


def _day(text: str) -> str:
    try:
        if int(text[:4]) <= LAST_YEAR:
            end_of_date(text)
            return text
    except ValueError:
        pass
    raise PydanticCustomError("day", "write a date such as 2027-06-30")


KindName: TypeAlias = Annotated[str, AfterValidator(_known_kind)]
Expression: TypeAlias = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
Day: TypeAlias = Annotated[
    str, AfterValidator(_day), Field(json_schema_extra={"pattern": f"^{DATE.pattern}$"})
]


class PolicyMatch(Model):
    """Which tokens a policy is for: all that is named must hold. Nothing named means every token."""

    kinds: Annotated[tuple[KindName, ...], Strict(strict=False)] = ()
    """Kinds of token."""
    owners: Annotated[tuple[Line, ...], Strict(strict=False)] = ()
    """Who answers for the token."""
    labels: Labels = Field(default={})
    """Labels that the token has, with these values."""


class PolicyRule(Model):
    """One rule. It has a `deny` or a `warn`."""

    id: Annotated[str, StringConstraints(pattern=RULE_ID)]
    """Unique in its policy; `policy.POLICY.ID` is what plans and faults call it."""
    on: Subject = "spec"
    """What it looks at: each spec, each change, or the whole plan."""
    deny: Expression | None = None
    """CEL. Where it is true, the plan is blocked."""
    warn: Expression | None = None
    """CEL. Where it is true, the plan warns."""
    message: Line
    """What is wrong, for who reads the plan."""

    @field_validator("deny", "warn")
    @classmethod
    def _can_run(cls, text: str | None, info: ValidationInfo) -> str | None:
        subject = info.data.get("on")
        fault = expression_fault(text, VARIABLES[subject]) if text and subject else None
        if fault is not None:
            raise PydanticCustomError("cel", "{fault}", {"fault": fault})
        return text

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.deny is None) is (self.warn is None):
            raise PydanticCustomError("deny_or_warn", "write either deny: or warn:, with an expression")
        return self

    @property
    def expression(self) -> str:
        """The condition, whatever follows from it."""
        return self.deny or self.warn or ""


class PolicyException(Model):
    """One token that a rule does not hold for, until a day."""

    token: TokenName
    """Name of the token."""
    rule: Annotated[str, StringConstraints(pattern=RULE_NAME)]
    """Id of a rule of this policy, or `POLICY.ID` for one of another, as `recommended.owner`."""
    reason: Line
    """Why."""
    until: Day
    """The last day on which it holds, in UTC."""


def _ids_differ(rules: tuple[PolicyRule, ...]) -> tuple[PolicyRule, ...]:
    if len({rule.id for rule in rules}) < len(rules):
        raise PydanticCustomError("rule_twice", "give each rule an id of its own")
    return rules


class PolicySpec(Model):
    """The rules, which tokens they are for, and who is excepted."""

    match: PolicyMatch = PolicyMatch()
    """Which tokens the rules are for."""
    rules: Annotated[
        tuple[PolicyRule, ...], Strict(strict=False), Field(max_length=MOST), AfterValidator(_ids_differ)
    ] = ()
    """The rules, each with an `id`, a `deny` or `warn`, and a `message`."""
    exceptions: Annotated[tuple[PolicyException, ...], Strict(strict=False)] = ()
    """Tokens that a rule does not hold for, each with a `reason` and an end."""


class PolicyName(Model):
    """Which policy it is."""

    name: TokenName
    """Unique among the policies of the workspace."""


class PolicyDocument(Model):
    """Rules that specs and plans must pass."""

    apiVersion: Literal["reconciler/v1"]
    """Version of the format."""
    kind: Literal["Policy"]
    metadata: PolicyName
    """Which policy it is."""
    spec: PolicySpec
    """Its rules."""
