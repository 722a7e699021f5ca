"""The policies of a workspace: those that its specs declare, and the sets that it switches on by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from reconciler.specs.faults import Fault, did_you_mean
from reconciler.specs.policy import PolicyDocument, PolicyMatch, PolicyName, PolicyRule, PolicySpec
from reconciler.specs.values import Document, Place

RECOMMENDED = "recommended"
MOST_OF_ONE_OWNER = 50


class FoundPolicy(NamedTuple):
    """A Policy document and where its parts stand."""

    document: PolicyDocument
    file: str
    name: Place
    exceptions: tuple[Place, ...]
    """Where each exception names its rule."""


def found_policy(policy: PolicyDocument, file: str, document: Document) -> FoundPolicy:
    """A Policy document with the places that a fault over all files may need."""
    places = (
        document.place(("spec", "exceptions", number, "rule"))
        for number in range(len(policy.spec.exceptions))
    )
    return FoundPolicy(policy, file, document.place(("metadata", "name")), tuple(places))


def in_force(declared: Iterable[FoundPolicy], sets: Iterable[str]) -> tuple[PolicyDocument, ...]:
    """The policies that hold, in the order of their names."""
    documents = [*(found.document for found in declared), *(SETS[name]() for name in dict.fromkeys(sets))]
    return tuple(sorted(documents, key=lambda policy: policy.metadata.name))


def policy_faults(declared: Sequence[FoundPolicy]) -> Iterator[Fault]:
    """What is wrong with policies that are right by themselves."""
    rules: dict[str, frozenset[str]] = {name: _excepting(make()) for name, make in SETS.items()}
    for found in sorted(declared, key=lambda one: (one.file, one.name)):
        name = found.document.metadata.name
        if name in rules:
            yield Fault(
                found.file,
                *found.name,
                "policy.name",
                f'the policy name "{name}" is used already',
                "choose another; the sets that come with the tool have names too",
            )
        else:
            rules[name] = _excepting(found.document)
    for found in declared:
        yield from _unknown_rules(found, rules)


def _excepting(policy: PolicyDocument) -> frozenset[str]:
    """The rules that a token can be excepted from: not those over the whole plan."""
    return frozenset(rule.id for rule in policy.spec.rules if rule.on != "plan")


def _unknown_rules(found: FoundPolicy, rules: Mapping[str, frozenset[str]]) -> Iterator[Fault]:
    own = found.document.metadata.name
    for exception, place in zip(found.document.spec.exceptions, found.exceptions, strict=True):
        policy, rule = split_rule(own, exception.rule)
        if rule not in rules.get(policy, ()):
            known = [*rules.get(own, ()), *(f"{name}.{one}" for name in rules for one in rules[name])]
            yield Fault(
                found.file,
                *place,
                "policy.exceptions.rule",
                f'no rule over specs or changes is called "{exception.rule}"',
                did_you_mean(exception.rule, sorted(known)),
            )


def split_rule(own: str, rule: str) -> tuple[str, str]:
    """The policy and the id that an exception in a policy names."""
    policy, _, identity = rule.rpartition(".")
    return policy or own, identity


def _recommended() -> PolicyDocument:
    """What few teams would not want. A token that must differ is excepted, with a reason and an end."""
    rules = (
        PolicyRule(id="owner", deny='owner == ""', message="a token needs an owner"),
        PolicyRule(
            id="end-or-rotation",
            deny="!has(spec.lifecycle.expires) &&"
            " !(has(spec.lifecycle.rotate) && has(spec.lifecycle.rotate.every)) && !has(spec.spec.lifetime)",
            message="a token needs an end or a rotation",
        ),
        PolicyRule(
            id="no-star-in-prod",
            deny='"env" in labels && labels.env == "prod" &&'
            ' spec.spec.exists(f, spec.spec[f] == "*" || spec.spec[f] == ["*"])',
            message="a production token names what it may do: * stands for all there is and will be",
        ),
        PolicyRule(
            id="rsa-3072",
            deny="has(spec.spec.keySize) && spec.spec.keySize < 3072",
            message="an RSA key needs 3072 bits or more",
        ),
        PolicyRule(
            id="overlap",
            deny="has(spec.lifecycle.rotate) && has(spec.lifecycle.rotate.every) &&"
            " seconds(spec.lifecycle.rotate.overlap) >= seconds(spec.lifecycle.rotate.every)",
            message="the overlap must be shorter than the interval",
        ),
        PolicyRule(
            id="tokens-of-one-owner",
            on="plan",
            deny=f"tokens.exists(o, tokens[o] > {MOST_OF_ONE_OWNER})",
            message=f"an owner has more than {MOST_OF_ONE_OWNER} tokens",
        ),
    )
    return PolicyDocument(
        apiVersion="reconciler/v1",
        kind="Policy",
        metadata=PolicyName(name=RECOMMENDED),
        spec=PolicySpec(match=PolicyMatch(), rules=rules),
    )


SETS: dict[str, Callable[[], PolicyDocument]] = {RECOMMENDED: _recommended}
"""The sets that come with the tool."""
