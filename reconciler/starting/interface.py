"""What a pipeline is that a workspace may start with. Pure: what is written is text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import resources

_PACKAGE = "<<package>>"


@dataclass(frozen=True, slots=True)
class Setting:
    """What the files of a pipeline are written for. Each was checked: it can stand in double quotes."""

    workspace: str
    """The workspace, from the top of the repository, with `/`; the top itself is `.`."""
    package: str
    """What pip installs to have this tool; empty for the repository that the pipeline is in."""
    branch: str
    """The branch that tokens are applied from."""
    host: str = ""
    """The host of the forge, in small letters; empty where no remote tells it."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline. A file in `starting/` makes one and names it `PIPELINE`."""

    name: str
    summary: str
    """One line of help."""
    files: Callable[[Setting], Mapping[str, str]]
    """Path from the top of the repository → text."""
    codeowners: str
    """Where its forge looks for CODEOWNERS."""
    to_set: tuple[str, ...]
    """What a person sets on the forge before the pipeline may reach the live store, a line each."""
    host: str
    """A word in the address of a remote on that forge, by which it is guessed."""
    joins: Mapping[str, str]
    """A file that may be there already → the file of ours that a person has it include then."""


def holding_package(pipeline: Pipeline, setting: Setting) -> tuple[str, ...]:
    """The files of a pipeline that say what pip installs."""
    files = pipeline.files(replace(setting, package=_PACKAGE))
    return tuple(path for path, found in files.items() if _PACKAGE in found)


def text(name: str, setting: Setting) -> str:
    """A file of `texts/` with its `<<holes>>` filled."""
    found = resources.files(__package__).joinpath("texts", name).read_text("utf-8")
    holes = {"workspace": setting.workspace, "package": setting.package, "branch": setting.branch}
    for hole, value in holes.items():
        found = found.replace(f"<<{hole}>>", value)
    return found
