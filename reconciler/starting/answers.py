"""What a new workspace is to be, and every file that this makes. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.kinds.fields import TOKEN_NAME
from reconciler.specs.schema import schema_text
from reconciler.specs.write import SCHEMA_FILE
from reconciler.starting import hooks
from reconciler.starting.examples import BY_PIPELINE, PUBLISHED_HERE, documents
from reconciler.starting.interface import Pipeline, Setting

SPECS = "specs"
_REMOTE = re.compile(
    r"(?:[a-z+]+://)?(?:[^@/\s]+@)?(?P<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?::[0-9]+)?[:/]/?"
    r"(?P<org>[A-Za-z0-9][A-Za-z0-9_./-]*)/[^/\s]+"
)


@dataclass(frozen=True, slots=True)
class Answers:
    """What somebody said, by flags or on a terminal."""

    name: str
    """Of the workspace."""
    owner: str
    """Of the examples."""
    pipeline: Pipeline | None
    setting: Setting
    rules: str | None
    """Text of `.sops.yaml`; None where there are rules already."""

    @property
    def prefix(self) -> str:
        """Of the workspace, from the top of the repository: empty, or ending in `/`."""
        return "" if self.setting.workspace == "." else f"{self.setting.workspace}/"

    @property
    def settings(self) -> Mapping[str, str]:
        """Of the workspace, where there are no specs yet."""
        return PUBLISHED_HERE if self.pipeline is None else BY_PIPELINE

    def specs(self) -> Mapping[str, str]:
        """Path in the folder of specs → text; the settings of the workspace come last."""
        return dict(documents(self.name, self.owner, self.settings))

    def around(self) -> Mapping[str, str]:
        """Path from the top of the repository → text, of all that is no spec."""
        files = {f"{self.prefix}{SPECS}/{SCHEMA_FILE}": schema_text()}
        if self.rules is not None:
            files[f"{self.prefix}.sops.yaml"] = self.rules
        if self.pipeline is not None:
            files.update(self.pipeline.files(self.setting))
        if self.setting.package:
            files[hooks.PRE_COMMIT_FILE] = hooks.pre_commit(self.setting.package, self.setting.workspace)
        return files


def name_of(folder: str) -> str:
    """A name for the workspace in a folder."""
    name = re.sub(r"[^a-z0-9-]+", "-", folder.lower()).strip("-")[:63]
    return name if re.match(TOKEN_NAME, name) else "workspace"


@dataclass(frozen=True, slots=True)
class Guess:
    """What the address of a remote tells."""

    host: str = ""
    org: str | None = None


def guess(address: str) -> Guess:
    """Of what a remote's address says: its host, and whose repository it is there."""
    found = _REMOTE.fullmatch(address.strip())
    return Guess(found["host"].lower(), found["org"]) if found else Guess()
