"""Policy documents: what they take, and every fault in one at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.specs.expression import compiled, expression_fault, shape_of
from reconciler.specs.load import examine, load
from reconciler.specs.policy import VARIABLES
from reconciler.specs.reader import read_file
from tests.specs.samples import FULL

POLICY = """\
apiVersion: reconciler/v1
kind: Policy
metadata: {name: prod-needs-an-end}
spec:
  match: {kinds: [RSAToken], owners: [team-a], labels: {env: prod}}
  rules:
    - id: end-or-rotation
      on: spec
      deny: "!has(spec.lifecycle.expires) && !has(spec.lifecycle.rotate)"
      message: a production token needs an end or a rotation
  exceptions:
    - {token: old-kiosk, rule: end-or-rotation, reason: ends with the kiosk, until: 2027-01-31}
"""


def laid(root: Path, *texts: str) -> Path:
    (root / "specs").mkdir(parents=True)
    for number, text in enumerate(texts):
        (root / "specs" / f"{number}.yaml").write_text(text)
    return root


def fault(text: str) -> tuple[int, int, str, str, str]:
    (found,) = read_file("specs/p.yaml", text.encode()).faults
    return found.line, found.column, found.rule, found.message, found.hint


def test_a_policy_is_read_with_all_its_parts(tmp_path: Path) -> None:
    (policy,) = load(laid(tmp_path, POLICY)).policies
    assert policy.metadata.name == "prod-needs-an-end"
    assert policy.spec.match.labels == {"env": "prod"}
    assert policy.spec.rules[0].expression.startswith("!has(")
    assert policy.spec.exceptions[0].until == "2027-01-31"


@pytest.mark.parametrize(
    ("old", "new", "where", "rule", "said"),
    [
        (
            "!has(spec.lifecycle.expires) &&",
            "has( &&",
            (9, 13),
            "policy.rules.deny",
            "this is not CEL at character",
        ),
        (
            "spec.lifecycle.expires",
            "spek.lifecycle.expires",
            (9, 13),
            "policy.rules.deny",
            "did you mean spec?",
        ),
        ("!has(spec.lifecycle.expires)", "siz(name) > 1", (9, 13), "policy.rules.deny", "did you mean size?"),
        ("on: spec", "on: plan", (9, 13), "policy.rules.deny", "there is no variable spec"),
        ("on: spec", "on: specs", (8, 11), "policy.rules.on", "did you mean spec?"),
        ("[RSAToken]", "[RSATokens]", (5, 19), "policy.match.kinds", "did you mean RSAToken?"),
        ("2027-01-31", "30d", (12, 85), "policy.exceptions.until", "write a date such as 2027-06-30"),
        ("2027-01-31", "2027-02-31", (12, 85), "policy.exceptions.until", "write a date such as 2027-06-30"),
        ("      deny:", "      denies:", (9, 7), "unknown-field", "it can be id, on, deny, warn or message"),
    ],
)
def test_a_fault_in_a_policy_has_its_place_and_says_what_to_write(
    old: str, new: str, where: tuple[int, int], rule: str, said: str
) -> None:
    assert old in POLICY
    found = read_file("specs/p.yaml", POLICY.replace(old, new, 1).encode()).faults
    assert (found[0].line, found[0].column, found[0].rule) == (*where, rule)
    assert said in f"{found[0].message} {found[0].hint}"


def test_a_rule_has_a_deny_or_a_warn_and_not_both() -> None:
    both = POLICY.replace("      message", '      warn: "true"\n      message')
    neither = POLICY.replace('deny: "!has(spec.lifecycle.expires) && !has(spec.lifecycle.rotate)"', "")
    for text in (both, neither):
        assert fault(text)[4] == "write either deny: or warn:, with an expression"


def test_ids_of_one_policy_differ() -> None:
    twice = "    - {id: a, deny: 'true', message: m}\n"
    text = POLICY.replace("  exceptions:", f"{twice}{twice}  exceptions:")
    assert fault(text)[4] == "give each rule an id of its own"


def test_a_misspelt_kind_of_document_is_a_policy_that_was_meant() -> None:
    assert fault(POLICY.replace("kind: Policy", "kind: Polcy"))[4] == "did you mean Policy?"


def test_two_policies_have_two_names_and_none_takes_that_of_a_set(tmp_path: Path) -> None:
    ours = POLICY.replace("prod-needs-an-end", "recommended")
    _, faults = examine(laid(tmp_path, POLICY, POLICY, ours))
    assert [(one.where, one.rule) for one in faults] == [
        ("specs/1.yaml:3:18", "policy.name"),
        ("specs/2.yaml:3:18", "policy.name"),
    ]


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        ("end-or-rotations", "did you mean end-or-rotation?"),
        ("recommended.owners", "did you mean recommended.owner?"),
        ("recommended.tokens-of-one-owner", None),
    ],
)
def test_an_exception_names_a_rule_that_there_is(tmp_path: Path, rule: str, hint: str | None) -> None:
    """And not one over the plan, which is about no token."""
    text = POLICY.replace("rule: end-or-rotation", f"rule: {rule}")
    _, (found,) = examine(laid(tmp_path, text))
    assert (found.where, found.rule) == ("specs/0.yaml:12:32", "policy.exceptions.rule")
    assert hint is None or found.hint == hint


def test_policies_and_sets_are_in_the_digest_and_in_the_order_of_their_names(tmp_path: Path) -> None:
    workspace = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: w}\nspec: {policies: [%s]}\n"
    other = POLICY.replace("prod-needs-an-end", "a-second").replace("needs an end", "needs one")
    made = [
        load(laid(tmp_path / "1", FULL["RSAToken"], workspace % "")),
        load(laid(tmp_path / "2", FULL["RSAToken"], workspace % "recommended")),
        load(laid(tmp_path / "3", POLICY, FULL["RSAToken"], workspace % "recommended", other)),
    ]
    assert len({specs.digest for specs in made}) == 3
    assert [policy.metadata.name for policy in made[2].policies] == [
        "a-second", "prod-needs-an-end", "recommended",
    ]  # fmt: skip
    again = load(laid(tmp_path / "4", other, workspace % "recommended", FULL["RSAToken"], POLICY))
    assert again.digest == made[2].digest


def test_an_unknown_set_is_a_fault(tmp_path: Path) -> None:
    text = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: w}\nspec: {policies: [recomended]}\n"
    _, (found,) = examine(laid(tmp_path, text))
    assert (found.rule, found.hint) == ("workspace.policies", "did you mean recommended?")


@pytest.mark.parametrize(
    "text",
    [
        "1 +",
        '"',
        "true) || (true",
        "true // a comment\n)",
        '"""a""" == ""',
        "spec.map(f, f) == []",
        "spec.spec.all(a, spec.all(b, spec.all(c, spec.all(d, true))))",
        "size(name) + 1 + 1 + 1 + 1 + 1 + 1 + 1 > 1",
        'name.matches("a{3}")',
        'name.matches("\\\\w")',
        "name.matches(owner)",
        'name.matches ("a" + owner)',
        "(" * 300 + "true" + ")" * 300,
        "[" * 400,
        "x" * 1001,
        "name\u0000",
        "\ud800",
    ],
)
def test_what_is_no_bounded_expression_is_told_in_one_sentence(text: str) -> None:
    found = expression_fault(text, VARIABLES["spec"])
    assert found is not None
    assert "\n" not in found
    assert len(found) < 250


def test_a_comment_does_not_take_away_the_end_of_an_expression() -> None:
    text = "name == 'x' // always"
    assert expression_fault(text, VARIABLES["spec"]) is None
    assert compiled(text).execute({"name": "x"}) is True


def test_a_syntax_fault_repeats_no_secret() -> None:
    assert "AGE" not in str(expression_fault('"AGE-SECRET-KEY-1QQQ +', ("name",)))


@pytest.mark.parametrize(
    ("text", "depth", "compares"),
    [
        ("true", 0, False),
        ("a.all(x, x == 1)", 1, False),
        ("a.filter(x, x > 1).all(y, y > 1)", 1, False),
        ("a.all(x, (b).exists (y, y == x))", 2, True),
        ('a.all(x, ")" == x && b.all(y, true))', 2, False),
        ("a.all(x, r'\\' == x && b.all(y, true))", 2, False),
        ('a in ["x", 1]', 0, False),
        ("a in [b]", 0, True),
        ("a in b", 0, True),
        ("a // .all(\n == b", 0, True),
    ],
)
def test_the_cost_of_an_expression_is_told_from_its_text(text: str, depth: int, *, compares: bool) -> None:
    """Loops count by how they stand in each other; a comparison with a word is cheap."""
    shape = shape_of(text)
    assert (shape.depth, shape.compares) == (depth, compares)


def test_the_policy_that_the_readme_shows_has_no_fault() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    (shown,) = [text for text in readme.split("```yaml\n") if "kind: Policy\n" in text]
    found = read_file("specs/p.yaml", shown.partition("```")[0].encode())
    assert found.faults == []
    assert len(found.policies[0].document.spec.rules) == 3
