"""What is said of a run that was stopped: to the person, and in its record. Pure."""

from __future__ import annotations

from reconciler.errors import PartlyApplied, ReconcilerError
from reconciler.records.making import CUT_OFF

AGAIN = "run apply again"


def partly(what: str, error: BaseException) -> PartlyApplied:
    """The error of an apply that has changed something, and was stopped by another error."""
    hint = error.hint if isinstance(error, ReconcilerError) else ""
    again = "it goes on from here" if hint.endswith(AGAIN) else f"{AGAIN}, and it goes on from here"
    return PartlyApplied(f"{what}: {_why(error)}", hint="; then ".join(filter(None, (hint, again))))


def _why(error: BaseException) -> str:
    """In words. What another library says is left out: it was made without knowing what is secret."""
    if isinstance(error, ReconcilerError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "it was interrupted"
    return f"of a fault that was not foreseen ({type(error).__name__})"


def code_of(error: BaseException) -> str:
    """What ended a run, for its record: no word of another program stands in that."""
    if isinstance(error, ReconcilerError):
        return error.code
    return CUT_OFF if isinstance(error, KeyboardInterrupt) else "unforeseen"
