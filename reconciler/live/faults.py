"""What databases raise, as errors of ours. Nothing of theirs gets past this file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from reconciler.errors import StoreError, StoreLocked, StoreUnreadable

RESTORE = "restore it from a backup"
HINTS = (
    (
        ("denied for table used_assertion",),
        "let a verifier's role remember them: GRANT SELECT, INSERT, UPDATE, DELETE ON used_assertion TO …",
    ),
    (
        ("database or disk is full", "no space left", "disk i/o"),
        "free space or mend the disk, then run again",
    ),
    (("not a database", "malformed", "no such table", "no such column", "decode"), RESTORE),
    (
        ("unable to open", "readonly", "read-only", "permission denied"),
        "see that you may read and write it (for a file: its folder too)",
    ),
    (
        ("password authentication", "no password supplied", "role "),
        "correct the user in the URL, and set the password in PGPASSWORD or in the URL",
    ),
    (("database ",), "make the database, or correct its name in the URL"),
    (("relation ", "column "), RESTORE),
    (
        ("connect", "could not translate", "resolve", "timeout", "terminat", "closed"),
        "see that the server runs, and that host and port in the URL are right; then run again",
    ),
)
"""What to do, by what the database said; the first that fits."""

DEFAULT_HINT = "see that the store is whole and can be reached, then run again"


@contextmanager
def translated(shown: str) -> Iterator[None]:
    """Turns what a database raises inside the block into StoreError and its kinds.

    `shown` is the URL to name, without a password.
    """
    try:
        yield
    except (SQLAlchemyError, UnicodeError, OverflowError) as error:
        raise translate(error, shown) from error


def translate(error: Exception, shown: str) -> StoreError:
    """The error of ours that says what `error` says."""
    said = what_it_said(error)
    if isinstance(error, IntegrityError | DataError | UnicodeEncodeError | OverflowError):
        return StoreError(
            f"the live store {shown} refused what was to be written: {said}",
            hint="nothing of it was written; plan again, and apply that",
        )
    if "database is locked" in said:
        return StoreLocked(
            f"another process is writing to the live store {shown}", hint="wait for it, then run again"
        )
    return unusable(said, shown)


def unusable(said: str, shown: str) -> StoreUnreadable:
    """The error for a store that is out of reach or damaged, by what was said of it."""
    return StoreUnreadable(f"the live store {shown} cannot be used: {said}", hint=_hint(said))


def what_it_said(error: Exception) -> str:
    """The first line of what the driver said; the rest is SQL, or advice for its own users."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__


def _hint(said: str) -> str:
    lowered = said.lower()
    fitting = (hint for words, hint in HINTS if any(word in lowered for word in words))
    return next(fitting, DEFAULT_HINT)
