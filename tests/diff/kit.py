"""A workspace in a git repository, and the command line run in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.cli.kit import Ran, Shop
from tests.git.kit import Repo

WORKSPACE = """\
apiVersion: reconciler/v1
kind: Workspace
metadata: {name: acme}
spec:
  brakes: {delete: {count: 2, percent: 100}, perOwner: {delete: {count: 2, percent: 100}}}
  policies: [recommended]
"""
POLICY = """\
apiVersion: reconciler/v1
kind: Policy
metadata: {name: house}
spec:
  rules:
    - {id: no-admin, deny: '"device.admin" in spec.spec.apis', message: nobody administers by token}
"""
CATALOG = """\
apiVersion: reconciler/v1
kind: Catalog
metadata: {name: platform}
spec:
  apis:
    - device.read
    - device.list
    - device.admin
    - telemetry.read
    - {name: "@telemetry", members: [telemetry.read]}
"""


def rsa(name: str, apis: str = "device.read", more: str = "", owner: str = "team-a") -> str:
    """An RSA token with an end."""
    return f"""\
apiVersion: reconciler/v1
kind: RSAToken
metadata: {{name: {name}, owner: {owner}}}
spec: {{apis: [{apis}], projects: [plant-a]}}
lifecycle: {{expires: 2099-01-01{more}}}
"""


@dataclass
class Branch:
    """A workspace whose commits are made by the test."""

    shop: Shop
    repo: Repo

    def write(self, file: str, text: str) -> None:
        """A file of the work tree."""
        self.shop.write(file, text)

    def commit(self, **specs: str) -> str:
        """Writes spec files, commits all that is there, and returns the id of the commit."""
        for name, text in specs.items():
            self.shop.spec(text, f"{name}.yaml")
        return self.repo.commit()

    def remove(self, *names: str) -> None:
        """Removes spec files."""
        for name in names:
            (self.shop.root / "specs" / f"{name}.yaml").unlink()

    def run(self, *arguments: str) -> Ran:
        """The command line."""
        return self.shop.run(*arguments)

    def diff(self, *arguments: str) -> dict[str, Any]:
        """The comparison as JSON."""
        return self.shop.ok("diff", *arguments, "--format", "json").json

    def actions(self, *arguments: str) -> list[tuple[str, str]]:
        """(action, name) of every change of the comparison."""
        return [(one["action"], one["name"]) for one in self.diff(*arguments)["changes"]]

    def plan(self, *arguments: str) -> dict[str, Any]:
        """The plan as JSON, blocked or not."""
        ran = self.run("plan", *arguments, "--format", "json")
        assert ran.code in (0, 3), ran
        return ran.json
