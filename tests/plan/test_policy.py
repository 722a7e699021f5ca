"""Policies: what rules say of specs, of changes and of a whole plan, and that none can run away."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from reconciler.canonical import digest
from reconciler.plan.change import Change
from reconciler.plan.facts import Case
from reconciler.plan.policy import SHOWN, Judgement, judge, limits, policy_faults
from reconciler.specs.model import token_spec
from reconciler.specs.policies import SETS
from reconciler.specs.policy import PolicyDocument
from reconciler.specs.reader import Declared
from reconciler.specs.settings import Brakes
from tests.plan.kit import DAY, T0, WHAT, declared, live, planned

SECRET = "vault://secret/bi/initial#password"
UNTIL = "2027-01-31"
OVER = 1_801_440_000
"""The second at which that day is over."""
OWNER = {"owner": "team-a"}
END = {"expires": "2028-01-01"}
PROD = {"owner": "team-a", "labels": {"env": "prod"}}
STAR = {"apis": ["*"]}


def good(kind: str = "RSAToken", name: str = "one", **parts: Mapping[str, object]) -> Declared:
    """A token that has an owner and an end."""
    return declared(kind, name, **{"metadata": OWNER, "lifecycle": END, **parts})


def rule(expression: str, on: str = "spec", identity: str = "r", **more: object) -> dict[str, object]:
    return {"id": identity, "on": on, "message": "this is not allowed", "deny": expression, **more}


def policy(*rules: Mapping[str, object], name: str = "p", **parts: object) -> PolicyDocument:
    whole = {
        "apiVersion": "reconciler/v1",
        "kind": "Policy",
        "metadata": {"name": name},
        "spec": {"rules": [dict(one) for one in rules], **parts},
    }
    return PolicyDocument.model_validate(whole)


def judged(
    what: PolicyDocument | Sequence[PolicyDocument],
    tokens: Sequence[Declared] = (),
    changes: tuple[Change, ...] = (),
    now: int = T0,
) -> Judgement:
    return judge([what] if isinstance(what, PolicyDocument) else what, Case(tokens, changes, now))


def blocked(
    what: PolicyDocument | Sequence[PolicyDocument],
    tokens: Sequence[Declared] = (),
    changes: tuple[Change, ...] = (),
) -> list[tuple[str, str]]:
    return [(one.rule, one.message) for one in judged(what, tokens, changes).blocked]


def unchecked(**parts: Mapping[str, object]) -> Declared:
    """A token whose fields contradict each other, which no spec file may declare."""
    tree: dict[str, Any] = {"apiVersion": "reconciler/v1", "kind": "RSAToken", "spec": WHAT["RSAToken"]}
    normal = token_spec("RSAToken").model_validate({**tree, **parts}).normal_form()
    return Declared("one", "RSAToken", normal, digest(normal.encode()), "specs/x.yaml", 1, 1)


@pytest.mark.parametrize(
    ("broken", "passes", "fails"),
    [
        ("owner", good(), declared(lifecycle=END)),
        ("end-or-rotation", good(), declared(metadata=OWNER)),
        (
            "end-or-rotation",
            declared("JWTToken", metadata=OWNER),  # its lifetime is an end
            declared("TokenAuth", metadata=OWNER),
        ),
        ("no-star-in-prod", good(spec=STAR), good(metadata=PROD, spec=STAR)),
        ("no-star-in-prod", good(metadata=PROD), good("LoginToken", metadata=PROD)),
        ("rsa-3072", good(), good(spec={"keySize": 2048})),
        (
            "overlap",
            declared(metadata=OWNER, lifecycle={"rotate": {"every": "9d", "overlap": "8d"}}),
            unchecked(
                metadata={"name": "one", **OWNER},
                lifecycle={"rotate": {"every": "1w", "overlap": "168h"}},
            ),
        ),
    ],
)
def test_each_recommended_rule_lets_one_spec_pass_and_stops_another(
    broken: str, passes: Declared, fails: Declared
) -> None:
    recommended = SETS["recommended"]()
    assert judged(recommended, [passes]) == Judgement()
    (found,) = judged(recommended, [fails]).blocked
    assert found.rule == f"policy.recommended.{broken}"
    assert found.message.startswith("one: ")
    assert found.hint


def test_an_owner_of_more_than_fifty_tokens_is_too_much() -> None:
    tokens = [good(name=f"t{number}") for number in range(51)]
    assert blocked(SETS["recommended"](), tokens[:50]) == []
    assert blocked(SETS["recommended"](), tokens) == [
        ("policy.recommended.tokens-of-one-owner", "an owner has more than 50 tokens")
    ]


def test_what_warns_stops_nothing() -> None:
    warns = policy({"id": "r", "warn": "true", "message": "look here"})
    found = judged(warns, [declared()])
    assert found.blocked == ()
    assert [(one.rule, one.message) for one in found.warnings] == [("policy.p.r", "one: look here")]


@pytest.mark.parametrize(
    ("match", "meant"),
    [
        ({}, "abc"),
        ({"kinds": ["RSAToken"]}, "ab"),
        ({"owners": ["o1"]}, "ac"),
        ({"labels": {"env": "prod"}}, "bc"),
        ({"labels": {"env": "prod", "site": "x"}}, ""),
        ({"kinds": ["RSAToken", "JWTToken"], "owners": ["o1"], "labels": {"env": "prod"}}, "c"),
    ],
)
def test_all_that_match_names_must_hold(match: Mapping[str, object], meant: str) -> None:
    tokens = [
        declared(name="a", metadata={"owner": "o1"}),
        declared(name="b", metadata={"owner": "o2", "labels": {"env": "prod"}}),
        declared("JWTToken", name="c", metadata={"owner": "o1", "labels": {"env": "prod"}}),
    ]
    found = blocked(policy(rule("true"), match=match), tokens)
    assert [message[0] for _, message in found] == list(meant)


def test_a_rule_over_specs_sees_defaults_and_has_tells_what_is_set() -> None:
    """Defaults are filled in; what is not set is not there."""
    sees = 'spec.metadata.name == name && spec.spec.keySize == 3072 && kind == "RSAToken" && owner == ""'
    assert (
        blocked(policy(rule(f"!({sees} && size(labels) == 0 && !has(spec.lifecycle.expires))")), [declared()])
        == []
    )


def test_a_rule_over_changes_sees_the_action_both_specs_and_the_fields() -> None:
    old, kept = declared(name="old"), declared(name="kept", metadata={"owner": "o"})
    wider = declared(name="kept", metadata={"owner": "o"}, spec={"apis": ["a", "b", "c"]})
    changes = planned([wider, declared(name="fresh")], [live(old), live(kept)])
    for expression, name in (
        ('change.action == "delete" && after == null && before.metadata.name == "old"', "old"),
        ('"spec.apis" in change.fields && size(before.spec.apis) < size(after.spec.apis)', "kept"),
        ('change.action == "modify" && owner == "o" && change.owner == "o"', "kept"),
        ('before == null && after.metadata.name == change.name && change.kind == "RSAToken"', "fresh"),
    ):
        found = blocked(policy(rule(expression, "change")), [wider, declared(name="fresh")], changes)
        assert found == [("policy.p.r", f"{name}: this is not allowed")], expression


def test_a_rule_over_the_plan_sees_counts_changes_and_tokens_by_owner() -> None:
    tokens = [
        declared(name="a", metadata={"owner": "o"}),
        declared("JWTToken", name="b", metadata={"owner": "o"}),
    ]
    changes = planned(tokens, [live(declared(name="gone"))])
    true = (
        'plan.summary.delete == 1 && plan.summary.issue == 2 && plan.summary.rotate == 0 && tokens["o"] == 2'
    )
    assert len(blocked(policy(rule(true, "plan")), tokens, changes)) == 1
    listed = 'plan.changes.exists(c, c.action == "delete" && c.name == "gone" && c.owner == "")'
    assert blocked(policy(rule(listed, "plan")), tokens, changes) == [("policy.p.r", "this is not allowed")]


def test_a_rule_over_the_plan_counts_only_what_its_policy_matches() -> None:
    tokens = [
        declared(name="a", metadata={"owner": "o"}),
        declared("JWTToken", name="b", metadata={"owner": "o"}),
    ]
    only = policy(rule('tokens["o"] == 1 && plan.summary.issue == 1', "plan"), match={"kinds": ["JWTToken"]})
    assert len(blocked(only, tokens, planned(tokens, []))) == 1


def excepted(name: str = "p", rule_name: str = "r") -> PolicyDocument:
    one = {"token": "one", "rule": rule_name, "reason": "it ends with the kiosk", "until": UNTIL}
    return policy(rule("true"), name=name, exceptions=[one])


@pytest.mark.parametrize(("now", "holds"), [(OVER - 300 * DAY, True), (OVER - 1, True), (OVER, False)])
def test_an_exception_holds_until_its_day_is_over(now: int, *, holds: bool) -> None:
    """Before, in the last second of, and after its date."""
    found = judged(excepted(), [declared(), declared(name="two")], now=now)
    assert [one.message for one in found.blocked] == [
        *([] if holds else ["one: this is not allowed"]),
        "two: this is not allowed",
    ]
    assert [(one.rule, one.message) for one in found.warnings] == (
        [] if holds else [("policy.p.r", f"the exception of one from this rule ended on {UNTIL}")]
    )


def test_an_exception_of_a_change_holds_as_well_and_another_policy_may_be_named() -> None:
    change = planned([declared()], [])
    other = policy(rule("true", "change"), name="other")
    assert len(blocked(other, [declared()], change)) == 1
    assert blocked([excepted("p", "other.r"), other], [declared()], change) == [
        ("policy.p.r", "one: this is not allowed")
    ]


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("spec.spec.nope == 1", 'there is no "nope" where it looks; ask has(…) first, or "nope" in …'),
        ("spec.spec[spec.metadata.title] == 1", "a function cannot take what it is given"),
        ("size(name)", "it takes a value for what it is not, or does not come out as true or false"),
        ("name", "it takes a value for what it is not, or does not come out as true or false"),
        ("name < 3", "it takes a value for what it is not, or does not come out as true or false"),
        ("seconds(name) > 1", "it takes a value for what it is not, or does not come out as true or false"),
        ("1 / (size(name) - 3) == 1", "its arithmetic goes beyond what a number holds, or divides by zero"),
        ("int(spec.metadata.title) == 1", "a function cannot take what it is given"),
    ],
)
@pytest.mark.parametrize("verb", ["deny", "warn"])
def test_a_rule_that_fails_while_it_runs_blocks_and_says_why(expression: str, why: str, verb: str) -> None:
    """Also one that would only warn. No value of the spec is repeated."""
    failing = policy({"id": "r", verb: expression, "message": "m"})
    token = declared(metadata={"title": "hunter2"})
    found = judged(failing, [token])
    assert [one.message for one in found.blocked] == [f"one: rule r of policy p cannot be decided: {why}"]
    assert "hunter2" not in repr(found)


HOSTILE = (
    "plan.changes.all(a, plan.changes.all(b, plan.changes.all(c, true)))",
    "plan.changes.all(a, plan.changes.all(b, a == b || true))",
    "plan.changes.all(a, plan.changes == plan.changes)",
    "[plan.changes + plan.changes].exists(a, [a + a].exists(b, [b + b] == [b]))",
    '!plan.changes.all(a, plan.changes.all(b, a.name.matches("(((.*)*)*)*y")))',
)


@pytest.mark.parametrize("expression", HOSTILE)
def test_what_would_look_at_too_much_is_not_begun_and_blocks(expression: str) -> None:
    """Its cost is told before it runs, so nothing depends on how fast the machine is."""
    tokens = [declared(name=f"t{number}") for number in range(3)]
    changes = tuple(
        Change(one.action, one.kind, f"n{number}")
        for number in range(5000)
        for one in planned(tokens[:1], [])
    )
    found = blocked([policy(rule(expression, "plan"))], tokens, changes)
    assert found == [("policy.too-much", "the policies would have to look at too much to be decided")]


def test_many_cheap_evaluations_are_counted_too() -> None:
    case = Case([declared(name=f"t{number}") for number in range(20)], (), T0)
    found = judge([policy(rule("false"))], case, budget=-20 * 200 + 100)
    assert [one.rule for one in found.blocked] == ["policy.too-much"]


def test_a_huge_list_of_names_is_looked_at_once_and_not_squared() -> None:
    token = declared(spec={"apis": [f"a{number}" for number in range(5000)]})
    assert blocked(policy(rule('spec.spec.apis.exists(a, a == "x")')), [token]) == []
    squared = "spec.spec.apis.all(a, spec.spec.apis.all(b, a != b))"
    assert [one for one, _ in blocked(policy(rule(squared)), [token])] == ["policy.too-much"]


def test_of_many_breaches_the_first_are_named_and_the_others_counted() -> None:
    tokens = [declared(name=f"t{number:03}") for number in range(SHOWN + 7)]
    found = blocked(policy(rule("true")), tokens)
    assert len(found) == SHOWN + 1
    assert found[-1] == ("policy.p.r", "and 7 more: this is not allowed")


def test_the_same_case_gives_the_same_words_in_any_order_of_tokens() -> None:
    tokens = [declared(name=f"t{number}") for number in range(9)]
    both = [policy(rule("true"), rule("name == 1 / 0", identity="s"), name=name) for name in ("a", "b")]
    changes = planned(tokens, [])
    assert judged(both, tokens, changes) == judged(both[::-1], tokens[::-1], changes)


def test_policies_are_part_of_what_limits_a_plan() -> None:
    digests = {
        limits(Brakes(), made)
        for made in (
            [],
            [policy(rule("true"))],
            [policy(rule("false"))],
            [SETS["recommended"]()],
            [excepted()],
        )
    }
    assert len(digests) == 5
    assert limits(Brakes(), [excepted()]) == limits(Brakes(), [excepted()])


def test_a_spec_that_a_rule_denies_is_a_fault_at_its_name_and_one_that_it_warns_of_is_none() -> None:
    token = declared()
    warns = {"id": "w", "warn": "true", "message": "m"}
    (fault,) = policy_faults([policy(rule("true"), warns, rule("true", "plan", "q"))], [token], T0)
    assert (fault.file, fault.line, fault.column) == (token.file, token.line, token.column)
    assert (fault.rule, fault.message) == ("policy.p.r", "one: this is not allowed")
    assert policy_faults([excepted()], [token], OVER - 1) == []


def test_no_reference_to_a_secret_is_repeated_whatever_a_rule_does_with_it() -> None:
    token = declared("TokenAuth", spec={"initpwd": SECRET})
    for expression in (
        "spec.spec[spec.spec.initpwd] == 1",
        "int(spec.spec.initpwd) == 1",
        "timestamp(spec.spec.initpwd) == 1",
        "duration(spec.spec.initpwd) == 1",
        "spec.spec.initpwd",
        "spec.spec.initpwd > 1",
        'spec.spec.initpwd == "x" || true',
    ):
        found = judged(policy(rule(expression)), [token])
        assert found.blocked
        assert "initial" not in repr(found), expression


def test_without_policies_the_library_is_not_imported() -> None:
    program = (
        "import sys; from reconciler.plan.facts import Case; import reconciler.workspace;"
        " from reconciler.plan.policy import judge, limits, policy_faults;"
        " from reconciler.specs.settings import Brakes;"
        " judge((), Case((), (), 0)); policy_faults((), (), 0); limits(Brakes(), ());"
        " sys.exit('cel' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
