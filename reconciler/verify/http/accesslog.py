"""The log: one line of JSON a request, and one for what goes wrong. No token, header or query is in it."""

from __future__ import annotations

import json
import logging
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import NamedTuple

from reconciler.times import timestamp
from reconciler.verify.http.message import Noted

LONGEST = 500
"""Characters of a path."""
TOKENS_START = ("eyJ", "rcn_")
TOKENLIKE = re.compile(rf"({'|'.join(TOKENS_START)})([A-Za-z0-9_.~+=-]{{8,}}|[A-Za-z0-9_.~+=-]*\Z)")
"""Somebody may put a token where a path has no place for one, and it may be cut off."""
HIDDEN = "***"
AT_ONCE = 4096
"""Bytes in one write: so few that those of several workers do not run into each other (PIPE_BUF)."""
MOST_WAITING = 10_000
"""Lines that may wait for a reader who is slow; more are dropped, and counted."""
PAUSE_SECONDS = 0.02
"""That a line may wait for others, so that they are written together."""
END_SECONDS = 0.5
"""That the end waits for what is still to be written."""


class Entry(NamedTuple):
    """One request that was answered."""

    at: float
    """Epoch seconds."""
    method: str
    path: str
    status: int
    peer: str | None
    seconds: float
    noted: Noted


def line(entry: Entry) -> str:
    """The line of a request; what is not known is left out."""
    at, method, path, status, peer, seconds, noted = entry
    reason, token, name, _, api, client, called = noted
    asked = f',"called":{_path(called[:LONGEST])}' if called else ""
    return (
        f'{{"time":"{moment(at)}","method":{_quoted(method)},"path":{_path(path[:LONGEST])},"status":{status}'
        f"{_member('reason', reason)}{_member('token', token)}{_member('name', name)}{_member('api', api)}"
        f'{asked}{_member("client", client)}{_member("peer", peer)},"ms":{seconds * 1000:.3f}}}\n'
    )


@lru_cache(maxsize=4096)
def _member(name: str, value: str | None) -> str:
    return f',"{name}":{_quoted(value)}' if value else ""


@lru_cache(maxsize=256)
def _quoted(text: str) -> str:
    """As JSON, in ASCII: a line has as many bytes as letters."""
    return json.dumps(text)


@lru_cache(maxsize=1024)
def _path(path: str) -> str:
    return json.dumps(shown(path))


def shown(path: str) -> str:
    """A path as the log shows it."""
    path = path[:LONGEST]
    if any(start in path for start in TOKENS_START):
        path = TOKENLIKE.sub(HIDDEN, path)
    return path


def moment(at: float) -> str:
    """RFC 3339 with milliseconds."""
    whole = int(at)
    return f"{_second(whole)}.{int((at - whole) * 1000):03d}Z"


@lru_cache(maxsize=4)
def _second(at: int) -> str:
    return timestamp(at)[:-1]


@dataclass(slots=True)
class Log:
    """What is to be written: a line costs its request no more than a place in a queue."""

    write: Callable[[str], object]
    """Writes some lines, and may wait for whoever reads them."""
    clock: Callable[[], float]
    soon: Callable[[Callable[[], None]], object]
    """Calls a function a little later, and elsewhere, so that no request waits for it."""
    requests: bool = True
    """Whether requests are logged."""
    dropped: int = 0
    """Lines that nobody will read, since so many waited."""
    _told: int = 0
    """Of these, how many the log tells of."""
    _waiting: deque[str | Entry] = field(default_factory=deque)
    _awaited: bool = False
    """Whether a flush will come."""

    def request(self, entry: Entry) -> None:
        """One request."""
        if self.requests:
            self._write(entry)

    def event(self, level: str, message: str) -> None:
        """Something else that an operator must know."""
        self._write(self._event(level, message))

    def fault(self, error: BaseException, path: str) -> None:
        """What was not foreseen: its type and its place, and not its message, which may hold anything."""
        self.event("error", f"a fault that was not foreseen: {where(error)}, at {shown(path)}")

    def flush(self) -> None:
        """Writes what waits. A reader that is gone stops nothing."""
        self._awaited = False
        for text in together(self._lines()):
            with suppress(OSError, ValueError):
                self.write(text)

    def _lines(self) -> Iterator[str]:
        while self._waiting:
            one = self._waiting.popleft()
            yield line(one) if isinstance(one, Entry) else one
        if (dropped := self.dropped) > self._told:
            more, self._told = dropped - self._told, dropped
            yield self._event("warning", f"{more} lines are not here: the log is read too slowly")

    def _event(self, level: str, message: str) -> str:
        told = {"time": moment(self.clock()), "level": level, "message": message}
        return json.dumps(told, separators=(",", ":")) + "\n"

    def _write(self, text: str | Entry) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append(text)
        if not self._awaited:
            self._awaited = True
            self.soon(self.flush)


def together(lines: Iterable[str]) -> Iterator[str]:
    """Lines, as many at once as go into a pipe at once; they are in ASCII."""
    some, size = list[str](), 0
    for one in lines:
        if some and size + len(one) > AT_ONCE:
            yield "".join(some)
            some, size = [], 0
        some.append(one)
        size += len(one)
    if some:
        yield "".join(some)


class Writer:
    """Flushes a log in a thread of its own, which alone waits where nobody reads."""

    def __init__(self) -> None:
        self._flush: Callable[[], None] | None = None
        self._wake = Event()
        self._ending = Event()
        self._thread = Thread(target=self._run, name="log", daemon=True)

    def soon(self, flush: Callable[[], None]) -> None:
        """Flushes in a moment."""
        self._flush = flush
        self._wake.set()

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def close(self) -> None:
        """Writes what waits; but who does not read holds up no end."""
        self._ending.set()
        self._wake.set()
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        ending = False
        while not ending:
            self._wake.wait()
            ending = self._ending.wait(PAUSE_SECONDS)
            self._wake.clear()
            if self._flush is not None:
                self._flush()


def to_descriptor(descriptor: int, text: str) -> None:
    """Writes all of it, past every buffer: one that a thread holds would hold up the end of the process."""
    data = text.encode("ascii")
    while data:
        data = data[os.write(descriptor, data) :]


def where(error: BaseException) -> str:
    """The type of an error and the place that raised it: no message, no value of any variable."""
    last: TracebackType | None = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f" ({Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno})" if last is not None else ""
    return type(error).__name__ + place


class Libraries(logging.Handler):
    """What libraries say, as lines of ours: no traceback, and nothing of a token."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        error = record.exc_info[1] if record.exc_info else None
        message = shown(str(record.msg)) if error is None else where(error)
        self._log.event(record.levelname.lower(), f"{record.name}: {message}")
