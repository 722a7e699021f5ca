"""Opening a token's artifact with the reader's own identity, checked against what is live."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from reconciler.apply.observe import expected_of
from reconciler.artifacts.formats import candidates
from reconciler.artifacts.formats.interface import Format
from reconciler.artifacts.interface import Expected, Opened, Opener
from reconciler.artifacts.opener import read_header
from reconciler.artifacts.tree import MAX_BYTES
from reconciler.errors import ArtifactTampered, CannotOpen, ReconcilerError, StoreError, StoreUnreadable
from reconciler.files import inside, read_regular
from reconciler.live.interface import LiveStore, LiveToken
from reconciler.records.chain import RecordFile, broken, is_record, last_known
from reconciler.records.envelope import LARGEST
from reconciler.specs.faults import nearest
from reconciler.specs.model import DEFAULT_FORMAT
from reconciler.workspace import Workspace

TRUST = "records are only as trustworthy as the branch that is checked out"
UNNAMED = "to ask the records of this clone instead, leave --store and RECONCILER_STORE out"

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who opens artifacts of a workspace."""

    workspace: Workspace
    note: Callable[[str], None]
    """Takes what the reader should know, on one line."""


class OwnersKey(CannotOpen):
    """There is no artifact: the owner brought the public key."""

    def __init__(self, name: str, token: LiveToken | None = None) -> None:
        super().__init__(
            f"{name} has no artifact: its owner brought the public key, and keeps the private one",
            hint="ask its owner, who signs with it: there is nothing to download or to encrypt anew",
        )
        self.token = token
        """As it is live, where that is known."""


@dataclass(frozen=True, slots=True)
class Sought:
    """A token's artifact before it is opened: where it stands, and whose it must be."""

    name: str
    kind: str
    path: str
    """Where it lies."""
    wanted: str
    """Where its spec wants it, once the apply that moves it is done: creation rules match there."""
    form: Format
    expected: Expected


@dataclass(frozen=True, slots=True)
class Delivered:
    """A token's artifact, opened."""

    path: str
    kind: str
    form: Format
    opened: Opened


def opened(reader: Reader, name: str) -> Delivered:
    """The artifact of a token, opened and checked. Raises CannotOpen, ArtifactTampered, StoreError.

    It must be the one that the live store says. An owner need not have access to that; then it must
    be the one that the newest record in the clone says, and a note tells so.
    """
    workspace = reader.workspace
    token = _live(reader, name)
    if token is not None and not token.credentials:
        reader.note(
            f"the credential in this artifact was ended: {name} has none that works until apply makes one"
        )
    found = sought(workspace, name, token, {} if token else recorded(workspace, {name}))
    return unsealed(workspace.opener, found, sealed(workspace, found))


def sought(workspace: Workspace, name: str, token: LiveToken | None, known: Mapping[str, Expected]) -> Sought:
    """The artifact of a token: as live says, else as the spec and the records do. Raises CannotOpen."""
    kind, path, form = _place(workspace, name, token)
    expected = expected_of(token) if token is not None else _told(known, name, kind)
    if not expected.vouched:
        raise CannotOpen(
            f"nobody kept what was sealed for {name}, so its artifact cannot be told from a forgery",
            hint="give access to the live store with --store, or rotate the token",
        )
    declared = workspace.specs.heir(name)
    moves = declared is not None and declared.kind == kind
    wanted = workspace.specs.place(name) if moves else None
    return Sought(name, kind, path, wanted or path, form, expected)


def is_kept(workspace: Workspace, name: str, token: LiveToken | None) -> bool:
    """Whether a token has no artifact: as live says, else as the spec does."""
    if token is not None:
        return token.artifact_path is None
    declared = workspace.specs.token(name)
    return declared is not None and declared.own_key is not None


def sealed(workspace: Workspace, found: Sought) -> bytes:
    """The artifact of a token as it stands in the tree. Raises CannotOpen.

    Where artifacts are pushed, a checkout may be older: what it lacks, or has of another generation, is
    taken as it is published. Raises GitFailed where that cannot be read.
    """
    try:
        here = in_tree(workspace, found.path)
    except CannotOpen:
        data = workspace.published(found.path, None)
        if data is None:
            raise
        return data
    return here if _is_of(here, found) else workspace.published(found.path, here) or here


def _is_of(data: bytes, found: Sought) -> bool:
    try:
        return read_header(data, found.path) == found.expected.header
    except ArtifactTampered:
        return False


def in_tree(workspace: Workspace, path: str) -> bytes:
    """An artifact as it stands in the tree; no link leads to it, or out of the tree. Raises CannotOpen."""
    try:
        return read_regular(inside(workspace.root, path), MAX_BYTES, links=False)
    except OSError as error:
        raise CannotOpen(
            f"the artifact {path} cannot be read: {error.strerror or error}",
            hint="pull the commit that apply published, or restore the file from git",
        ) from error


def unsealed(opener: Opener, found: Sought, data: bytes) -> Delivered:
    """The artifact opened and checked. Raises CannotOpen or ArtifactTampered."""
    return Delivered(found.path, found.kind, found.form, opener.open(data, found.path, found.expected))


