"""What stands in the way of a plan, or is to be known of it, besides the plan itself: the tree, the rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.apply.census import Census
from reconciler.apply.observe import Elsewhere
from reconciler.artifacts.rules import Rule
from reconciler.errors import NoRecipients
from reconciler.live.interface import Workspace as State
from reconciler.plan.brakes import Block, Warned
from reconciler.plan.change import Action, Change
from reconciler.specs.load import Specs

STORE_LOST = "store-empty"
"""The rule of a store that is not the one that was applied to: nothing is written to it."""
SPECS_OLDER = "specs-older"
"""The rule of specs that newer ones replaced."""
SPECS_UNCOMMITTED = "specs-uncommitted"
"""The rule of specs that no commit has."""
ARTIFACTS_LOST = "artifacts-missing"
"""The rule of a folder that is not there: a record in its place would look as if it were."""
SEALED = (Action.ISSUE, Action.ROTATE)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a plan stands on."""

    root: Path
    records: Path
    """Where the records of applies stand."""
    specs: Specs
    store: str
    """The live store as messages show it."""
    rule: Callable[[str], Rule]
    """Path of an artifact → its creation rule. Raises NoRecipients."""
    elsewhere: Elsewhere | None = None
    """Where artifacts are published, if that is not the work tree alone."""
    converted: Callable[[Sequence[str]], Sequence[str]] = lambda _: ()
    """Which spec files say something else than the commit, although git calls them unchanged."""


def obstacles(ground: Ground, state: State, census: Census, changes: Iterable[Change]) -> Iterator[Block]:
    """Why the plan may not be applied here. To be asked when all live tokens were counted."""
    changes = tuple(changes)
    yield from _store_lost(ground, state)
    yield from _superseded(ground, state, changes)
    yield from _converted(ground, changes)
    yield from _artifacts_lost(ground, census)
    yield from _not_renamed(ground, changes)
    yield from _unsealable(ground, changes)


def cautions(
    ground: Ground, census: Census, changes: Sequence[Change], waiting: Collection[str]
) -> Iterator[Warned]:
    """What a reviewer should know, and no apply can mend."""
    if census.sample is not None:
        try:
            ground.rule(census.sample)
        except NoRecipients as error:
            yield Warned("rules-unusable", str(error), error.hint)
    yield from census.warnings(changes, waiting)


def _store_lost(ground: Ground, state: State) -> Iterator[Block]:
    """An empty store beside the records of applies is the wrong one, or a lost one."""
    if state.revision == 0 and any(ground.records.glob("*.json")):
        folder = ground.records.relative_to(ground.root).as_posix()
        yield Block(
            STORE_LOST,
            f"the live store {ground.store} is empty for workspace {ground.specs.name}, and {folder} tells"
            " of applies",
            "name the store that they were made to, or restore it, or give the workspace the name that it"
            f" had; if it is lost for good, move {folder} away, and every token is issued anew",
        )


def _superseded(ground: Ground, state: State, changes: Collection[Change]) -> Iterator[Block]:
    """A pipeline that comes late, on an older commit, would undo what the newer ones did."""
    if not changes or state.applied is None or ground.elsewhere is None:
        return
    if ground.elsewhere.is_newer(state.applied):
        yield Block(
            SPECS_OLDER,
            f"the specs of {state.applied[:10]} were applied already, and those checked out here come before"
            " them",
            "apply from the newest commit of the branch; to go back, revert there with a new commit",
        )


def _converted(ground: Ground, changes: Iterable[Change]) -> Iterator[Block]:
    """What a reviewer read is the commit; what would be applied is the checkout."""
    specs = (ground.specs.token(change.name) for change in changes)
    files = dict.fromkeys(spec.file for spec in specs if spec is not None)
    for file in ground.converted(tuple(files)):
        yield Block(
            "specs-converted",
            f"{file} does not say here what the commit says: by .gitattributes, git writes other text"
            " than it keeps",
            "take working-tree-encoding, filter and ident of spec files out of .gitattributes, and check"
            " out anew",
        )


def _artifacts_lost(ground: Ground, census: Census) -> Iterator[Block]:
    """A folder that is not there was not checked out, more often than it was deleted."""
    folder = ground.specs.settings.artifacts
    if not census.delivered or (ground.root / folder).is_dir():
        return
    if ground.elsewhere is not None and ground.elsewhere.has(folder):
        return
    found = next((one for one in sorted(census.folders) if (ground.root / one).is_dir()), None)
    if found is None:
        hint = f"check it out, or restore it from git; if it is lost for good, mkdir {folder}, and every"
        hint += " credential is made anew"
    else:
        hint = f"they are in {found}: in the same change, git mv {found} {folder}, records and all"
    yield Block(
        ARTIFACTS_LOST,
        f"there is no folder {folder}, and {census.delivered} artifacts belong in it",
        hint,
    )


def _not_renamed(ground: Ground, changes: Iterable[Change]) -> Iterator[Block]:
    """Tokens that were to be renamed and cannot: to delete them is not what was asked for."""
    for change in changes:
        heir = ground.specs.renamed.get(change.name)
        if change.action is Action.DELETE and heir is not None:
            yield Block(
                "rename",
                f"{heir} says that it was called {change.name}, and cannot be the same token: another token"
                f" is live as {heir}, or was called so too, or the kind is another",
                f"if {change.name} is to be deleted, remove it from metadata.previously of {heir}; else give"
                " the spec a name that no live token has, and the kind that it had",
            )


def _unsealable(ground: Ground, changes: Iterable[Change]) -> Iterator[Block]:
    """Artifacts that no creation rule says how to seal: better known before anything is done."""
    said: dict[str, str] = {}
    for change in changes:
        if change.action not in SEALED and change.artifact is None:
            continue
        path = change.artifact or ground.specs.place(change.name)
        if path is None:
            continue
        try:
            ground.rule(path)
        except NoRecipients as error:
            said.setdefault(str(error), error.hint)
    yield from (Block("recipients", message, hint) for message, hint in said.items())
