"""What became of a change, as the journal says: for the record and for the result."""

from __future__ import annotations

from dataclasses import replace

from reconciler.live.interface import Intent, LiveToken
from reconciler.plan.change import DONE, FAILED, UNTRIED, Action, Done

NOT_TRIED = "not-tried"
"""What the journal says of a credential that was not tried any more."""


def as_done(intent: Intent) -> Done:
    """What a journal entry says."""
    stays = intent.action != Action.DELETE
    minted = intent.action in (Action.ISSUE, Action.ROTATE)
    return Done(
        number=intent.number,
        action=intent.action,
        kind=intent.kind,
        name=intent.name,
        token_id=intent.token_id,
        generation=intent.generation,
        path=intent.path if stays else None,
        digest=intent.digest,
        contents=intent.after.artifact_contents if minted and intent.after else None,
        removed=None if stays else intent.path,
        outcome=_outcome(intent.failed),
        error=intent.failed,
    )


def _outcome(failed: str | None) -> str:
    if failed is None:
        return DONE
    return UNTRIED if failed == NOT_TRIED else FAILED


def left(done: Done, before: LiveToken | None) -> Done:
    """The same, with the name that the token gave up, and the place that its artifact left.

    Another format, owner, folder or name moves an artifact, and a rotation to a key that the owner brought
    leaves none in place.
    """
    if before is None or done.outcome != DONE:
        return done
    has_new = done.path is not None or done.action == Action.ROTATE
    moved = has_new and before.artifact_path not in (None, done.path)
    return replace(
        done,
        removed=before.artifact_path if moved else done.removed,
        previously=before.name if before.name != done.name else None,
    )
