"""`--reason TEXT`: why an apply is made, as its record tells it to whoever reads the history."""

from __future__ import annotations

import click

from reconciler.errors import UsageError
from reconciler.kinds.pasted import is_private

LONGEST = 500
"""Letters."""


def reason_given(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """One line, and no secret: it is published and stays. Raises UsageError."""
    text = (value or "").strip()
    if not text.isprintable() or len(text) > LONGEST:
        raise UsageError(
            f"--reason is not one line of {LONGEST} letters at the most",
            hint="say it in a sentence, or name the ticket that tells all of it",
        )
    if is_private(text):
        raise UsageError(
            "--reason holds a key or a token, and it is published with the record",
            hint="leave that out; if it is in use, rotate it",
        )
    return text or None
