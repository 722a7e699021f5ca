"""What doctor says of publishing to git: whether an apply here could do it. Nothing is pushed or kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from reconciler.cli.doctor_check import Check
from reconciler.workspace import Workspace

if TYPE_CHECKING:
    from reconciler.apply.upstream import Upstream

NAME = "publishing"


def publishing_checks(workspace: Workspace) -> Iterator[Check]:
    """Nothing where artifacts stay in their folder. Raises GitFailed."""
    with workspace.upstream() as upstream:
        if upstream is not None:
            yield _pushing(upstream)
            yield from _signing(upstream, workspace.around.clock())


def _pushing(upstream: Upstream) -> Check:
    """Who only reads specs and artifacts need not be able to push, so it is no fault."""
    from reconciler.git.pushing import Answer, push

    upstream.check_mergeable()
    where = f"{upstream.settings.remote}/{upstream.target}"
    into = "" if upstream.direct else f", for pull requests into {upstream.branch},"
    asked = push(upstream.remote, upstream.ground.parents[0], upstream.target, only_ask=True)
    if asked.answer is Answer.TAKEN:
        unknown = "whether a rule of the forge or a hook refuses it, only a push tells"
        return Check(NAME, "ok", f"{where}{into} can be read and pushed to; {unknown}")
    said = f"the remote can be read, and {where} cannot be pushed to: {asked.said}"
    return Check(NAME, "note", said, "where apply is to run, give git the right to push there")


def _signing(upstream: Upstream, now: int) -> Iterator[Check]:
    from reconciler.git.committing import signs, try_commit

    git = upstream.repository.git
    if signs(git):
        with TemporaryDirectory() as folder:
            try_commit(git, now, Path(folder))
        yield Check(NAME, "ok", "commits are signed, as commit.gpgSign asks")
