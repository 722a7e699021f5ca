"""Generated histories as the package reads them, and what it says in the words of the model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from reconciler.audit.applied import applied
from reconciler.audit.declared import blobs, declared
from reconciler.audit.history import line
from reconciler.audit.meanings import meanings
from reconciler.audit.recorded import in_order
from reconciler.audit.spans import Span, sooner
from reconciler.cli.context import surroundings
from reconciler.readers.auditing import Auditing
from reconciler.records.chain import RecordFile
from reconciler.workspace import Workspace
from tests.audit.declaring import Truth
from tests.audit.histories import Made
from tests.git.kit import ENVIRON, Repo

Says = tuple[object, ...]


def auditing(made: Made, repo: Repo | None = None) -> Auditing:
    """Its clone, at a moment after all of it; nothing is kept from one reading to the next."""
    root = (repo or made.repo).root / made.prefix
    around = replace(
        surroundings(),
        environ=ENVIRON,
        clock=lambda: made.end,
        home=Path("/nowhere"),
        entropy=bytes,
    )
    return Auditing(Workspace(root, around, None))


def told(span: Span) -> Says:
    """What a span says of its token."""
    grants = tuple((name, tuple(sorted(names))) for name, names in span.grants.items())
    return span.name, span.kind, span.owner, grants, span.enabled, span.ends


def true(truth: Truth) -> Says:
    """The same of the model."""
    return truth.name, truth.kind, truth.owner, truth.grants, truth.enabled, truth.ends


def at(spans: Iterable[Span], moment: int) -> set[Says]:
    """What spans say of one moment."""
    begun = [
        (one, sooner(one.until.at if one.until else None, one.stops))
        for one in spans
        if one.since.at <= moment
    ]
    return {told(one) for one, over in begun if over is None or moment < over}


def declared_spans(made: Made, repo: Repo | None = None) -> tuple[Span, ...]:
    """What was declared."""
    repository = (repo or made.repo).opened(made.prefix)
    found = line(repository, made.head, ("specs",), made.end)
    return declared(found, meanings(repository, blobs(found))).spans


def live_spans(made: Made) -> tuple[Span, ...]:
    """What was live."""
    return applied(
        in_order((RecordFile(name, data) for name, data in made.store.files.items()), now=made.end)
    ).spans
