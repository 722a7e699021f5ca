"""The plan of a branch, judged by the rules of the branch that it is for: `plan --base`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from reconciler.compare.catalog import catalog_shifts
from reconciler.compare.policies import policy_shifts
from reconciler.compare.rules import rule_shifts
from reconciler.compare.settings import settings_shifts
from reconciler.compare.side import Effect, Shift, Side
from reconciler.compare.telling import LONGEST, field_text, shift_text
from reconciler.git.lines import is_ancestor
from reconciler.git.repository import Repository, repository
from reconciler.live.interface import LiveStore
from reconciler.plan.brakes import Block, Overrides, Warned
from reconciler.plan.document import Plan
from reconciler.plan.words import value_text
from reconciler.readers.comparing import Reading
from reconciler.specs.basing import LAYOUT, judged_by, no_longer_checked
from reconciler.specs.load import Specs, name_in
from reconciler.specs.revision import Revision
from reconciler.specs.settings import DEFAULT_NAME, Settings
from reconciler.surroundings import SPECS
from reconciler.workspace import Workspace

NAMED = 5
"""Tokens that a warning has room for."""
WORST_FIRST = ("base-recipients", "base-loosens", "base-layout", "base-changes", "base-tightens")
"""Who can open what comes first, so that no number of harmless differences takes its room."""
SHOWN = 50
"""Differences that have a warning of their own; the others are counted."""
ON_ITS_OWN = (
    "rules count once they are merged: change them in a pull request of their own, and tokens after it"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A workspace as its rules are to be, and what is to be said of those that it has."""

    workspace: Workspace
    notes: tuple[str, ...] = ()
    blocked: tuple[Block, ...] = ()
    warnings: tuple[Warned, ...] = ()

    def plan(self, store: LiveStore, now: int, overrides: Overrides) -> Plan:
        """As of the workspace, with what its own rules are held against. Raises StoreUnreadable."""
        plan = self.workspace.plan(store, now, overrides)
        blocked, warnings = (*self.blocked, *plan.blocked), (*self.warnings, *plan.warnings)
        return replace(plan, blocked=blocked, warnings=warnings)


def judged(workspace: Workspace, base: str | None) -> Judged:
    """The workspace under the rules of a revision; as it is, where none is named.

    Raises GitFailed where there is no such revision, and SpecsInvalid with the faults of either.
    """
    if base is None:
        return Judged(workspace)
    where = repository(workspace.root, workspace.around.environ)
    commit = where.commit(base)
    reading = Reading(workspace, where)
    head = reading.side(None)
    first = not reading.has_specs(commit)
    before = reading.without_specs(commit) if first else reading.side(commit)
    reading.check()
    if first:
        before = replace(before, specs=_at_first(before.specs, head.specs))
    name = base if base.startswith(commit[:7]) else f"{base} ({commit[:7]})"
    under = judged_by(head.specs, before.specs)
    return Judged(
        Workspace(workspace.root, workspace.around, workspace.named_store, under),
        (_note(name, first=first), *reading.notes),
        tuple(_unchecked(head.specs, before.specs, name)),
        (*_behind(where, commit, name), *_warnings(before, head, name)),
    )


def called_under(workspace: Workspace, base: str | None) -> tuple[str, str]:
    """What a plan by the rules of a revision calls the workspace, also where no plan can be made.

    Its name, and its place where it has none (`Workspace.place_of`).

    Raises GitFailed, and SpecsInvalid where faults hide the name.
    """
    if base is not None:
        where = repository(workspace.root, workspace.around.environ)
        commit = where.commit(base)
        if Reading(workspace, where).has_specs(commit):
            with closing(Revision(where, commit)) as tree:
                name = name_in(tree, SPECS)
            return name or DEFAULT_NAME, workspace.place_of(named=name is not None)
    name = name_in(workspace.root, SPECS, workspace.read_before)
    return name or DEFAULT_NAME, workspace.place_of(named=name is not None)


