"""What stands against a plan, and what its reviewer should know: all who have a say are asked."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.apply.census import Census, waiting_longer
from reconciler.apply.obstacles import Ground, cautions, obstacles
from reconciler.live.interface import Workspace as State
from reconciler.plan.asking import ahead, behind
from reconciler.plan.brakes import Block, Fleet, Overrides, Warned, blocks
from reconciler.plan.deprecated import deprecated
from reconciler.plan.diff import Difference
from reconciler.plan.facts import Case
from reconciler.plan.policy import judge


@dataclass(frozen=True, slots=True)
class Look:
    """What one consistent read of the live store and the tree brought."""

    state: State
    census: Census
    """Of all live tokens, which were counted by now."""
    compared: Difference
    reused: tuple[Block, ...]
    """What stands against keys that owners bring."""
    now: int
    """Epoch seconds."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a plan may not be applied, and what its reviewer should know."""

    blocked: tuple[Block, ...]
    warnings: tuple[Warned, ...]
    released: tuple[Block, ...]
    """What would have blocked it besides, if nothing had been let go."""


def verdict(ground: Ground, look: Look, overrides: Overrides) -> Verdict:
    """What tree, keys, brakes and policies say of the changes."""
    specs, census, changes = ground.specs, look.census, look.compared.changes
    fleet = Fleet(census.live, census.protected, len(specs.tokens), census.owners)
    judged = judge(specs.policies, Case(specs.tokens, changes, look.now))
    braked = blocks(changes, fleet, specs.settings.brakes, overrides)
    return Verdict(
        (
            *look.reused,
            *obstacles(ground, look.state, census, changes),
            *ahead(changes, look.now),
            *braked,
            *judged.blocked,
        ),
        (
            *cautions(ground, census, changes, {one.name for one in look.compared.waiting}),
            *waiting_longer(look.compared.waiting),
            *behind(changes),
            *judged.warnings,
            *deprecated(specs.catalog, specs.tokens),
        ),
        _released(braked, blocks(changes, fleet, specs.settings.brakes, Overrides())),
    )


def _released(braked: tuple[Block, ...], without: tuple[Block, ...]) -> tuple[Block, ...]:
    rules = {one.rule for one in braked}
    return tuple(one for one in without if one.rule not in rules)
