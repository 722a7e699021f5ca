"""A group that knows its commands by name and help, and imports only the one that is called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TypeAlias

import click

Sections: TypeAlias = Mapping[str, Mapping[str, str]]
"""Title → the commands under it, each with its help in a line."""


def modules(sections: Sections, package: str) -> dict[str, str]:
    """Command → the module that it stands in."""
    return {name: f"{package}.{name}" for section in sections.values() for name in section}


def helps(sections: Sections) -> dict[str, str]:
    """Command → its help in a line."""
    return {name: text for section in sections.values() for name, text in section.items()}


class Commands(click.Group):
    """Each command is a module of the package, whose `command` it is."""

    def __init__(self, *, sections: Sections, package: str, **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]  # what click gives its own groups
        self.sections = sections
        self.modules = modules(sections, package)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.modules:
            return None
        command: click.Command = import_module(self.modules[cmd_name]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.modules and not args[0].startswith("-"):
            from reconciler.specs.faults import did_you_mean

            guess = did_you_mean(args[0], list(self.modules))
            raise click.UsageError(f"there is no command {args[0]!r}; {guess}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in self.sections.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))
