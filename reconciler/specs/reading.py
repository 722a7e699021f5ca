"""Many spec files, read on as many cores as there are."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from reconciler.kinds import all_kinds
from reconciler.memo import Kept, nothing_kept
from reconciler.specs.files import Tree, unreadable
from reconciler.specs.model import token_spec
from reconciler.specs.reader import FileRead, read_into
from reconciler.specs.recalling import Known, declares, keep, recall

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

MIN_SHARE = 500
"""Files that are worth a process of their own."""


WORTH_KEEPING = 200
"""Files from which on it saves time to keep what they declare."""


class Sources(NamedTuple):
    """Where files are read, and what is known of them by their bytes."""

    tree: Tree
    known: Known = MappingProxyType({})


def read_files(tree: Tree, names: Sequence[str], kept: Kept = nothing_kept) -> FileRead:
    """Everything that the files declare, and every fault in them. A memo saves time, and changes nothing."""
    memo = kept() if len(names) >= WORTH_KEEPING else None
    if memo is None:
        return _read(Sources(tree), names)
    began = memo.moment()
    with no_collection():
        recalled = recall(memo, tree, names)
        read = _read(Sources(tree, recalled.known), recalled.left)
        keep(memo, recalled, read, began)
    return recalled.found.with_more(read)


def _read(sources: Sources, names: Sequence[str]) -> FileRead:
    shares = min(_cores(), len(names) // MIN_SHARE) or 1
    ends = [len(names) * share // shares for share in range(shares + 1)]
    return _shared(sources, [names[start:end] for start, end in pairwise(ends)])


def _cores() -> int:
    """Processes that can be made by a plain fork: one, where threads run or it is not Linux."""
    if sys.platform != "linux" or len(list(Path("/proc/self/task").iterdir())) > 1:
        return 1
    return len(os.sched_getaffinity(0))


def _shared(sources: Sources, shares: Sequence[Sequence[str]]) -> FileRead:
    """The last share is read here, while a process of its own reads each of the others."""
    *others, own = shares
    if not others:
        return read_share(sources, own)
    with _reading(sources, others[0]) as answer:
        found = _shared(sources, [*others[1:], own])
        try:
            first: FileRead = answer.recv()
        except EOFError:
            # The process ended before its time: what it was to read is read here.
            first = read_share(sources, others[0])
    return first.with_more(found)


@contextmanager
def _reading(sources: Sources, names: Sequence[str]) -> Iterator[Connection]:
    """A process that reads files, and the pipe that its answer comes through. It ends with the block."""
    from multiprocessing import get_context

    for kind in all_kinds():
        token_spec(kind)
    context = get_context("fork")
    answer, send = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(answer, send, sources, names), daemon=True)
    process.start()
    send.close()
    try:
        yield answer
    finally:
        answer.close()
        process.kill()
        process.join()
        process.close()


def _child(answer: Connection, send: Connection, sources: Sources, names: Sequence[str]) -> None:
    """Without its own end of the parent's pipe, it ends when the parent does."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    answer.close()
    with suppress(OSError):
        send.send(read_share(sources, names))


def read_share(sources: Sources, names: Sequence[str]) -> FileRead:
    """Files one after the other."""
    found = FileRead()
    with no_collection():
        for name in names:
            try:
                data = sources.tree.read(name)
            except OSError as error:
                found.faults.append(unreadable(name, error))
                found.catalog_lost = True
            else:
                if not declares(name, data, sources.known, found):
                    read_into(found, name, data)
    return found


@contextmanager
def no_collection() -> Iterator[None]:
    """Without the garbage collector: what a file leaves behind has no cycles, and there is a lot of it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
