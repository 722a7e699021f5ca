"""What is live, as specs: which there are to write, and what the live store does not tell. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydantic import ValidationError

from reconciler.errors import StoreUnreadable
from reconciler.live.interface import LiveToken
from reconciler.plan.transition import NARROWED
from reconciler.specs.layout import Layout
from reconciler.specs.model import AnyTokenSpec, from_normal_form
from reconciler.specs.settings import Settings

NAMED = 5
"""Names that a note or an error has room for."""


def declared_by(token: LiveToken) -> AnyTokenSpec | None:
    """The spec that a live token was made by; None where its record holds none of its name and kind."""
    try:
        spec = from_normal_form(token.declared)
    except (ValidationError, ValueError, KeyError, TypeError):
        return None
    return spec if (spec.kind, spec.metadata.name) == (token.kind, token.name) else None


def spec_of(token: LiveToken) -> AnyTokenSpec:
    """The same, of a token that has one. Raises StoreUnreadable."""
    spec = declared_by(token)
    if spec is None:
        raise _untold([token.name])
    return spec


def _untold(names: list[str]) -> StoreUnreadable:
    return StoreUnreadable(
        f"the live record holds no spec that this version can read for {some(names)}",
        hint="restore the live store from a backup, or export with the version that applied last",
    )


@dataclass(frozen=True, slots=True)
class Survey:
    """What is to be known before the first spec is written: names, and nothing larger."""

    found: dict[str, str] = field(default_factory=dict)
    """Names → kinds."""
    narrowed: list[str] = field(default_factory=list)
    """Tokens that an interrupted apply took access from."""
    elsewhere: list[str] = field(default_factory=list)
    """Artifacts that do not stand where the settings want them."""


def surveyed(tokens: Iterable[LiveToken], layout: Layout) -> Survey:
    """All that is live. Raises StoreUnreadable naming the tokens whose spec cannot be told.

    A spec that is left out reads as a token to be deleted, so nothing is exported then.
    """
    survey, broken = Survey(), []
    for token in tokens:
        spec = declared_by(token)
        if spec is None:
            broken.append(token.name)
            continue
        survey.found[token.name] = token.kind
        if token.spec_digest == NARROWED:
            survey.narrowed.append(token.name)
        if not survey.elsewhere and _is_elsewhere(token.artifact_path, spec, layout):
            survey.elsewhere.append(str(token.artifact_path))
    if broken:
        raise _untold(broken)
    return survey


def _is_elsewhere(path: str | None, spec: AnyTokenSpec, layout: Layout) -> bool:
    no_place = layout.by_owner and spec.metadata.owner is None
    return path is not None and (no_place or path != spec.artifact_path(layout))


def notes(survey: Survey, run: str | None, *, without_settings: bool) -> Iterator[str]:
    """What a person should know of an export. `run` is the apply that has not ended."""
    if without_settings:
        fields = ", ".join(Settings.model_fields)
        yield (
            f"the live store does not keep the settings of a workspace ({fields}), nor catalogs, policies or"
            " .sops.yaml: write again what there was"
        )
    if without_settings and survey.elsewhere:
        yield (
            f"an artifact stands at {survey.elsewhere[0]}: set artifacts and deliver.path in the Workspace"
            " document to what they were before you apply, or artifacts are moved"
        )
    if survey.narrowed:
        yield (
            f"an apply that was interrupted took access from {some(survey.narrowed)}: exported as declared"
            " before it, so the next apply gives that access back"
        )
    if run is not None:
        yield (
            f"the apply {run} has not ended, and what it was about to issue or change is not in this export:"
            " export again when it has"
        )


def some(names: list[str]) -> str:
    """The first names of many."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
