"""Plans to be shown: made by hand, so that each is as a test wants it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from reconciler.cli.plans import all_formats
from reconciler.cli.plans.interface import Shown
from reconciler.plan.brakes import Block, Overrides, Warned
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.document import WAITS, Bound, Plan

NOW = 1_800_000_000
COMMIT = "3f2c1a9d5e1c90ab3f2c1a9d5e1c90ab3f2c1a9d"
BOUND = Bound("acme", "store-1", "sha256:specs", "sha256:policy", "sha256:rules", "1.2.3")
APPROVED = "sha256:" + "5e1c90ab" * 8


def plan(
    changes: Sequence[Change] = (), blocked: Sequence[Block] = (), warnings: Sequence[Warned] = ()
) -> Plan:
    """A plan of these changes."""
    ordered = tuple(sorted(changes, key=lambda change: change.order))
    return Plan(BOUND, ordered, tuple(blocked), Overrides(), 41, COMMIT, NOW, NOW + 3600, tuple(warnings))


def owner(change: Change) -> str | None:
    """Whose it is: as the name says."""
    return f"team-{change.name.partition('-')[0]}"


def shown(made: Plan, approved: str | None = None) -> Shown:
    """The plan with what is told beside it."""
    return Shown(made, 14, "sqlite:.reconciler/live.db", owner, approved=approved)


def comment(told: Shown) -> str:
    """As `reconcile plan --format markdown` prints it."""
    return "\n".join(all_formats()["markdown"].lines(told)) + "\n"


def _live(
    action: Action, kind: str, name: str, *reasons: str, fields: tuple[FieldChange, ...] = ()
) -> Change:
    return Change(action, kind, name, reasons, fields, token_id=f"id-{name}", base=7)


KIOSK = _live(Action.DELETE, "LoginToken", "kiosk-old", "no spec declares it any more")
RETIRE = replace(
    _live(Action.RETIRE, "TokenAuth", "erp-sso", "the overlap of generation 2 is over"), generations=(2,)
)
ROTATE = _live(
    Action.ROTATE,
    "RSAToken",
    "plant-a-historian",
    "it leaked: seen in https://ci.example by @octocat, #12",
    fields=(FieldChange("spec.keySize", 2048, 3072),),
)
RENAME = replace(
    _live(
        Action.RENAME,
        "RSAToken",
        "plant-b",
        "it was called plant-2",
        fields=(FieldChange("metadata.name", "plant-2", "plant-b"),),
    ),
    previously="plant-2",
)
MODIFY = _live(
    Action.MODIFY,
    "JWTToken",
    "mes-bridge",
    fields=(
        FieldChange("spec.apis", added=("telemetry.write",), removed=("device.admin",)),
        FieldChange("metadata.title", "工厂 A", "a | b `c` <!-- d -->"),
    ),
)
RESEAL = _live(Action.RESEAL, "TokenAuth", "shop-sso", "its artifact was encrypted anew")
ISSUE = Change(Action.ISSUE, "TokenAuth", "erp", ("no live token has this name",))
DISABLE = replace(
    _live(
        Action.MODIFY,
        "JWTToken",
        "mes-spare",
        fields=(FieldChange("lifecycle.enabled", before=True, after=False),),
    ),
    disables=True,
)
EACH = (KIOSK, RETIRE, ROTATE, RENAME, MODIFY, RESEAL, ISSUE, DISABLE)
BRAKE = Block(
    "brake-delete",
    "the plan would delete 12 of 40 tokens, and 10 tokens or 20 % lets 8 through",
    "apply less at once, or allow it for this plan with --max-delete 12",
)
DEPRECATED = Warned("catalog.deprecated", "device.admin of apis is deprecated, 1 token names it: x", "use y")
WAITS_LONGER = Warned(
    WAITS,
    "1 rotation failed and will be tried again: erp (from 2027-01-15T08:10:00Z)",
    "see why; --retry",
)


def many(count: int) -> list[Change]:
    """So many changes, of every action."""
    made = [EACH[number % len(EACH)] for number in range(count)]
    return [replace(change, name=f"{change.name}-{number:05}") for number, change in enumerate(made)]


GOLDEN: dict[str, Callable[[], Shown]] = {
    "no-change": lambda: shown(plan()),
    "one-change": lambda: shown(plan([ISSUE])),
    "each-action": lambda: shown(
        replace(plan(EACH, warnings=[DEPRECATED]), overrides=Overrides(max_delete=1, allow_empty=True))
    ),
    "five-thousand": lambda: shown(plan(many(5000), warnings=[DEPRECATED])),
    "blocked": lambda: shown(plan([KIOSK, ISSUE], blocked=[BRAKE])),
    "stale": lambda: shown(plan([KIOSK, ISSUE]), APPROVED),
    "stale-nothing-left": lambda: shown(plan(), APPROVED),
    "only-warnings": lambda: shown(plan(warnings=[DEPRECATED])),
    "waiting": lambda: shown(plan(warnings=[WAITS_LONGER])),
}
"""The comments that are kept as files, to be looked at."""
