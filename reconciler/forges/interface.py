"""What a forge is: who writes there, and how the comments on a pull request are read, added and edited."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reconciler.errors import SettingsError
from reconciler.web import Address, Request, Response, address_of

Environ = Mapping[str, str]
COMMIT = re.compile(r"[0-9a-f]{7,64}")
LOG = re.compile(r"https?://[A-Za-z0-9._~:/-]+")
"""An address in which nothing means anything to Markdown."""

Send = Callable[[Request], Response]
"""Sends a request there and nowhere else: no redirect is followed. Raises ForgeFailed where nothing comes."""


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment, as far as it matters here."""

    id: int
    author: str
    """Who wrote it, as `Thread.me` calls them."""
    text: str
    url: str


class Thread(Protocol):
    """The comments on one pull request. Methods raise ForgeFailed, and TryAgain where that may help."""

    @property
    def what(self) -> str:
        """As messages call it: `pull request 7 of acme/specs`."""

    @property
    def most(self) -> int:
        """Characters that a comment may have."""

    @property
    def commit(self) -> str:
        """The newest commit of the pull request; empty where the pipeline does not say."""

    @property
    def log(self) -> str:
        """Address of the log of this run; empty where the pipeline does not say."""

    def me(self) -> str:
        """Who writes with this token."""

    def comments(self) -> Iterator[Comment]:
        """Every comment, oldest first."""

    def add(self, text: str) -> Comment:
        """A new comment."""

    def edit(self, comment: Comment, text: str) -> Comment | None:
        """The comment with another text; None where it is gone."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pipeline runs."""

    environ: Environ
    read: Callable[[Path], bytes]
    """Reads a file that the pipeline names. Raises OSError."""
    send: Send


@dataclass(frozen=True, slots=True)
class Forge:
    """A forge."""

    name: str
    title: str
    """As people call it."""
    runs_here: Callable[[Environ], bool]
    """Whether a pipeline runs on it."""
    thread: Callable[[Place], Thread]
    """The pull request that the pipeline is for. Raises UsageError where it is for none, and SettingsError
    where the pipeline does not tell what it takes."""


class TryAgain(Exception):
    """The forge cannot answer now."""

    def __init__(self, status: int, after: float | None) -> None:
        super().__init__(status)
        self.status = status
        self.after = after
        """Seconds that it asks to wait; None where it does not say."""


def if_like(pattern: re.Pattern[str], text: str) -> str:
    """The text, if all of it is like that; else nothing."""
    return text if pattern.fullmatch(text) else ""


def given(environ: Environ, name: str, hint: str) -> str:
    """A variable of the pipeline. Raises SettingsError where it is not there."""
    if not environ.get(name):
        raise SettingsError(f"{name} is not set", hint=hint)
    return environ[name]


def address(environ: Environ, name: str) -> Address:
    """The address of the API. Raises SettingsError for one that no token may be sent to."""
    found = address_of(given(environ, name, "run this in a pipeline of the forge, which sets it"))
    if found is None or not found.private:
        raise SettingsError(
            f"{name} is no address that a token may be sent to",
            hint="it is https://HOST[:PORT][/PATH]; http is for this machine",
        )
    return found
