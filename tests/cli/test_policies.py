"""Policies as a person meets them: in validate, in plan and in apply."""

from __future__ import annotations

from tests.cli.kit import RSA, Shop

POLICY = """\
apiVersion: reconciler/v1
kind: Policy
metadata: {name: ours}
spec:
  rules:
    - {id: titled, deny: has(spec.metadata.title), message: titles are for books}
    - {id: known, on: change, warn: change.action == "issue", message: tell the owner}
"""
EXCEPTED = (
    POLICY
    + """\
  exceptions:
    - {token: historian, rule: titled, reason: it is a book, until: 9000-01-01}
    - {token: historian, rule: known, reason: they know, until: 2020-01-01}
"""
)
DENIED = "historian: titles are for books"


def test_validate_reports_what_a_rule_denies_at_the_name_of_the_spec(shop: Shop) -> None:
    shop.spec(RSA)
    shop.spec(POLICY, "policy.yaml")
    ran = shop.run("validate", "--format", "json")
    (fault,) = ran.json["faults"]
    assert (ran.code, fault["file"], fault["line"], fault["column"]) == (1, "specs/tokens.yaml", 3, 18)
    assert (fault["rule"], fault["message"]) == ("policy.ours.titled", DENIED)
    shop.spec(EXCEPTED, "policy.yaml")
    shop.ok("validate")


def test_validate_reports_an_expression_that_is_no_cel_where_it_stands(shop: Shop) -> None:
    shop.spec(POLICY.replace("has(spec.metadata.title)", "has(spec."), "policy.yaml")
    ran = shop.run("validate")
    assert ran.code == 1
    assert ran.out.startswith("specs/policy.yaml:6:26: deny is ")
    assert "this is not CEL at character 5" in ran.out


def test_plan_shows_what_is_denied_and_what_is_warned_of_and_apply_refuses(shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(RSA)
    shop.spec(POLICY, "policy.yaml")
    ran = shop.run("plan")
    assert ran.code == 3
    assert f"blocked: {DENIED} [policy.ours.titled]" in ran.out
    assert "warning: historian: tell the owner [policy.ours.known]" in ran.out
    assert shop.run("apply", "--yes").code == 3
    shop.spec(EXCEPTED, "policy.yaml")
    out = shop.ok("apply", "--yes").out
    assert "warning: the exception of historian from this rule ended on 2020-01-01 [policy.ours.known]" in out


def test_a_plan_with_nothing_to_do_still_says_what_a_policy_denies(stocked: Shop) -> None:
    stocked.spec(POLICY, "policy.yaml")
    ran = stocked.run("plan")
    assert ran.code == 3
    assert DENIED in ran.out


def test_a_saved_plan_is_stale_when_a_policy_came_since(shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(RSA)
    shop.ok("plan", "--out", "a.plan")
    shop.spec(EXCEPTED, "policy.yaml")
    assert shop.run("apply", "a.plan", "--yes").code == 4
