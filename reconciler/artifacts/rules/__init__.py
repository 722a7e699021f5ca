"""`.sops.yaml`: to whom an artifact is sealed, read as the sops program reads it.

Beside it: `goyaml` and `shape` (the file, and the types of its fields), `goregex` (path_regex),
`recipients` and `keys` (who is named, and whether the name is one).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.artifacts.interface import Recipients
from reconciler.artifacts.names import is_shouted
from reconciler.artifacts.rules import goyaml, recipients
from reconciler.artifacts.rules.goregex import UnusableError, finds
from reconciler.artifacts.rules.keys import direct, members
from reconciler.artifacts.rules.shape import CONFIG as CONFIG_SHAPE
from reconciler.artifacts.rules.shape import SELECTIONS
from reconciler.artifacts.text.events import FaultyYamlError
from reconciler.artifacts.tree import Node, Tree
from reconciler.errors import NoRecipients
from reconciler.files import read_regular

CONFIG = ".sops.yaml"
MAX_BYTES = 1 << 20
MAX_RULES = 1000
"""More would only cost time: each path is tried with each of them."""
_NO_RULES = "run reconcile keygen, or add a creation rule with age recipients to .sops.yaml"


def places(prefix: str) -> tuple[str, ...]:
    """Where the rules of a workspace may stand, from the top of its repository: the nearest to it first.

    `prefix` is that of the workspace: empty, or ending in `/`.
    """
    folders = prefix.split("/")[:-1]
    return tuple("/".join((*folders[:depth], CONFIG)) for depth in range(len(folders), -1, -1))


@dataclass(frozen=True, slots=True)
class Rule:
    """One creation rule, read."""

    recipients: Recipients
    document: Mapping[str, Node]
    """The rule as it stands in the file, with the types of its fields: the sops program reads it itself."""


@dataclass(frozen=True, slots=True)
class Config:
    """A `.sops.yaml`, whose fields have their types.

    What a rule names is looked at when a path matches it: SOPS does not look at the others either.
    """

    source: str
    """How the file is called in messages."""
    prefix: str
    """From the config's folder to the workspace, with a `/` at the end, or empty."""
    rules: tuple[Tree, ...]
    _read: dict[int, Rule] = field(default_factory=dict, repr=False, compare=False)

    def match(self, path: str) -> Rule:
        """The first rule that matches a path relative to the workspace. Raises NoRecipients."""
        for index, rule in enumerate(self.rules):
            if self._matches(index, rule, self.prefix + path):
                return self.rule(index)
        raise NoRecipients(
            f"no creation rule of {self.source} matches {self.prefix}{path}",
            hint="add a rule for it, or one without path_regex at the end",
        )

    def rule(self, index: int) -> Rule:
        """The rule of a number, counted from 0. Raises NoRecipients."""
        return self._read.get(index) or self._read.setdefault(
            index, _rule(index, self.rules[index], self.source)
        )

    def _matches(self, index: int, rule: Tree, path: str) -> bool:
        pattern = rule.get("path_regex")
        if not pattern:
            return True
        try:
            return finds(str(pattern), path)
        except UnusableError as fault:
            raise NoRecipients(
                f"the path_regex of creation rule {index} of {self.source} cannot be used: {fault}",
                hint="write it in the RE2 syntax that SOPS takes, for example ^artifacts/",
            ) from None


def _rule(index: int, rule: Tree, source: str) -> Rule:
    try:
        _check_selections(rule)
        _check_case(rule)
        found = recipients.of_rule(rule)
    except NoRecipients as fault:
        raise NoRecipients(f"creation rule {index} of {source}: {fault.message}", hint=fault.hint) from None
    return Rule(
        Recipients(
            rule=index,
            groups=_as_often(found.groups, rule),
            threshold=found.threshold,
            native=found.native,
            mac_only_encrypted=rule.get("mac_only_encrypted") is True,
        ),
        rule,
    )


def _written(rule: Tree) -> Iterator[Iterator[str]]:
    """The recipients of each group as the rule writes them, repeats and all. Raises NoRecipients."""
    split = rule.get("key_groups")
    if isinstance(split, list) and split:
        return (members(group) for group in split if isinstance(group, dict))
    return iter((direct(rule),))


def _as_often(groups: tuple[tuple[str, ...], ...], rule: Tree) -> tuple[tuple[str, ...], ...]:
    """The groups with each name as often as the rule writes it: so often it may stand in a file.

    SOPS takes out what repeats in a key group, but for KMS keys with another role or context.
    """
    grouped = bool(rule.get("key_groups"))
    counts = (Counter(written) for written in _written(rule))
    return tuple(
        tuple(
            name
            for name in group
            for _ in range(1 if grouped and not name.startswith("kms ") else count[name])
        )
        for group, count in zip(groups, counts, strict=True)
    )


def _check_case(rule: Tree) -> None:
    """Raises NoRecipients for an age recipient in upper case: age knows it, SOPS does not."""
    for name in (name for group in _written(rule) for name in group):
        if is_shouted(name):
            raise NoRecipients(
                f"{name!r} is in upper case, which SOPS does not take", hint=f"write it as {name.lower()}"
            )


def _check_selections(rule: Tree) -> None:
    """Raises NoRecipients for more than one: SOPS refuses it, though our formats bring their own."""
    given = [name for name in SELECTIONS if rule.get(name)]
    if len(given) > 1:
        raise NoRecipients(
            f"it has {' and '.join(given)}, which contradict each other", hint="keep one of them, or none"
        )


def parse(data: bytes, source: str = CONFIG, prefix: str = "") -> Config:
    """The creation rules in a config's bytes. Raises NoRecipients."""
    try:
        root = goyaml.parse(data)
        config = None if root is None else CONFIG_SHAPE(root, "")
    except FaultyYamlError as fault:
        raise NoRecipients(f"{source} cannot be read: {fault}", hint="correct the file") from None
    rules = config.get("creation_rules") if isinstance(config, dict) else None
    if not isinstance(rules, list) or not rules:
        raise NoRecipients(f"{source} has no creation rules", hint=_NO_RULES)
    if len(rules) > MAX_RULES:
        raise NoRecipients(
            f"{source} has more than {MAX_RULES} creation rules", hint="match more by one regex"
        )
    return Config(source, prefix, tuple(rule for rule in rules if isinstance(rule, dict)))


def load(root: Path) -> Config:
    """The config of a workspace folder: its own, else the nearest in a folder above.

    Raises NoRecipients when there is none, or it cannot be used.
    """
    root = root.resolve()
    for folder in (root, *root.parents):
        config = folder / CONFIG
        try:
            data = read_regular(config, MAX_BYTES)
        except FileNotFoundError:
            continue
        except OSError as fault:
            raise NoRecipients(
                f"{config} cannot be read: {fault.strerror}", hint="let it be read, as a file"
            ) from None
        if len(data) > MAX_BYTES:
            raise NoRecipients(
                f"{config} is larger than {MAX_BYTES} bytes", hint="keep creation rules in it, and no more"
            )
        below = root.relative_to(folder).as_posix()
        return parse(data, str(config), "" if below == "." else below + "/")
    raise NoRecipients(f"there is no {CONFIG} in {root} or above it", hint=_NO_RULES)
