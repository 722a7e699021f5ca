"""Policies: what the rules of a workspace say about its specs, about changes and about the whole plan.

Time is a value, and what it costs is counted in steps before it is done: an expression that runs
cannot be stopped. A rule that cannot be decided blocks. No value of a spec is repeated.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic_core import from_json

from reconciler.canonical import Json, canonical, digest
from reconciler.kinds.fields import end_of_date, parse_duration
from reconciler.plan.brakes import Block, Warned
from reconciler.plan.facts import Case, Tree, about_of, change_facts, matches, plan_facts, sides, size, tree
from reconciler.specs.expression import Shape, compiled, shape_of
from reconciler.specs.faults import Fault
from reconciler.specs.policies import split_rule
from reconciler.specs.policy import PolicyDocument, PolicyMatch, PolicyRule
from reconciler.specs.reader import Declared
from reconciler.specs.settings import Brakes

if TYPE_CHECKING:
    from cel import Context, Program

BUDGET = 10_000_000
"""Steps that all policies of one plan may take together, at some 2 µs each."""
FOR_EACH = 200
"""More steps for each token and each change."""
SHOWN = 50
"""Tokens that are named for one rule; the others are counted."""
CORRECT = "correct the expression: a rule that cannot be decided blocks"
NAMED = re.compile(r"Undefined variable or function: '(\w+)'")
FAILURES = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
"""How an expression fails."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What policies say of a plan."""

    blocked: tuple[Block, ...] = ()
    warnings: tuple[Warned, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Breach:
    """One rule that one token, one change or the plan does not pass, or that cannot be decided."""

    rule: str
    """`policy.POLICY.ID`."""
    token: str
    """Empty for the whole plan."""
    message: str
    hint: str
    blocks: bool = True


class TooMuch(Exception):
    """Policies would take more steps than there are."""


def limits(brakes: Brakes, policies: Sequence[PolicyDocument]) -> str:
    """Digest of all that limits plans."""
    return digest(canonical({"brakes": brakes.model_dump(mode="json"), "policies": plain(policies)}))


def plain(policies: Sequence[PolicyDocument]) -> list[Json]:
    """Policies as data."""
    return [policy.model_dump(mode="json") for policy in policies]


def judge(policies: Sequence[PolicyDocument], case: Case, budget: int = BUDGET) -> Judgement:
    """What the policies say of a plan: the same for the same case, whatever the order of the tokens."""
    if not policies:
        return Judgement()
    breaches = list(_together(_breaches(policies, case, budget)))
    return Judgement(
        tuple(Block(one.rule, _said(one), one.hint) for one in breaches if one.blocks),
        (
            *(Warned(one.rule, _said(one), one.hint) for one in breaches if not one.blocks),
            *_ended(policies, case.now),
        ),
    )


def policy_faults(
    policies: Sequence[PolicyDocument], tokens: Sequence[Declared], now: int, budget: int = BUDGET
) -> list[Fault]:
    """Every spec that a rule over specs denies, as a fault at its name."""
    if not policies:
        return []
    places = {token.name: (token.file, token.line, token.column) for token in tokens}
    nowhere = ("specs", 1, 1)
    breaches = _breaches(policies, Case(tokens, (), now), budget, subjects=("spec",))
    return sorted(
        Fault(*places.get(one.token, nowhere), one.rule, _said(one), one.hint)
        for one in breaches
        if one.blocks
    )


def _said(breach: Breach) -> str:
    return f"{breach.token}: {breach.message}" if breach.token else breach.message


def _together(breaches: Sequence[Breach]) -> Iterator[Breach]:
    """As many as a person reads: of each rule the first, and how many more there are."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in breaches:
        counts[one.rule, one.message] += 1
        if counts[one.rule, one.message] <= SHOWN:
            yield one
    for one in breaches:
        more = counts.pop((one.rule, one.message), 0) - SHOWN
        if more > 0:
            yield Breach(one.rule, "", f"and {more} more: {one.message}", one.hint, one.blocks)


def _breaches(
    policies: Sequence[PolicyDocument],
    case: Case,
    budget: int,
    subjects: Sequence[str] = ("spec", "change", "plan"),
) -> list[Breach]:
    """Every breach, sorted by rule and token."""
    court = _Court(policies, case.now, budget + FOR_EACH * (len(case.tokens) + len(case.changes)))
    looks = {"spec": court.specs, "change": court.changes, "plan": court.plan}
    found: list[Breach] = []
    try:
        for subject in subjects:
            found.extend(looks[subject](case))
    except TooMuch:
        found.append(
            Breach(
                "policy.too-much",
                "",
                "the policies would have to look at too much to be decided",
                "use fewer loops in each other, and match fewer tokens; or apply less at once",
            )
        )
    return sorted(found)


def _ended(policies: Sequence[PolicyDocument], now: int) -> Iterator[Warned]:
    for policy in policies:
        for one in policy.spec.exceptions:
            if end_of_date(one.until) <= now:
                name, rule = split_rule(policy.metadata.name, one.rule)
                yield Warned(
                    f"policy.{name}.{rule}",
                    f"the exception of {one.token} from this rule ended on {one.until}",
                    f"remove it from policy {policy.metadata.name}, or give it a new end and a reason",
                )


@dataclass(slots=True)
class _Rule:
    """A rule, ready to run."""

    policy: str
    rule: PolicyRule
    match: PolicyMatch
    excepted: frozenset[str]
    shape: Shape = field(init=False)
    program: Program = field(init=False)

    def __post_init__(self) -> None:
        self.shape = shape_of(self.rule.expression)
        self.program = compiled(self.rule.expression)

    @property
    def name(self) -> str:
        return f"policy.{self.policy}.{self.rule.id}"

    def is_for(self, token: str, about: Tree) -> bool:
        """Whether it is to look at a token."""
        return token not in self.excepted and matches(self.match, about)

    def breach(self, token: str) -> Breach:
        hint = f"correct it; or except the token from {self.policy}.{self.rule.id}, with a reason and an end"
        if not token:
            hint = "apply less at once, or change the policy"
        return Breach(self.name, token, self.rule.message, hint, self.rule.deny is not None)

    def undecided(self, token: str, why: str) -> Breach:
        message = f"rule {self.rule.id} of policy {self.policy} cannot be decided: {why}"
        return Breach(self.name, token, message, CORRECT)


class _Court:
    def __init__(self, policies: Sequence[PolicyDocument], now: int, budget: int) -> None:
        excepted = _excepted(policies, now)
        self.left = budget
        self.rules = [
            _Rule(name, rule, policy.spec.match, excepted.get((name, rule.id), frozenset()))
            for policy in policies
            for name in (policy.metadata.name,)
            for rule in policy.spec.rules
        ]

    def on(self, subject: str) -> list[_Rule]:
        return [one for one in self.rules if one.rule.on == subject]

    def specs(self, case: Case) -> Iterator[Breach]:
        rules = self.on("spec")
        for token in case.tokens if rules else ():
            about = about_of(from_json(token.normal))
            matching = [one for one in rules if one.is_for(token.name, about)]
            if matching:
                spec = tree(token.normal)
                yield from self.decide(matching, token.name, {"spec": spec, **about})

    def changes(self, case: Case) -> Iterator[Breach]:
        rules = self.on("change")
        wanted = {token.name: token for token in case.tokens} if rules else {}
        for change in case.changes if rules else ():
            before, after = sides(change, wanted)
            about = about_of(after or before or {})
            abouts = (about, about_of(before or after or {}))
            # A change that takes a token out of what a policy is for is held against that policy too.
            matching = [one for one in rules if any(one.is_for(change.name, one_of) for one_of in abouts)]
            facts: Tree = {"change": change_facts(change, about), "before": before, "after": after}
            yield from self.decide(matching, change.name, {**facts, **about})

    def plan(self, case: Case) -> Iterator[Breach]:
        for one in self.on("plan"):
            yield from self.decide([one], "", plan_facts(one.match, case))

    def decide(self, rules: Sequence[_Rule], name: str, facts: Tree) -> Iterator[Breach]:
        """What the rules say of one token or plan. Raises TooMuch before it takes too long."""
        values, longest = size(facts)
        self.spend(values)
        context = _context(facts)
        for one in rules:
            self.spend(one.shape.steps(values, longest))
            try:
                found = one.program.execute(context)
            except FAILURES as error:
                yield one.undecided(name, _why(error, one.rule.expression))
            else:
                if found is not False:
                    yield one.breach(name)

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise TooMuch


def _excepted(policies: Sequence[PolicyDocument], now: int) -> Mapping[tuple[str, str], frozenset[str]]:
    """Rule → the tokens that are excepted from it today."""
    found: dict[tuple[str, str], set[str]] = {}
    for policy in policies:
        for one in policy.spec.exceptions:
            if end_of_date(one.until) > now:
                found.setdefault(split_rule(policy.metadata.name, one.rule), set()).add(one.token)
    return {rule: frozenset(names) for rule, names in found.items()}


def _context(facts: Tree) -> Context:
    from cel import Context

    context = Context(facts)
    context.add_function("seconds", _seconds)
    return context


def _seconds(*given: object) -> int | None:
    """Seconds in a duration of a spec. None for anything else, with which no comparison is decided."""
    match given:
        case [str(text)]:
            try:
                return parse_duration(text)
            except ValueError:
                return None
        case _:
            return None


def _why(error: Exception, expression: str) -> str:
    """Why an expression failed. Only names that stand in the expression are repeated."""
    match error:
        case KeyError(args=(str(name),)) if re.search(rf"\b{re.escape(name)}\b", expression):
            return f'there is no "{name}" where it looks; ask has(…) first, or "{name}" in …'
        case ArithmeticError():
            return "its arithmetic goes beyond what a number holds, or divides by zero"
        case TypeError():
            return "it takes a value for what it is not, or does not come out as true or false"
        case _:
            named = NAMED.search(str(error))
            if named and re.search(rf"\b{named[1]}\b", expression):
                return f"there is nothing called {named[1]}, or it takes other arguments"
            return "a function cannot take what it is given"