def _note(name: str, *, first: bool) -> str:
    if first:
        return f"{name} has no {SPECS}/ here: judged by the default brakes, and by no policy"
    return f"judged by the Workspace, the policies and the groups of {name}"


def _at_first(nothing: Specs, head: Specs) -> Specs:
    """What judges the first pull request: the defaults. Which workspace it is, it must say itself."""
    return replace(nothing, name=head.name, named=head.named, settings=Settings(store=head.settings.store))


def _behind(where: Repository, commit: str, name: str) -> Iterator[Warned]:
    """A checkout that lacks commits of the base declares what was before them."""
    head = where.head()
    if head is not None and not where.is_shallow() and not is_ancestor(where.git, commit, head):
        yield Warned(
            "base-ahead",
            f"{name} has commits that are not in this checkout, and the plan undoes what they declare",
            "merge it into this branch; in a pipeline, check out the merge of the two",
        )


def _unchecked(head: Specs, base: Specs, name: str) -> Iterator[Block]:
    for token, section, one in no_longer_checked(head, base):
        yield Block(
            f"catalog.{section}",
            f"{token.name} names {one}, and the catalog of {name} does not have it",
            f"list it under {section} of the catalog, which has no such section here",
        )


def _warnings(base: Side, head: Side, name: str) -> Iterator[Warned]:
    """What the checkout says otherwise than the base, and that it does not count yet."""
    found = sorted(_told(base, head, name), key=lambda one: WORST_FIRST.index(one.rule))
    yield from found[:SHOWN]
    if found[SHOWN:]:
        counts = Counter(one.rule for one in found[SHOWN:])
        of_each = ", ".join(f"{count} {rule}" for rule, count in counts.items())
        more = f"and {len(found) - SHOWN} more differences from the rules of {name}: {of_each}"
        yield Warned("base-differs", more, "see them all with: reconcile diff BASE")


def _told(base: Side, head: Side, name: str) -> Iterator[Warned]:
    before, after = base.specs, head.specs
    for shift in settings_shifts(before, after):
        asked = shift.field.field.partition(".")[0] in LAYOUT
        yield _asked(shift) if asked else _judged(shift, name)
    for shift in (*policy_shifts(before.policies, after.policies), *_weighty(catalog_shifts(before, after))):
        yield _judged(shift, name)
    for shift in rule_shifts(base, head):
        yield _sealed(shift)


def _weighty(shifts: Iterable[Shift]) -> Iterator[Shift]:
    """Those of a catalog that a plan is held against: names that are added may be used in the same change."""
    return (one for one in shifts if one.effect is not Effect.CHANGES)


def _judged(shift: Shift, name: str) -> Warned:
    which = f", which {shift.effect.value} it" if shift.effect is not Effect.CHANGES else ""
    reached = f" (named by {_names(shift.tokens)})" if shift.tokens else ""
    field = shift.field
    by = "" if field.is_set or field.before is None else f"by {value_text(field.before, LONGEST)}, "
    message = f"{shift_text(shift)}{reached}{which}: judged {by}as at {name}"
    return Warned(f"base-{shift.effect.value}", message, ON_ITS_OWN)


def _asked(shift: Shift) -> Warned:
    message = f"{shift_text(shift)}: planned as it is asked for here"
    return Warned("base-layout", message, "see where artifacts go in the changes of this plan")


def _sealed(shift: Shift) -> Warned:
    of_whom = f" of {_names(shift.tokens)}" if shift.tokens else ""
    message = f".sops.yaml, {shift.what}{of_whom}: {field_text(shift.field)}: sealed as it is here"
    hint = "whoever is added can open what is sealed from then on: see that it is meant"
    return Warned("base-recipients", message, hint)


def _names(tokens: tuple[str, ...]) -> str:
    return ", ".join(tokens[:NAMED]) + (f" and {len(tokens) - NAMED} more" if len(tokens) > NAMED else "")
