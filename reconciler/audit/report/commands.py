"""The commands that print the figures of a report again, and those that ask further."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from reconciler.times import timestamp


@dataclass(frozen=True, slots=True)
class Commands:
    """For one moment of one line."""

    commit: str
    """What is verified."""
    line: str
    """What the line is read from."""
    at: int
    recorded: bool

    def figure(self, name: str) -> str:
        """The numbers of one figure, as the page shows them."""
        return self._told("report", "--format json", f"--figure {name}", self._moment)

    def holders(self, field: str, value: str) -> str:
        """Who could do what a name stands for: whoever is granted all of its field, too."""
        wanted = f"--grant {shlex.quote(f'{field}={value}')}"
        return self._told("access", wanted, "--state active", self._moment)

    @property
    def tokens(self) -> str:
        """Every token that there was, disabled and expired ones too."""
        return self._told("access", "--state all", self._moment)

    def log(self, name: str | None = None) -> str:
        """A token's story; without, what happened to all."""
        named = () if name is None else (shlex.quote(name),)
        return self._told("log", *named, self._line, f"--until {timestamp(self.at)}")

    @property
    def verify(self) -> str:
        """What is wrong."""
        return f"reconcile audit verify --revision {self.commit[:12]}"

    @property
    def report(self) -> str:
        """The page itself."""
        return self._told("report", self._moment, "--out report.html")

    @property
    def _line(self) -> str:
        return f"--line {self.line[:12]}"

    @property
    def _moment(self) -> str:
        return f"{self._line} --at {timestamp(self.at)}"

    def _told(self, question: str, *options: str) -> str:
        declared = () if self.recorded else ("--declared",)
        return " ".join(("reconcile audit", question, *options, *declared))
