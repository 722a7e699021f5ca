"""Where artifacts stand in the artifacts folder: by kind, or as the workspace says, such as by owner."""

from __future__ import annotations

import re
from typing import NamedTuple

from reconciler.artifacts.formats import all_formats

DEFAULT = "{kind}/{name}"
RECORDS = "records"
"""The folder beside the artifacts that is not theirs."""
STAGING = ".staging"
"""The folder in which artifacts wait for their publish, out of sight."""

_SEGMENT = re.compile(
    r"(?:[A-Za-z0-9_@-]|\{(?:kind|name|owner)\})(?:[A-Za-z0-9._@-]|\{(?:kind|name|owner)\})*"
)
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")


def template_fault(template: str) -> str | None:
    """What is wrong with a template; None where nothing is.

    Its last part is the name and nothing else: names are unique, so no two artifacts share a place.
    """
    parts = template.split("/")
    if parts[-1] != "{name}":
        return "it ends with the part {name}, as in {owner}/{kind}/{name}"
    if not all(_SEGMENT.fullmatch(part) for part in parts):
        return (
            "its parts are made of letters, digits, . _ @ -, {kind}, {name} and {owner}, as in {owner}/{name}"
        )
    if parts[0].casefold() == RECORDS:
        return f"the folder {RECORDS} is that of the records: choose another"
    return None


class Layout(NamedTuple):
    """The artifacts folder, and the template of what stands in it."""

    folder: str
    template: str = DEFAULT

    @property
    def by_owner(self) -> bool:
        """Whether a place depends on who owns the token."""
        return "{owner}" in self.template

    def path(self, kind: str, name: str, owner: str | None, form: str) -> str:
        """Where an artifact stands, relative to the workspace: `<folder>/<template>.<extension>`."""
        extension = all_formats()[form].extension
        if self.template == DEFAULT:
            return f"{self.folder}/{kind}/{name}.{extension}"
        return f"{self.folder}/{self.template.format(kind=kind, name=name, owner=owner)}.{extension}"

    def fault(self, kind: str, name: str, owner: str | None) -> str | None:
        """Why a token has no place; None where it has one."""
        if self.template == DEFAULT:
            return None
        if self.by_owner and owner is None:
            return "metadata.owner is missing, and deliver.path of the workspace sorts artifacts by owner"
        if self.by_owner and not _names_folder(str(owner)):
            return f'the owner "{owner}" cannot name a folder, and deliver.path of the workspace needs it to'
        first, _, rest = self.template.format(kind=kind, name=name, owner=owner).partition("/")
        if rest and first.casefold() == RECORDS:
            return f"its artifact would stand in the folder {RECORDS}, which is that of the records"
        return None


def _names_folder(owner: str) -> bool:
    """Not like a file either: an artifact may have had that name, before the layout was another."""
    extensions = tuple(f".{one.extension}" for one in all_formats().values())
    return bool(_FOLDER.fullmatch(owner)) and not owner.casefold().endswith(extensions)
