"""What rules there are: what each is about, and which faults to look at first. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.kinds import all_kinds
from reconciler.specs.faults import Fault

SHAPE = ("apiVersion", "kind", "missing-field", "spec.document", "unknown-field")
WORST = (
    ("secret.",),  # git keeps it: whoever can read the repository has it, so every minute counts
    ("specs.file", "yaml."),  # the rest of the file was not read: it may hide all the others
    SHAPE,  # what a document is, and whether it says all: without it there is no token
    ("policy.",),  # forbidden, though it is well formed
)
"""Rules, and what rules begin with, the worst first. All others are values: those come last."""
ABOUT = {
    "apiVersion": "The version of the spec format",
    "catalog.cycle": "A group of the catalog that holds itself",
    "catalog.deprecated": "A name that the catalog deprecates",
    "catalog.members": "Members of a group of the catalog",
    "catalog.routes": "Routes of an API of the catalog",
    "catalog.size": "A group of the catalog that holds too much",
    "catalog.twice": "A name that the catalog lists twice",
    "kind": "The kind of a document",
    "metadata.name": "The name of a token, unique over the whole workspace",
    "missing-field": "A field that must be there",
    "policy.too-much": "What policies may cost",
    "secret.literal": "A secret that stands in a spec",
    "spec.document": "What a document is",
    "specs.file": "A file or folder of the workspace's specs",
    "unknown-field": "A field that there is not",
    "workspace": "The one Workspace document",
}
FAMILIES = {
    "leak": "A secret in the history",
    "yaml": "The text of a spec file",
    "catalog": "What the catalog lists",
    "workspace": "A setting of the workspace",
    "policy": "A rule of the workspace's policies",
}


def worst_first(faults: Iterable[Fault]) -> list[Fault]:
    """Faults in the order in which to look at them: by rule, then by file and line."""
    return sorted(faults, key=lambda fault: (rank(fault.rule), fault))


def rank(rule: str) -> int:
    """How bad it is when a rule is broken; 0 is the worst."""
    return next((place for place, rules in enumerate(WORST) if _is_one(rule, rules)), len(WORST))


def about(rule: str) -> str:
    """What a rule is about, in a few words."""
    if rule in ABOUT:
        return ABOUT[rule]
    family, _, field = rule.partition(".")
    kinds = {kind.lower(): kind for kind in all_kinds()}
    if family in kinds:
        return f"{field} of {kinds[family]}"
    return f"{FAMILIES[family]}: {field}" if family in FAMILIES else f"The field {rule}"


def _is_one(rule: str, rules: Iterable[str]) -> bool:
    return any(rule.startswith(one) if one.endswith(".") else rule == one for one in rules)