def asked(reader: Reader, ask: Callable[[LiveStore], Answer]) -> Answer | None:
    """What the live store answers; None, and a note, where the records of this clone are to tell instead.

    That is so where a store that nobody named is not there or cannot be reached. Whoever names one
    wants its word and no branch's. Raises StoreError.
    """
    workspace = reader.workspace
    try:
        with workspace.live() as store:
            if _holds(workspace, store):
                return ask(store)
        said = "there is no live store here; the records of this clone are asked"
    except StoreError as error:
        if workspace.named_store:
            error.hint = f"{error.hint}; {UNNAMED}"
            raise
        if not isinstance(error, StoreUnreadable):
            raise
        said = f"the live store was not asked ({error}); the records of this clone are"
    reader.note(f"{said}, and {TRUST}")
    return None


def _holds(workspace: Workspace, store: LiveStore) -> bool:
    """Whether anything was applied to it. Raises StoreError where it is one that the user named."""
    if store.state().revision:
        return True
    if workspace.named_store:
        raise StoreError(
            f"the live store {workspace.shown_store} holds nothing of workspace {workspace.specs.name}",
            hint="see that it is the store, and the workspace, that were applied to",
        )
    return False


def _live(reader: Reader, name: str) -> LiveToken | None:
    answer = asked(reader, lambda store: (store.token(name), store.tombstones(name)))
    if answer is None:
        return None
    token, gone = answer
    if token is None:
        raise not_live(reader.workspace, name, deleted=bool(gone))
    return token


def recorded(workspace: Workspace, names: Collection[str]) -> Mapping[str, Expected]:
    """Whose artifact each name has, as the records in the clone say; nothing for what they do not tell.

    Raises CannotOpen where the records do not fit together.
    """
    return last_known(_records(workspace), names)


def _records(workspace: Workspace) -> Iterator[RecordFile]:
    """The records in the clone, newest first. Raises CannotOpen for one that cannot be read."""
    folder = workspace.records.relative_to(workspace.root).as_posix()
    try:
        paths = [f"{folder}/{file.name}" for file in workspace.records.iterdir()]
    except OSError:
        return  # without records, nothing vouches for any artifact: that is told of each
    for path in sorted((one for one in paths if is_record(one, folder)), reverse=True):
        try:
            data = read_regular(inside(workspace.root, path), LARGEST, links=False)
        except OSError as error:
            raise broken(path, f"it cannot be read: {error.strerror or error}") from error
        if len(data) > LARGEST:
            raise broken(path, "it is larger than any record")
        yield RecordFile(path, data)


def _told(known: Mapping[str, Expected], name: str, kind: str) -> Expected:
    """What the records say of one name. Raises CannotOpen where they say nothing."""
    found = known.get(name)
    if found is None or found.header.kind != kind:
        raise CannotOpen(
            f"no record in this clone says whose artifact {name} has",
            hint="pull the commit that apply published, or give access to the live store with --store",
        )
    return found


def not_live(workspace: Workspace, name: str, *, deleted: bool) -> ReconcilerError:
    """Why a name has no live token, and what to do."""
    declared = workspace.specs.token(name)
    if declared is not None and declared.previously:
        return CannotOpen(
            f"{name} is declared and not live under this name yet",
            hint=f"rename it with: reconcile apply; until then it is called {declared.previously[-1]}",
        )
    if declared is not None:
        return CannotOpen(f"{name} is declared and not live yet", hint="issue it with: reconcile apply")
    if name in workspace.specs.renamed:
        return CannotOpen(
            f"no token is called {name} any more", hint=f"it is called {workspace.specs.renamed[name]} now"
        )
    if deleted:
        return CannotOpen(
            f"{name} was deleted, and that is final", hint="see what it was with: reconcile show " + name
        )
    return CannotOpen(f"there is no token {name}", hint=guess(workspace, name))


def guess(workspace: Workspace, name: str) -> str:
    """What to do about a name that nothing has: the one that may be meant, and where to look."""
    near = nearest(name, [declared.name for declared in workspace.specs.tokens])
    return (f"did you mean {near}? " if near else "") + "find it with: reconcile list"


def _place(workspace: Workspace, name: str, token: LiveToken | None) -> tuple[str, str, Format]:
    """Kind, path and format of the artifact: as live says, else as the spec does."""
    if is_kept(workspace, name, token):
        raise OwnersKey(name, token)
    if token is not None and token.artifact_path is not None:
        return token.kind, token.artifact_path, _form(token.declared, token.artifact_path)
    declared = workspace.specs.token(name)
    if declared is None:
        raise not_live(workspace, name, deleted=False)
    path = str(declared.artifact_path(workspace.specs.settings.layout))
    return declared.kind, path, _form(declared.normal, path)


def _form(normal: str, path: str) -> Format:
    """The format that a spec asks for, given its normal form, as far as a file of that name can have it."""
    wanted = json.loads(normal).get("deliver", {}).get("format", DEFAULT_FORMAT)
    forms = candidates(path)
    return next((form for form in forms if form.name == wanted), forms[0])
