"""What differs between the policies of two sides: rules, whom they are for, and exceptions from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from reconciler.compare.side import Effect, Shift, by_order
from reconciler.kinds.fields import end_of_date
from reconciler.plan.change import FieldChange
from reconciler.plan.fields import Tree, tree_changes
from reconciler.specs.policies import SETS, split_rule
from reconciler.specs.policy import PolicyDocument, PolicyException, PolicyMatch, PolicyRule

Policies = Sequence[PolicyDocument]
Excepted = tuple[str, str]
"""(`POLICY.RULE`, token)."""
EVERY = PolicyMatch()


def policy_shifts(before: Policies, after: Policies) -> Iterator[Shift]:
    """Every difference. The sets that come with the tool are settings, and stand with those."""
    old, new = _declared(before), _declared(after)
    for name in sorted(old.keys() | new.keys()):
        yield from _rules(name, old.get(name), new.get(name))
        if name in old and name in new:
            yield from _match(name, old[name].spec.match, new[name].spec.match)
    yield from _exceptions(before, after)


def _declared(policies: Policies) -> dict[str, PolicyDocument]:
    return {one.metadata.name: one for one in policies if one.metadata.name not in SETS}


def _rules(name: str, before: PolicyDocument | None, after: PolicyDocument | None) -> Iterator[Shift]:
    old, new = _by_id(before), _by_id(after)
    for identity in sorted(old.keys() | new.keys()):
        one, other = old.get(identity), new.get(identity)
        what = f"policy {name} rule {identity}"
        if one is None or other is None:
            effect = Effect.TIGHTENS if one is None else Effect.LOOSENS
            field = FieldChange(f"rule {identity}", before=_told(one), after=_told(other))
            yield Shift(f"policy {name}", field, effect)
            continue
        for field in tree_changes(_tree(one), _tree(other)):
            yield Shift(what, field, _of_rule(field))


def _by_id(policy: PolicyDocument | None) -> dict[str, PolicyRule]:
    return {rule.id: rule for rule in policy.spec.rules} if policy else {}


def _told(rule: PolicyRule | None) -> str | None:
    if rule is None:
        return None
    return f"on {rule.on}, {'deny' if rule.deny is not None else 'warn'}: {rule.expression}"


def _tree(rule: PolicyRule) -> Tree:
    return {
        "on": rule.on,
        "does": "deny" if rule.deny is not None else "warn",
        "expression": rule.expression,
        "message": rule.message,
    }


def _of_rule(field: FieldChange) -> Effect:
    if field.field != "does":
        return Effect.CHANGES
    return Effect.TIGHTENS if field.after == "deny" else Effect.LOOSENS


def _match(name: str, before: PolicyMatch, after: PolicyMatch) -> Iterator[Shift]:
    """Whom a policy is for. Nothing named is everybody."""
    effect = Effect.CHANGES
    if EVERY in (before, after) and before != after:
        effect = Effect.TIGHTENS if after == EVERY else Effect.LOOSENS
    dumps = (cast("Tree", one.model_dump(mode="json")) for one in (before, after))
    for field in tree_changes(*dumps):
        yield Shift(f"policy {name} match", field, effect)


def _exceptions(before: Policies, after: Policies) -> Iterator[Shift]:
    """Whichever policy they stand in: what counts is the token, the rule and the end."""
    old, new = _excepted(before), _excepted(after)
    for rule, token in sorted(old.keys() | new.keys()):
        one, other = old.get((rule, token)), new.get((rule, token))
        was, now = (found.until if found else None for found in (one, other))
        if was != now:
            ends = (end_of_date(until) if until else 0 for until in (was, now))
            until = FieldChange("until", before=was, after=now)
            yield Shift(f"exception of {token} from {rule}", until, by_order(*ends))


def _excepted(policies: Policies) -> Mapping[Excepted, PolicyException]:
    """The exception that lasts longest, of each token from each rule."""
    found: dict[Excepted, PolicyException] = {}
    for policy in policies:
        for one in policy.spec.exceptions:
            rule = ".".join(split_rule(policy.metadata.name, one.rule))
            other = found.setdefault((rule, one.token), one)
            if end_of_date(one.until) > end_of_date(other.until):
                found[rule, one.token] = one
    return found
