"""What to do where a clone does not have all of a history."""

from __future__ import annotations

DEEPEN = (
    "fetch the history: git fetch --unshallow; in a pipeline, check out with fetch-depth: 0 (GitLab:"
    " GIT_DEPTH: 0)"
)
"""For a hint."""
