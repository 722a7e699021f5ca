"""Rules of faults: which is looked at first, and what each is about."""

from __future__ import annotations

import random

import pytest

from reconciler.specs.faults import Fault
from reconciler.specs.ranking import about, rank, worst_first
from reconciler.specs.reader import read_file
from tests.specs.test_fault_table import TABLE

RULES = sorted({rule for _, rule, *_ in TABLE.values()})


def test_secrets_come_first_and_values_last() -> None:
    ordered = ["secret.literal", "yaml.syntax", "unknown-field", "policy.ours.titled", "tokenauth.algorithm"]
    shuffled = [Fault("f", 1, 1, rule, "m") for rule in ordered]
    random.Random(7).shuffle(shuffled)
    assert [fault.rule for fault in worst_first(shuffled)] == ordered


def test_what_was_not_read_is_worse_than_what_was() -> None:
    assert rank("specs.file") == rank("yaml.size") < rank("missing-field") == rank("kind")


def test_of_rules_that_are_as_bad_files_and_lines_decide() -> None:
    faults = [Fault(file, line, 1, "r", "m") for file in ("b", "a") for line in (2, 1, 10)]
    assert [(one.file, one.line) for one in worst_first(faults)] == [
        ("a", 1), ("a", 2), ("a", 10), ("b", 1), ("b", 2), ("b", 10),
    ]  # fmt: skip


def test_a_rule_that_only_begins_like_another_is_not_that_one() -> None:
    assert rank("kindness") == rank("secretive") == rank("yamlish") == rank("anything")


@pytest.mark.parametrize("rule", [*RULES, "policy.ours.titled", "something.new", "catalog.apis"])
def test_every_rule_is_about_something(rule: str) -> None:
    assert about(rule).isprintable()
    assert 4 < len(about(rule)) < 100
    assert not about(rule).endswith(".")


def test_what_a_rule_is_about_names_the_kind_and_the_field() -> None:
    assert about("tokenauth.fieldmap.email") == "fieldmap.email of TokenAuth"
    assert about("policy.ours.titled") == "A rule of the workspace's policies: ours.titled"


def test_columns_know_how_many_letters_before_them_are_wide() -> None:
    """😀 counts as two where text is UTF-16; 工 does not."""
    meta = 'metadata: {title: "😀工😀", nam: x}'
    text = f"apiVersion: reconciler/v1\nkind: TokenAuth\n{meta}\nspec: {{name: ERP}}\n"
    faults = {fault.rule: fault for fault in read_file("f", text.encode()).faults}
    assert (faults["unknown-field"].column, faults["unknown-field"].wide) == (meta.index("nam:") + 1, 2)
    assert (faults["missing-field"].column, faults["missing-field"].wide) == (1, 0)
