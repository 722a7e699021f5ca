"""Artifacts that are to leave the tree: those of the run, and those that no run could remove yet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from reconciler.live.interface import LiveToken, Record
from reconciler.plan.change import DONE, Done
from reconciler.records.envelope import body_of


def leaving(
    done: Iterable[Done],
    unpublished: Iterable[Record],
    staying: Collection[str],
    live: Callable[[str], LiveToken | None],
) -> tuple[str, ...]:
    """Paths to be removed, as the changes done and the records that are not published yet say.

    `staying` are the paths that the same publication puts in place. A path that an earlier record
    gave up may be the artifact of a live token again: `live` tells, by name.
    """
    paths = [one.removed for one in done if one.removed is not None]
    paths += [
        path for names, path in _given_up(unpublished) if not any(_is_of(live(name), path) for name in names)
    ]
    return tuple(path for path in dict.fromkeys(paths) if path not in staying)


def _given_up(records: Iterable[Record]) -> Iterator[tuple[tuple[str, ...], str]]:
    """(names, path) of every artifact that the records say has left the tree.

    By the name that a token gave up, another token may be live by now.
    """
    for record in records:
        for change in body_of(record.body).changes:
            if change.removed is not None and change.outcome == DONE:
                yield (change.name, change.previously or change.name), change.removed


def _is_of(token: LiveToken | None, path: str) -> bool:
    return token is not None and token.artifact_path == path
