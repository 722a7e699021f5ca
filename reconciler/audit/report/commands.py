"""The commands that print the figures of a report again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from reconciler.times import timestamp


@dataclass(frozen=True, slots=True)
class Commands:
    """For one moment of one line."""

    commit: str
    at: int
    recorded: bool

    def access(self, **wanted: str) -> str:
        """Who could do that at the moment; without, all tokens."""
        options = [f"--{name} {shlex.quote(value)}" for name, value in wanted.items()]
        return " ".join(("reconcile audit access", *options, f"--at {timestamp(self.at)}", *self._declared()))

    def grant(self, field: str, value: str) -> str:
        """Who is granted a name."""
        return self.access(grant=f"{field}={value}")

    def log(self, name: str | None = None) -> str:
        """A token's story; without, what happened to all."""
        named = () if name is None else (shlex.quote(name),)
        until = f"--until {timestamp(self.at)}"
        return " ".join(
            ("reconcile audit log", *named, f"--line {self.commit[:12]}", until, *self._declared())
        )

    @property
    def verify(self) -> str:
        """What is wrong."""
        return f"reconcile audit verify --revision {self.commit[:12]}"

    @property
    def report(self) -> str:
        """The page itself."""
        made = f"reconcile audit report --at {timestamp(self.at)} --out report.html"
        return " ".join((made, *self._declared()))

    def _declared(self) -> tuple[str, ...]:
        return () if self.recorded else ("--declared",)
