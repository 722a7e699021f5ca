"""`reconcile comment` in a pipeline for a pull request, on a stand-in for a forge."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from reconciler.cli import comment as commanding
from reconciler.cli import context
from reconciler.cli.exits import run
from reconciler.cli.main import cli
from tests.forge.standins import TOKEN, StandIn

MARKER = "<!-- reconciler: acme -->"
TEXT = f"{MARKER}\n### Plan\n\n1 to issue, 工厂 `@x`.\n"


@dataclass
class Pipeline:
    """A job for a pull request, on a stand-in."""

    forge: StandIn
    environ: dict[str, str]
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch
    slept: list[float] = field(default_factory=list)
    out: str = ""
    err: str = ""

    def __call__(self, text: str | bytes = TEXT, *arguments: str) -> int:
        """Runs the command with this on its standard input; says how it ended."""
        data = text if isinstance(text, bytes) else text.encode()
        self.patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        around = replace(context.surroundings(), environ=self.environ, sleep=self.slept.append)
        self.patch.setattr(commanding, "surroundings", lambda: around)
        self.capture.readouterr()
        code = run(cli, ["comment", *arguments])
        self.out, self.err = self.capture.readouterr()
        assert TOKEN not in self.out + self.err
        assert "::error::" not in self.out + self.err
        return code


def environ(forge: StandIn, folder: Path) -> dict[str, str]:
    if forge.forge == "gitlab":
        return {
            "GITLAB_CI": "true", "CI_API_V4_URL": forge.url, "CI_PROJECT_ID": "17",
            "CI_MERGE_REQUEST_IID": "7", "RECONCILER_GITLAB_TOKEN": TOKEN, "CI_PROJECT_URL": "https://gitlab.example/acme/specs",
        }  # fmt: skip
    event = folder / "event.json"
    event.write_text(json.dumps({"number": 7, "pull_request": {"number": 7}}))
    return {
        "GITHUB_ACTIONS": "true", "GITHUB_API_URL": forge.url, "GITHUB_REPOSITORY": "acme/specs",
        "GITHUB_EVENT_PATH": str(event), "GITHUB_TOKEN": TOKEN,
    }  # fmt: skip
