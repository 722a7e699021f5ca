"""Opening a token's artifact with the reader's own identity, checked against what is live."""

from __future__ import annotations

from dataclasses import dataclass

import click

from reconciler.artifacts.formats import candidates
from reconciler.artifacts.formats.interface import Format
from reconciler.artifacts.interface import Header, Opened
from reconciler.audit.record import last_known
from reconciler.errors import CannotOpen, ReconcilerError, StoreError
from reconciler.files import read_regular
from reconciler.live.interface import LiveToken
from reconciler.workspace import Workspace

LARGEST = 5 << 20
"""Bytes that an artifact may have."""


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
    kind, path, form = _place(workspace, name, token)
    try:
        data = read_regular(workspace.root / path, LARGEST)
    except OSError as error:
        raise CannotOpen(
            f"the artifact {path} cannot be read: {error.strerror}",
            hint="pull the commit that apply published, or restore the file from git",
        ) from error
    if token is not None:
        expected = Header(token.kind, token.id, token.generation)
    else:
        expected = _recorded(workspace, name, kind)
    return Delivered(path, kind, form, workspace.opener.open(data, path, expected))


def _live(workspace: Workspace, name: str) -> LiveToken | None:
    try:
        with workspace.live() as store:
            if store.state().revision == 0:
                click.echo("note: there is no live store here; the records of this clone are asked", err=True)
                return None
            token = store.token(name)
            gone = store.tombstones(name)
    except StoreError as error:
        click.echo(f"note: the live store was not asked ({error}); the records are", err=True)
        return None
    if token is None:
        raise not_live(workspace, name, deleted=bool(gone))
    return token


def _recorded(workspace: Workspace, name: str, kind: str) -> Header:
    """Whose artifact it is, as the records in the clone say. Raises CannotOpen where they do not."""
    files = sorted(workspace.records.glob("*.json"), reverse=True)
    found = last_known((file.read_text() for file in files), name)
    if found is None or found.kind != kind:
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


def _place(workspace: Workspace, name: str, token: LiveToken | None) -> tuple[str, str, Format]:
    """Kind, path and format of the artifact: as live says, else as the spec does."""
    if token is not None and token.artifact_path is not None:
        kind, path = token.kind, token.artifact_path
    else:
        declared = next((one for one in workspace.specs.tokens if one.name == name), None)
        if declared is None:
            raise not_live(workspace, name, deleted=False)
        kind, path = declared.kind, declared.spec().artifact_path(workspace.specs.settings.artifacts)
    forms = candidates(path)
    wanted = next((one for one in workspace.specs.tokens if one.name == name), None)
    delivered = wanted.spec().deliver.format if wanted else forms[0].name
    return kind, path, next((form for form in forms if form.name == delivered), forms[0])
