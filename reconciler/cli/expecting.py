"""`--expect DIGEST`: the plan that somebody approved, by its whole digest."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import click

from reconciler.errors import UsageError
from reconciler.live.interface import LiveStore
from reconciler.plan.approving import without_due
from reconciler.plan.document import Plan
from reconciler.records.body import DONE, FAILED
from reconciler.records.envelope import body_of

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
F = TypeVar("F", bound=Callable[..., int])


def expect_option(text: str) -> Callable[[F], F]:
    """The option, with its help."""
    return click.option("--expect", metavar="DIGEST", callback=_digest, help=text)


def _digest(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """A prefix is no approval: others can be made that begin so."""
    if value is not None and DIGEST.fullmatch(value) is None:
        raise UsageError(
            "--expect is no whole digest of a plan: sha256: and 64 digits in lower case",
            hint="take it from plan --format json or markdown; a part of it is no approval",
        )
    return value


def applied_before(store: LiveStore, digest: str, plan: Plan) -> bool:
    """Whether runs did this very plan, and nothing is left of it but what is due by now.

    Where they did a part, nothing at all may be left; what waits for its next try is told.
    """
    if without_due(plan).changes:
        return False
    outcomes = {body_of(record.body).outcome for record in store.records_of(digest)}
    begun = bool(outcomes - {FAILED}) or (bool(outcomes) and plan.waits)
    return DONE in outcomes or (begun and not plan.changes)
