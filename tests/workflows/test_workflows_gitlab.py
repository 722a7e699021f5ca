"""The scripts of GitLab's jobs, run in copies of what starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.workflows.runner import git
from tests.workflows.situation import Forge

CARD = """\
apiVersion: reconciler/v1
kind: RSAToken
metadata: {name: card, owner: team-platform}
spec: {apis: [device.read], projects: [plant-a], keySize: 2048}
"""


@dataclass
class Pipeline:
    """The jobs of a commit, in a clone that they share as far as artifacts go."""

    forge: Forge
    folder: Path
    jobs: Mapping[str, Any]
    after: subprocess.CompletedProcess[str] | None = None
    """How the script that runs after a job ended, whatever became of the job."""

    def run(self, job: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The script of a job, as a runner runs it: in one shell, which stops where a line fails."""
        programs = self.folder / "bin"
        programs.mkdir(exist_ok=True)
        (programs / "reconcile").write_text(f'#!/bin/sh\nexec {sys.executable} -m reconciler.cli "$@"\n')
        (programs / "reconcile").chmod(0o755)
        kept = {name: os.environ[name] for name in ("COVERAGE_PROCESS_START",) if name in os.environ}
        environ = {
            **kept,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "CI": "true",
            "CI_COMMIT_BRANCH": "main",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_SERVER_URL": "https://gitlab.example",
            "GITLAB_CI": "true",
            "GIT_CONFIG_NOSYSTEM": "1",
            **self.jobs[".reconcile"]["variables"],
            **variables,
        }
        done = self._shell(self.jobs[job]["script"], environ)
        if "after_script" in self.jobs[job]:
            status = "success" if done.returncode == 0 else "failed"
            self.after = self._shell(self.jobs[job]["after_script"], {**environ, "CI_JOB_STATUS": status})
        return done

    def _shell(self, script: list[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", "\n".join(script)],
            cwd=self.folder / "build", env=environ, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip


def started(forge: Forge, place: Path, commit: str) -> Pipeline:
    """A pipeline of a commit, which is checked out without a branch, as GitLab does."""
    git(place, "clone", "--quiet", str(forge.hub), "build")
    git(place / "build", "fetch", "--quiet", "origin", commit)
    git(place / "build", "checkout", "--quiet", "--detach", commit)
    jobs = YAML(typ="safe").load((place / "build/.gitlab/reconciler.yml").read_text())
    return Pipeline(forge, place, jobs)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    """Made once, to be copied."""
    return Forge.made(tmp_path_factory.mktemp("gitlab"), "gitlab")


def test_a_push_applies_exactly_what_was_planned_and_pushes_what_it_made(made: Forge, tmp_path: Path) -> None:
    forge = made.copy(tmp_path / "forge")
    pipeline = started(forge, tmp_path, git(forge.hub, "rev-parse", "main"))
    planned = pipeline.run(
        "reconcile plan to apply", CI_PIPELINE_SOURCE="push", RECONCILER_STORE_READ=forge.store
    )
    assert planned.returncode == 0, planned.stderr
    child = YAML(typ="safe").load((tmp_path / "build/tokens-apply.yml").read_text())
    assert child["include"] == [{"local": ".gitlab/reconciler.yml"}]
    given = {"RECONCILER_STORE": forge.store, "RECONCILER_PUSH_TOKEN": "glpat-CANARY"}
    other = pipeline.run("reconcile apply", RECONCILER_PLAN="sha256:" + "0" * 64, **given)
    assert "another plan than the one that is expected" in other.stderr
    done = pipeline.run("reconcile apply", **child["variables"], **given)
    assert done.returncode == 0, done.stderr
    assert "4 changes applied" in done.stdout
    assert "CANARY" not in planned.stdout + planned.stderr + done.stdout + done.stderr
    assert "extraheader" not in (tmp_path / "build/.git/config").read_text()
    assert "[skip ci]" in git(forge.hub, "log", "-1", "--format=%s", "main")
    assert pipeline.run("reconcile drift", RECONCILER_STORE_READ=forge.store).returncode == 0
    forge.pull()
    assert "Nothing to do" in forge.reconcile("plan")
    forge.write("artifacts/RSAToken/spare.yaml", "stray: true\n")
    forge.push("Something that no apply made")
    (tmp_path / "later").mkdir()
    later = started(forge, tmp_path / "later", git(forge.hub, "rev-parse", "main"))
    assert later.run("reconcile drift", RECONCILER_STORE_READ=forge.store).returncode == 2


@pytest.mark.parametrize(
    "job", ["reconcile plan", "reconcile plan to apply", "reconcile apply", "reconcile drift"]
)
def test_a_variable_that_is_not_set_is_an_error_and_no_empty_store(
    job: str, made: Forge, tmp_path: Path
) -> None:
    pipeline = started(made, tmp_path, git(made.hub, "rev-parse", "main"))
    done = pipeline.run(job, CI_PIPELINE_SOURCE="push")
    assert done.returncode != 0
    assert "set this variable" in done.stderr


def test_a_merge_request_is_validated_and_told_what_it_changes_without_any_variable(
    made: Forge, tmp_path: Path
) -> None:
    forge = made.copy(tmp_path / "forge")
    base = git(forge.clone, "rev-parse", "HEAD")
    forge.write("specs/tokens/card.yaml", CARD)
    git(forge.clone, "add", "--all")
    git(forge.clone, "commit", "--quiet", "-m", "A card")
    git(forge.clone, "push", "--quiet", "origin", "HEAD:refs/merge-requests/7/head")
    pipeline = started(forge, tmp_path, git(forge.clone, "rev-parse", "HEAD"))
    done = pipeline.run("reconcile validate", CI_MERGE_REQUEST_DIFF_BASE_SHA=base)
    assert done.returncode == 0, done.stderr
    assert "card" in done.stdout
    (pipeline.folder / "build/specs/tokens/card.yaml").write_text(CARD.replace("device.read", "device.raed"))
    done = pipeline.run("reconcile validate", CI_MERGE_REQUEST_DIFF_BASE_SHA=base)
    assert done.returncode == 1
    assert "specs/tokens/card.yaml:4:" in done.stdout


def test_a_plan_that_a_brake_stops_is_let_through_by_hand_and_by_nothing_else(
    made: Forge, tmp_path: Path
) -> None:
    forge = made.copy(tmp_path / "forge")
    pipeline = started(forge, tmp_path, git(forge.hub, "rev-parse", "main"))
    given = {"CI_PIPELINE_SOURCE": "web", "RECONCILER_STORE_READ": forge.store}
    for allowed in ("--max-delete 12; touch ../pwned", "$(touch ../pwned)", "--out x", "--max-delete"):
        done = pipeline.run("reconcile plan to apply", RECONCILER_ALLOW=allowed, **given)
        assert done.returncode == 64, allowed
        assert "RECONCILER_ALLOW takes" in done.stdout
    assert not (tmp_path / "pwned").exists()
    done = pipeline.run("reconcile plan to apply", RECONCILER_ALLOW="--max-delete 12 --retry", **given)
    assert done.returncode == 0, done.stderr
    plan = json.loads((tmp_path / "build" / "tokens.plan").read_text())
    assert plan["overrides"]["max_delete"] == 12
    assert plan["overrides"]["retry"] is True


def test_only_the_job_of_the_environment_asks_for_what_writes(made: Forge) -> None:
    jobs = YAML(typ="safe").load((made.clone / ".gitlab/reconciler.yml").read_text())
    writing = [
        name for name, job in jobs.items()
        if any(word in str(job.get("script")) for word in ("RECONCILER_STORE:?", "RECONCILER_PUSH_TOKEN"))
    ]  # fmt: skip
    assert writing == ["reconcile apply"]
    assert jobs["reconcile apply"]["environment"] == {"name": "tokens"}
    assert (jobs["reconcile apply"]["resource_group"], jobs["reconcile apply"]["interruptible"]) == (
        "tokens",
        False,
    )
    assert "CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in jobs["reconcile plan"]["rules"][0]["if"]
