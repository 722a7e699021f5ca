"""Opening a token's artifact with the reader's own identity, checked against what is live."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import click

from reconciler.apply.observe import expected_of
from reconciler.artifacts.formats import candidates
from reconciler.artifacts.formats.interface import Format
from reconciler.artifacts.interface import Expected, Opened, Opener
from reconciler.audit.record import last_known
from reconciler.errors import CannotOpen, ReconcilerError, StoreError
from reconciler.files import read_regular
from reconciler.live.interface import LiveStore, LiveToken
from reconciler.specs.model import DEFAULT_FORMAT
from reconciler.specs.reader import Declared
from reconciler.workspace import Workspace

LARGEST = 5 << 20
"""Bytes that an artifact may have."""
LARGEST_RECORD = 1 << 28

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Sought:
    """A token's artifact before it is opened: where it stands, and whose it must be."""

    name: str
    kind: str
    path: str
    form: Format
    expected: Expected


@dataclass(frozen=True, slots=True)
class Delivered:
    """A token's artifact, opened."""

    path: str
    kind: str
    form: Format
    opened: Opened


def opened(workspace: Workspace, name: str) -> Delivered:
    """The artifact of a token, opened and checked. Raises CannotOpen, ArtifactTampered, StoreError.

    It must be the one that the live store says. An owner need not have access to that; then it must
    be the one that the newest record in the clone says, and a note on stderr tells so.
    """
    token = _live(workspace, name)
    found = sought(workspace, name, token, {} if token else recorded(workspace, {name}))
    return unsealed(workspace.opener, found, sealed(workspace, found))


def sought(workspace: Workspace, name: str, token: LiveToken | None, known: Mapping[str, Expected]) -> Sought:
    """The artifact of a token: as live says, else as the spec and the records do. Raises CannotOpen."""
    kind, path, form = _place(workspace, name, token)
    expected = expected_of(token) if token is not None else _told(known, name, kind)
    return Sought(name, kind, path, form, expected)


def sealed(workspace: Workspace, found: Sought) -> bytes:
    """The artifact as it stands in the tree. Raises CannotOpen."""
    try:
        return read_regular(workspace.root / found.path, LARGEST)
    except OSError as error:
        raise CannotOpen(
            f"the artifact {found.path} cannot be read: {error.strerror}",
            hint="pull the commit that apply published, or restore the file from git",
        ) from error


def unsealed(opener: Opener, found: Sought, data: bytes) -> Delivered:
    """The artifact opened and checked. Raises CannotOpen or ArtifactTampered."""
    return Delivered(found.path, found.kind, found.form, opener.open(data, found.path, found.expected))


def asked(workspace: Workspace, ask: Callable[[LiveStore], Answer]) -> Answer | None:
    """What the live store answers; None, and a note, where it cannot be asked: then the records tell."""
    try:
        with workspace.live() as store:
            if store.state().revision == 0:
                click.echo("note: there is no live store here; the records of this clone are asked", err=True)
                return None
            return ask(store)
    except StoreError as error:
        click.echo(f"note: the live store was not asked ({error}); the records are", err=True)
        return None


def _live(workspace: Workspace, name: str) -> LiveToken | None:
    answer = asked(workspace, lambda store: (store.token(name), store.tombstones(name)))
    if answer is None:
        return None
    token, gone = answer
    if token is None:
        raise not_live(workspace, name, deleted=bool(gone))
    return token


def recorded(workspace: Workspace, names: Collection[str]) -> Mapping[str, Expected]:
    """Whose artifact each name has, as the records in the clone say; nothing for what they do not tell."""
    return last_known(_bodies(workspace), names)


def _bodies(workspace: Workspace) -> Iterator[str]:
    """The records in the clone, newest first. One that cannot be read is no record."""
    for file in sorted(workspace.records.glob("*.json"), reverse=True):
        try:
            yield read_regular(file, LARGEST_RECORD).decode()
        except (OSError, ValueError):
            yield ""


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
    if any(declared.name == name for declared in workspace.specs.tokens):
        return CannotOpen(f"{name} is declared and not live yet", hint="issue it with: reconcile apply")
    if deleted:
        return CannotOpen(
            f"{name} was deleted, and that is final", hint="see what it was with: reconcile show " + name
        )
    return CannotOpen(f"there is no token {name}", hint="find it with: reconcile list")


def _declared(workspace: Workspace, name: str) -> Declared | None:
    tokens = workspace.specs.tokens
    place = bisect_left(tokens, name, key=lambda one: one.name)
    return tokens[place] if place < len(tokens) and tokens[place].name == name else None


def _place(workspace: Workspace, name: str, token: LiveToken | None) -> tuple[str, str, Format]:
    """Kind, path and format of the artifact: as live says, else as the spec does."""
    if token is not None and token.artifact_path is not None:
        return token.kind, token.artifact_path, _form(token.declared, token.artifact_path)
    declared = _declared(workspace, name)
    if declared is None:
        raise not_live(workspace, name, deleted=False)
    path = declared.artifact_path(workspace.specs.settings.layout)
    return declared.kind, path, _form(declared.normal, path)


def _form(normal: str, path: str) -> Format:
    """The format that a spec asks for, given its normal form, as far as a file of that name can have it."""
    wanted = json.loads(normal).get("deliver", {}).get("format", DEFAULT_FORMAT)
    forms = candidates(path)
    return next((form for form in forms if form.name == wanted), forms[0])
