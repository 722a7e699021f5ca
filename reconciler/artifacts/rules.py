"""`.sops.yaml`: to whom an artifact is sealed, read as the sops program reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.artifacts import goyaml, recipients
from reconciler.artifacts.goregex import UnusableError, compiled
from reconciler.artifacts.interface import Recipients
from reconciler.artifacts.ruleshape import CONFIG as CONFIG_SHAPE
from reconciler.artifacts.ruleshape import SELECTIONS
from reconciler.artifacts.text.events import FaultyYamlError
from reconciler.artifacts.tree import Node, Tree
from reconciler.errors import NoRecipients
from reconciler.files import read_regular

CONFIG = ".sops.yaml"
MAX_BYTES = 1 << 20
_NO_RULES = "run reconcile keygen, or add a creation rule with age recipients to .sops.yaml"


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
                return self._read.get(index) or self._read.setdefault(index, _rule(index, rule, self.source))
        raise NoRecipients(
            f"no creation rule of {self.source} matches {self.prefix}{path}",
            hint="add a rule for it, or one without path_regex at the end",
        )

    def _matches(self, index: int, rule: Tree, path: str) -> bool:
        pattern = rule.get("path_regex")
        if not pattern:
            return True
        try:
            return compiled(str(pattern)).search(path) is not None
        except UnusableError as fault:
            raise NoRecipients(
                f"the path_regex of creation rule {index} of {self.source} cannot be used: {fault}",
                hint="write it in the RE2 syntax that SOPS takes, for example ^artifacts/",
            ) from None


def _rule(index: int, rule: Tree, source: str) -> Rule:
    try:
        _check_selections(rule)
        found = recipients.of_rule(rule)
    except NoRecipients as fault:
        raise NoRecipients(f"creation rule {index} of {source}: {fault.message}", hint=fault.hint) from None
    return Rule(
        Recipients(
            rule=index,
            groups=found.groups,
            threshold=found.threshold,
            native=found.native,
            mac_only_encrypted=rule.get("mac_only_encrypted") is True,
        ),
        rule,
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
