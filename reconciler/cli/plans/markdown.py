"""A plan as the comment on a pull request, and as the summary of a pipeline's step.

It holds at most `LIMIT` bytes, whatever the plan: what is destroyed gets the room first, what does not fit
is counted, and then the last line says how to see it. The same plan gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from reconciler.cli.changes import (
    DESTROYS,
    HEADS,
    brief,
    change_row,
    counted,
    detailed,
    reasons,
)
from reconciler.cli.markdown import (
    LIMIT,
    NAME,
    SPARE,
    TEXT,
    Room,
    Taken,
    clipped,
    code,
    folded,
    marker,
    not_shown,
    prose,
    titled,
)
from reconciler.cli.plans.interface import (
    FINAL,
    NOTHING,
    OTHERWISE,
    WAITING,
    PlanFormat,
    Shown,
    flags,
    judged_otherwise,
    lifted,
)
from reconciler.plan.approving import without_due
from reconciler.plan.brakes import Block, Warned
from reconciler.plan.change import Action, Change, summary
from reconciler.plan.document import Plan
from reconciler.times import day, minute

BLOCKED, WARNED = 12_000, 8_000
"""Bytes that these may have at most, so that changes have room beside them."""
RULES = 8
"""Rules of warnings that are told by name where the warnings are not shown."""


def _lines(shown: Shown) -> Iterator[str]:
    plan, room = shown.plan, Room(LIMIT - SPARE)
    head = room.reserve(list(_head(shown)))
    foot = room.reserve([*_lifted(plan), *_foot(plan)])
    destroyed = [change for change in plan.changes if change.action in DESTROYS]
    rest = [change for change in plan.changes if change.action not in DESTROYS]
    blocked = room.take(map(_block, plan.blocked), BLOCKED)
    warned = room.take(map(_warning, plan.warnings), WARNED)
    gone = room.take(_row(shown, change) for change in destroyed)
    others = room.take(_row(shown, change) for change in rest)
    detail = room.take(detailed(change) for change in plan.changes if change.fields)
    out = [*destroyed[len(gone.lines) :], *rest[len(others.lines) :]]
    yield from head
    yield from _blocks(blocked)
    yield from titled("Taken away", gone, HEADS)
    yield from titled("Changed and issued", others, HEADS)
    yield from titled("Warnings", warned)
    yield from foot
    if detail.lines:
        yield from ("", *folded("Every field that changes", detail.lines))
    yield from _not_shown(out, blocked.out, plan.warnings[len(warned.lines) :], detail.out)


FORMAT = PlanFormat("markdown", _lines)


def _head(shown: Shown) -> Iterator[str]:
    plan = shown.plan
    at = f" at {code(plan.commit[:7])}" if plan.commit else ""
    told = plan.changes or plan.blocked or plan.warnings or shown.approved is not None
    where = f" in {code(clipped(shown.place, NAME))}" if shown.place else ""
    yield from marker(plan.bound.workspace, shown.place, news=bool(told))
    yield f"### Token plan for {code(plan.bound.workspace)}{where}{at}"
    yield ""
    if shown.approved is not None:
        yield "> [!WARNING]"
        yield f"> **What was approved no longer holds.** Approved was the plan {code(shown.approved)}."
        yield "> What would be done now is another plan. Look at it, and approve that."
        yield ""
    if plan.changes:
        yield f"**{_counts(plan.changes)}.**"
    else:
        yield WAITING if plan.waits else NOTHING


def _counts(changes: Sequence[Change]) -> str:
    return counted(summary(tuple(changes)))


def _block(block: Block) -> str:
    return f"> - {_told(block)}"


def _warning(warned: Warned) -> str:
    return f"- {_told(warned)}"


def _told(one: Block | Warned) -> str:
    hint = f"; {prose(clipped(one.hint, TEXT))}" if one.hint else ""
    return f"{prose(clipped(one.message, TEXT))}{hint} ({code(clipped(one.rule, NAME))})"


def _blocks(blocked: Taken) -> Iterator[str]:
    if blocked.lines:
        yield from ("", "> [!CAUTION]", "> **Blocked: apply refuses this plan.**", ">", *blocked)


def _row(shown: Shown, change: Change) -> str:
    return change_row(change, (shown.owner(change),), _why(change))


def _why(change: Change) -> Iterator[str]:
    """What a reviewer must know of a change, in a line."""
    if change.disables:
        yield "**takes it out of service**"
    yield from reasons(change)
    if change.action is Action.DELETE:
        yield FINAL
    if change.fields:
        yield brief(change.fields)


def _lifted(plan: Plan) -> Iterator[str]:
    brakes = list(lifted(plan.overrides))
    if brakes:
        yield from ("", "**Lifted for this plan**", "", *(f"- {one}" for one in brakes))


def _foot(plan: Plan) -> Iterator[str]:
    digest = plan.digest
    yield ""
    if not plan.changes:
        yield f"Plan {code(digest)}."
        return
    until = f"{day(plan.expires_at)} {minute(plan.expires_at)} UTC"
    # One line a paragraph: in a comment, forges make a break of every end of a line.
    yield (
        f"Plan {code(digest)}. Saved to a file it is good until {until}; by its digest, for as long as"
        " the specs and live tokens that it touches, the brakes, the rules and the tool stay as they are."
    )
    yield ""
    timeless = without_due(plan)
    if timeless is not plan:
        due = len(plan.changes) - len(timeless.changes)
        yield (
            f"Only time asks for {due:,} of these changes. More may fall due, and that is another plan then:"
            " `reconcile plan --no-due` leaves them to the next `reconcile apply --yes`."
        )
        yield ""
    if judged_otherwise(plan):
        yield OTHERWISE
    elif not plan.blocked:
        command = " ".join(("reconcile apply --expect", digest, *flags(plan.overrides)))
        yield from ("Apply exactly this:", "", "```sh", command, "```")


def _rules(warnings: Sequence[Warned]) -> str:
    """What they are about, so that none hides behind the others."""
    counts = Counter(one.rule for one in warnings).most_common()
    told = ", ".join(f"{count:,} {code(clipped(rule, NAME))}" for rule, count in counts[:RULES])
    return told + (" …" if len(counts) > RULES else "")


def _not_shown(
    changes: Sequence[Change], blocks: int, warnings: Sequence[Warned], details: int
) -> Iterator[str]:
    """What did not fit, counted, and how to see it."""
    parts: Iterable[tuple[int, str]] = (
        (len(changes), f"{_counts(changes)}"),
        (blocks, f"{blocks:,} reasons why it is blocked"),
        (len(warnings), f"{len(warnings):,} warnings ({_rules(warnings)})"),
        (details, f"the fields of {details:,} changes"),
    )
    yield from not_shown((text for number, text in parts if number), "reconcile plan")
