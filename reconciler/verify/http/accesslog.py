"""The log: one line of JSON a request, and one for what goes wrong. No token, header or query is in it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, TextIO

from pydantic_core import to_json

from reconciler.times import timestamp
from reconciler.verify.http.message import Noted

LONGEST = 500
"""Characters of a path."""
TOKENS_START = ("eyJ", "rcn_")
TOKENLIKE = re.compile(rf"({'|'.join(TOKENS_START)})[A-Za-z0-9_.~+/=-]{{8,}}")
"""Somebody may put a token where a path has no place for one."""
HIDDEN = "***"
AT_ONCE = 8
"""Lines in one write: so few that those of several workers do not run into each other (PIPE_BUF)."""


def _encode(told: Mapping[str, str | int | float]) -> str:
    return to_json(told, ensure_ascii=True).decode("ascii") + "\n"


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
    noted = entry.noted
    told: dict[str, str | int | float] = {
        "time": moment(entry.at),
        "method": entry.method,
        "path": shown(entry.path),
        "status": entry.status,
    }
    known = {
        "reason": noted.reason,
        "token": noted.token,
        "name": noted.name,
        "api": noted.api,
        "client": noted.client,
        "peer": entry.peer,
    }
    told.update({name: value for name, value in known.items() if value})
    told["ms"] = round(entry.seconds * 1000, 3)
    return _encode(told)


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
    """Writes lines to a stream; those of one turn of the event loop go out together."""

    stream: TextIO
    clock: Callable[[], float]
    soon: Callable[[Callable[[], None]], object]
    """Calls a function when this turn of the event loop is over."""
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
        self._write(_encode(told))

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
        if not self._waiting:
            self.soon(self.flush)
        self._waiting.append(text)


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
