"""What differs between two sets of creation rules: to whom artifacts are sealed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.artifacts.rules import Config
from reconciler.artifacts.tree import Node
from reconciler.compare.side import Effect, Shift, Side, of_set
from reconciler.errors import NoRecipients
from reconciler.plan.change import FieldChange

EVERY = "of every path"
NAMING = frozenset(
    {
        "path_regex", "age", "pgp", "kms", "aws_profile", "gcp_kms", "hckms", "azure_keyvault",
        "hc_vault_transit_uri", "key_groups", "shamir_threshold",
    }
)  # fmt: skip
"""Fields of a rule that say where it matches and who is named: what they come to is told."""


@dataclass(frozen=True, slots=True)
class _Read:
    """One rule."""

    names: frozenset[str]
    threshold: int
    fault: str | None
    rest: Mapping[str, Node]
    """The fields that say neither where it matches nor whom it names."""


def rule_shifts(base: Side, head: Side) -> Iterator[Shift]:
    """Rules that come, go, or name others; and for which tokens others can open what is sealed."""
    if base.rules == head.rules and base.specs.settings.layout == head.specs.settings.layout:
        return
    old, new = _read(base.rules), _read(head.rules)
    for what in dict.fromkeys((*old, *new)):
        yield from _of_rule(f"rule {what}", old.get(what), new.get(what))
    order = [what for what in old if what in new]
    if order != [what for what in new if what in old]:
        yield Shift("order of the rules", FieldChange("order", before=tuple(order), after=tuple(new)))
    yield from _reached(base, head)


def _read(config: Config | None) -> Mapping[str, _Read]:
    """The rules by what they match, in the order in which they are tried."""
    found: dict[str, _Read] = {}
    seen = Counter[str]()
    for index, rule in enumerate(config.rules if config else ()):
        what = str(rule.get("path_regex") or "") or EVERY
        seen[what] += 1
        again = f" (time {seen[what]})" if seen[what] > 1 else ""
        found[what + again] = _one(config, index) if config else _gone()
    return found


def _gone() -> _Read:
    return _Read(frozenset(), 0, None, {})


def _one(config: Config, index: int) -> _Read:
    rest = {name: value for name, value in config.rules[index].items() if name not in NAMING}
    try:
        recipients = config.rule(index).recipients
    except NoRecipients as error:
        return _Read(frozenset(), 0, str(error), rest)
    return _Read(frozenset(recipients.names), recipients.threshold, None, rest)


def _of_rule(what: str, before: _Read | None, after: _Read | None) -> Iterator[Shift]:
    what = f"new {what}" if before is None else what if after is not None else f"removed {what}"
    old, new = before or _gone(), after or _gone()
    if old.names != new.names:
        effect = Effect.LOOSENS if new.names - old.names else Effect.TIGHTENS
        added, removed = new.names - old.names, old.names - new.names
        yield of_set(what, "recipients", set(added), set(removed), effect)
    if old.threshold != new.threshold and before and after:
        effect = Effect.TIGHTENS if new.threshold > old.threshold else Effect.LOOSENS
        yield Shift(what, FieldChange("shamir_threshold", old.threshold, new.threshold), effect)
    if old.fault != new.fault:
        yield Shift(what, FieldChange("fault", old.fault, new.fault))
    names = sorted(
        name for name in old.rest.keys() | new.rest.keys() if old.rest.get(name) != new.rest.get(name)
    )
    for name in names if before and after else ():
        yield Shift(what, FieldChange(name, _plain(old.rest.get(name)), _plain(new.rest.get(name))))


def _plain(value: Node) -> str | None:
    return None if value is None else str(value)


def _reached(base: Side, head: Side) -> Iterator[Shift]:
    """The tokens that are on both sides, by who comes to whom their artifacts are sealed, and who goes."""
    found: dict[tuple[frozenset[str], frozenset[str]], list[str]] = {}
    old = {one.name: one for one in base.specs.tokens}
    for declared in head.specs.tokens:
        before = next((old[name] for name in (declared.name, *declared.previously) if name in old), None)
        if before is not None and before.kind == declared.kind:
            was = frozenset(base.recipients(base.place(before)))
            now = frozenset(head.recipients(head.place(declared)))
            if was != now:
                found.setdefault((now - was, was - now), []).append(declared.name)
    for (added, removed), tokens in found.items():
        effect = Effect.LOOSENS if added else Effect.TIGHTENS
        shift = of_set("artifacts", "recipients", set(added), set(removed), effect)
        yield replace(shift, tokens=tuple(tokens))
