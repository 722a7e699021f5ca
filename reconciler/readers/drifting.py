"""What is live or in the artifacts folder and should not be so: looked for here, judged by `audit.drift`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from reconciler.apply.observe import WHOLE, Observer, observed, read_artifact
from reconciler.audit.drift import Finding, Item, What, of_record, of_stray_record, of_token, strays
from reconciler.audit.tree import items_below, read_record
from reconciler.errors import StoreUnreadable
from reconciler.live.interface import LiveStore, Record
from reconciler.live.interface import Workspace as State
from reconciler.plan.observed import ArtifactState
from reconciler.records.chain import file_name
from reconciler.specs.layout import STAGING
from reconciler.workspace import TRIES, Workspace


@dataclass(slots=True)
class Look:
    """What one read of the live store and the tree found."""

    run: str | None
    """The apply that has not ended."""
    live: int = 0
    known: set[str] = field(default_factory=set)
    """Where artifacts of live tokens stand, and those of the apply that has not ended."""
    findings: list[Finding] = field(default_factory=list)


def look(workspace: Workspace, store: LiveStore, now: int) -> Look:
    """One consistent look. Raises StoreUnreadable when the store changes faster than it can be read."""
    for _ in range(TRIES):
        state = store.state()
        seen = _once(workspace, store, state, now)
        if store.state().revision == state.revision:
            return seen
    raise StoreUnreadable("the live store changes while it is read", hint="wait for the other apply to end")


def _once(workspace: Workspace, store: LiveStore, state: State, now: int) -> Look:
    look = Look(state.run.id if state.run else None)
    look.findings += _of_tokens(workspace, store, look, now)
    folder = workspace.specs.settings.artifacts
    ours = not look.known or any(path.startswith(f"{folder}/") for path in look.known)
    # A folder that is not there, where nothing live is to be: the specs newly ask for it, and plan tells.
    if ours or (workspace.root / folder).is_dir():
        records = f"{folder}/{workspace.records.name}"
        items = items_below(workspace.root, folder, but=(records, f"{folder}/{STAGING}"))
        found = (item for item in items if item.path in look.known or not _is_gone(workspace, item))
        look.findings += strays(found, folder, look.known)
        look.findings += _of_records(workspace, store.records(), records, look)
    return look


def _is_gone(workspace: Workspace, item: Item) -> bool:
    """Whether a file that this checkout has is gone from where artifacts are pushed to: it is older."""
    if item.what is not What.FILE:
        return False
    try:
        here = read_artifact(workspace.root / item.path)
    except OSError:
        return False
    return here is not None and workspace.published(item.path, here) is None


def _of_tokens(workspace: Workspace, store: LiveStore, look: Look, now: int) -> Iterator[Finding]:
    """What is to be said of live tokens, and, on the way, where their artifacts stand."""
    specs, pending = workspace.specs, set()
    for intent in store.intents():
        pending.add(intent.token_id)
        look.known |= {path for path in (intent.path, intent.after and intent.after.artifact_path) if path}
    with workspace.upstream() as upstream:
        for token, seen in observed(store.tokens(), Observer(workspace.root, specs.place, upstream)):
            look.live += 1
            place = specs.place(token.name) if seen.state is ArtifactState.MOVED else None
            look.known |= {path for path in (token.artifact_path, place) if path}
            found = WHOLE if token.id in pending else seen
            yield from of_token(token, found, now, declared=specs.heir(token.name) is not None)


def _of_records(
    workspace: Workspace, records: Iterable[Record], folder: str, look: Look
) -> Iterator[Finding]:
    names = set()
    for record in records:
        path = f"{folder}/{file_name(record.sequence, record.run)}"
        names.add(path)
        found = read_record(workspace.root, path, len(record.body.encode()))
        if found is None and record.published:
            found = workspace.published(path, None)
        yield from of_record(record, path, found)
    for item in items_below(workspace.root, folder):
        mine = look.run is not None and item.path.endswith(f"-{look.run}.json")
        if item.path not in names and not mine:
            yield of_stray_record(item.path)
