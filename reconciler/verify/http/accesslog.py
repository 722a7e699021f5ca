"""The log: one line of JSON a request, and one for what goes wrong. No token, header or query is in it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, TextIO

from reconciler.times import timestamp
from reconciler.verify.http.message import Noted

LONGEST = 500
"""Characters of a path."""
TOKENS_START = ("eyJ", "rcn_")
TOKENLIKE = re.compile(rf"({'|'.join(TOKENS_START)})[A-Za-z0-9_.~+=-]{{8,}}")
"""Somebody may put a token where a path has no place for one."""
HIDDEN = "***"
AT_ONCE = 8
"""Lines in one write: so few that those of several workers do not run into each other (PIPE_BUF)."""


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
    at, method, path, status, peer, seconds, (reason, token, name, _, api, client) = entry
    return (
        f'{{"time":"{moment(at)}","method":{_quoted(method)},"path":{_path(path)},"status":{status}'
        f"{_member('reason', reason)}{_member('token', token)}{_member('name', name)}{_member('api', api)}"
        f'{_member("client", client)}{_member("peer", peer)},"ms":{seconds * 1000:.3f}}}\n'
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
    if any(start in path for start in TOKENS_START):
        path = TOKENLIKE.sub(HIDDEN, path)
    return path[:LONGEST]


def moment(at: float) -> str:
    """RFC 3339 with milliseconds."""
    whole = int(at)
    return f"{_second(whole)}.{int((at - whole) * 1000):03d}Z"


@lru_cache(maxsize=4)
def _second(at: int) -> str:
    return timestamp(at)[:-1]


@dataclass(slots=True)
class Log:
    """Writes lines to a stream, several together."""

    stream: TextIO
    clock: Callable[[], float]
    soon: Callable[[Callable[[], None]], object]
    """Calls a function a little later."""
    requests: bool = True
    """Whether requests are logged."""
    _waiting: list[str] = field(default_factory=list)

    def request(self, entry: Entry) -> None:
        """One request."""
        if self.requests:
            self._write(line(entry))

    def event(self, level: str, message: str) -> None:
        """Something else that an operator must know."""
        told = {"time": moment(self.clock()), "level": level, "message": message}
        self._write(json.dumps(told, separators=(",", ":")) + "\n")

    def fault(self, error: BaseException, path: str) -> None:
        """What was not foreseen: its type and its place, and not its message, which may hold anything."""
        self.event("error", f"a fault that was not foreseen: {where(error)}, at {shown(path)}")

    def flush(self) -> None:
        """Writes what waits. A reader that is gone stops nothing."""
        waiting, self._waiting = self._waiting, []
        with suppress(OSError, ValueError):
            for start in range(0, len(waiting), AT_ONCE):
                self.stream.write("".join(waiting[start : start + AT_ONCE]))
                self.stream.flush()

    def _write(self, text: str) -> None:
        self._waiting.append(text)
        if len(self._waiting) == 1:
            self.soon(self.flush)


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
