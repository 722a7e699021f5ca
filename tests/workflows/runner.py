"""Runs a workflow file as a runner does, as far as ours go: jobs in their order, and every shell step.

What it stands in for: checking out (by git, from a bare repository), setting up Python, keeping artifacts.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.workflows.expressions import evaluated, filled

PYTHON = """\
#!/bin/sh
# Stands in for python -m venv: a folder whose programs are those of the test run.
if [ "$1 $2 $3" != "-I -m venv" ]; then exec '{real}' "$@"; fi
mkdir -p "$4/bin"
printf '#!/bin/sh\\nexec "{real}" -I -m reconciler.cli "$@"\\n' >"$4/bin/reconcile"
cat >"$4/bin/python" <<'END'
#!/bin/sh
if [ "$1 $2 $3" != "-I -m pip" ]; then exec '{real}' "$@"; fi
shift 3
printf "%s\\n" "$*" >>"$RUNNER_TEMP/pip.log"
END
chmod +x "$4"/bin/*
"""
COMMAND = re.compile(r"::([a-z-]+)(?: ([^:]*))?::(.*)")
KEPT = ("PATH", "LANG", "COVERAGE_PROCESS_START", "COVERAGE_FILE")


@dataclass
class Job:
    """How a job went."""

    result: str
    """`success`, `failure` or `skipped`."""
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""
    annotations: list[str] = field(default_factory=list)
    """What the runner would show beside lines and at the top: `error`, its title and its text."""
    folder: Path | None = None
    """Where it was checked out."""


@dataclass
class Run:
    """One run of a workflow: what started it, and what is there for it."""

    hub: Path
    """The bare repository."""
    place: Path
    """A new folder for all that the run needs."""
    event: Mapping[str, Any]
    """The `github` context, but for what is the same for all."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=lambda: {"RECONCILER": "on"})
    inputs: Mapping[str, str] = field(default_factory=dict)
    api: str = "http://127.0.0.1:9"
    token: str = "ghs_CANARYTOKEN"
    approve: Mapping[str, Any] = field(default_factory=dict)
    """Environment → what happens (a function) while a person looks at what stands to be approved."""
    environments: list[str] = field(default_factory=list)

    def workflow(self, file: str) -> dict[str, Job]:
        """Every job of a workflow file of the commit that the run is for."""
        self._repository()
        workflow = YAML(typ="safe").load((self.source / file).read_text())
        done: dict[str, Job] = {}
        for name, job in workflow["jobs"].items():
            done[name] = self._job(name, job, workflow, done)
        return done

    @property
    def source(self) -> Path:
        """The files of the commit that the run is for: `$/` in a `uses` is there."""
        return self.place / "source"

    def _repository(self) -> None:
        self.source.mkdir(parents=True, exist_ok=True)
        archive = subprocess.run(
            ["git", "-C", self.hub, "archive", self.event["sha"]], capture_output=True, check=True
        )
        subprocess.run(["tar", "-x", "-C", self.source], input=archive.stdout, check=True)
        (self.place / "event.json").write_text(json.dumps(self.event["event"]))
        (self.place / "artifacts").mkdir(exist_ok=True)
        python = self.place / "python"
        python.write_text(PYTHON.format(real=sys.executable))
        python.chmod(0o755)

    def _job(
        self, name: str, job: Mapping[str, Any], workflow: Mapping[str, Any], done: Mapping[str, Job]
    ) -> Job:
        needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        context = {
            "github": {**self.event, "token": self.token, "repository": "acme/tokens"},
            "vars": self.variables,
            "inputs": self.inputs,
            "needs": {need: {"outputs": done[need].outputs} for need in needs},
        }
        if any(done[need].result != "success" for need in needs) or not evaluated(
            job.get("if", "'yes'"), context
        ):
            return Job("skipped")
        if "environment" in job:
            self.environments.append(job["environment"])
            self.approve.get(job["environment"], lambda: None)()
        running = Running(
            self, self.place / name, {**context, "secrets": self.secrets}, workflow.get("env", {})
        )
        return running.whole(job)


@dataclass
class Running:
    """A job while it runs."""

    run: Run
    home: Path
    context: dict[str, Any]
    env: Mapping[str, str]
    job: Job = field(default_factory=lambda: Job("success"))
    caches: dict[str, str] = field(default_factory=dict)
    """Key → the folder that is kept under it when the job ends."""

    def whole(self, job: Mapping[str, Any]) -> Job:
        """Every step, until one fails."""
        for folder in (self.temp, self.folder, self.home / "user"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        (self.home / "summary").touch()
        self.context |= {"runner": {"temp": str(self.temp)}, "steps": {}}
        if not self._steps(job["steps"], self.context, self.env, None):
            self.job.result = "failure"
        for key, path in self.caches.items():
            if (self.folder / path).is_dir():
                shutil.copytree(self.folder / path, self._kept / key)
        self.job.outputs = {
            name: filled(value, self.context) for name, value in job.get("outputs", {}).items()
        }
        self.job.summary = (self.home / "summary").read_text()
        self.job.folder = self.folder
        self.job.annotations = commands(self.job.log)
        return self.job

    @property
    def temp(self) -> Path:
        """The folder of the job for what passes."""
        return self.home / "temp"

    @property
    def folder(self) -> Path:
        """Where it is checked out."""
        return self.home / "workspace"

    def _steps(
        self,
        steps: list[Mapping[str, Any]],
        context: dict[str, Any],
        env: Mapping[str, str],
        action: Path | None,
    ) -> bool:
        for step in steps:
            outputs = self._step(step, context, env, action)
            if "id" in step:
                context["steps"][step["id"]] = {"outputs": outputs or {}}
            if outputs is None or outputs.get("!failed"):
                return False
        return True

    def _step(
        self, step: Mapping[str, Any], context: dict[str, Any], env: Mapping[str, str], action: Path | None
    ) -> dict[str, str] | None:
        if "if" in step and not evaluated(step["if"], context):
            return {}
        if "run" in step:
            assert "${{" not in step["run"], "no expression stands in a script"
            own = {name: filled(value, context) for name, value in step.get("env", {}).items()}
            return self._shell(step["run"], {**env, **own}, action)
        given = {name: filled(value, context) for name, value in step.get("with", {}).items()}
        uses: str = step["uses"]
        if uses.startswith("$/"):
            return self._composite(self.run.source / uses[2:], given, env)
        return getattr(self, "_" + re.split("[/@]", uses)[1].replace("-", "_"))(given)  # type: ignore[no-any-return]

    def _composite(self, action: Path, given: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
        described = YAML(typ="safe").load((action / "action.yml").read_text())
        unknown = set(given) - set(described["inputs"])
        assert not unknown, unknown
        inputs = {name: given.get(name, about.get("default")) for name, about in described["inputs"].items()}
        missing = [
            name for name, about in described["inputs"].items() if about.get("required") and name not in given
        ]
        assert not missing, missing
        inner: dict[str, Any] = {
            "inputs": inputs,
            "steps": {},
            "runner": self.context["runner"],
            "github": {"run_id": self.run.place.name, "run_attempt": "1"},
            "env": dict(env),
        }
        well = self._steps(described["runs"]["steps"], inner, env, action)
        outputs = {name: filled(about["value"], inner) for name, about in described["outputs"].items()}
        return outputs if well else {**outputs, "!failed": "yes"}

    def _shell(self, script: str, env: Mapping[str, str], action: Path | None) -> dict[str, str]:
        output = self.home / "output"
        output.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env={**self._environment(action), "GITHUB_OUTPUT": str(output), **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        self.job.log += done.stdout
        said = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return said if done.returncode == 0 else {**said, "!failed": "yes"}

    def _environment(self, action: Path | None) -> dict[str, str]:
        event = self.run.event
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return {
            **kept,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(action or ""),
            "GITHUB_ACTOR": "octocat",
            "GITHUB_API_URL": self.run.api,
            "GITHUB_EVENT_NAME": event["event_name"],
            "GITHUB_EVENT_PATH": str(self.run.place / "event.json"),
            "GITHUB_REF": event["ref"],
            "GITHUB_REPOSITORY": "acme/tokens",
            "GITHUB_RUN_ID": "77",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_SHA": event["sha"],
            "GITHUB_STEP_SUMMARY": str(self.home / "summary"),
            "GITHUB_WORKSPACE": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": str(self.home / "user"),
            "RUNNER_TEMP": str(self.temp),
        }

    def _checkout(self, given: Mapping[str, str]) -> dict[str, str]:
        """As actions/checkout: without a ref, the commit of the event; with one, the tip of that branch."""
        assert given["persist-credentials"] == "false"
        ref, event = given.get("ref"), self.run.event
        wanted = f"+{ref}:refs/remotes/origin/{ref.removeprefix('refs/heads/')}" if ref else event["sha"]
        git(self.folder, "init", "--quiet")
        git(self.folder, "remote", "add", "origin", f"file://{self.run.hub}")
        depth = given.get("fetch-depth", "1")
        if depth == "0":
            git(self.folder, "fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*", wanted)
        else:
            git(self.folder, "fetch", "--quiet", "--no-tags", f"--depth={depth}", "origin", wanted)
        if ref:
            branch = ref.removeprefix("refs/heads/")
            git(self.folder, "checkout", "--quiet", "--force", "-B", branch, f"refs/remotes/origin/{branch}")
        else:
            git(self.folder, "checkout", "--quiet", "--force", "--detach", event["sha"])
        return {}

    def _setup_python(self, given: Mapping[str, str]) -> dict[str, str]:
        assert given["update-environment"] == "false"
        return {"python-path": str(self.run.place / "python")}

    @property
    def _kept(self) -> Path:
        """The caches of the repository."""
        return self.run.hub.parent / "caches"

    def _cache(self, given: Mapping[str, str]) -> dict[str, str]:
        """As actions/cache: the newest whose key begins so is brought; what is there at the end is kept."""
        found = sorted(self._kept.glob(f"{given['restore-keys']}*"), key=lambda one: one.stat().st_mtime)
        if found:
            shutil.copytree(found[-1], self.folder / given["path"], dirs_exist_ok=True)
        self.caches[given["key"]] = given["path"]
        return {}

    def _upload_artifact(self, given: Mapping[str, str]) -> dict[str, str]:
        assert given["if-no-files-found"] == "error"
        shutil.copy(given["path"], self.run.place / "artifacts" / given["name"])
        return {}

    def _download_artifact(self, given: Mapping[str, str]) -> dict[str, str]:
        Path(given["path"]).mkdir(parents=True)
        shutil.copy(self.run.place / "artifacts" / given["name"], Path(given["path"]) / "tokens.plan")
        return {}


def git(folder: Path, *arguments: str) -> str:
    """What git says; it must end well."""
    known = {"GIT_AUTHOR_NAME": "dev", "GIT_AUTHOR_EMAIL": "dev@example.com", "GIT_CONFIG_NOSYSTEM": "1"}
    known |= {"GIT_COMMITTER_NAME": "dev", "GIT_COMMITTER_EMAIL": "dev@example.com", "HOME": str(folder)}
    known |= {"PATH": os.environ["PATH"], "GIT_CONFIG_COUNT": "1"}
    known |= {"GIT_CONFIG_KEY_0": "uploadpack.allowAnySHA1InWant", "GIT_CONFIG_VALUE_0": "true"}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=known, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout.strip()


def commands(log: str) -> list[str]:
    """The annotations in a log. Between `::stop-commands::WORD` and `::WORD::` nothing is a command."""
    found, word = [], None
    for line in log.splitlines():
        if word is not None:
            word = None if line == f"::{word}::" else word
        elif match := COMMAND.match(line.strip()):
            if match[1] == "stop-commands":
                word = match[3]
            else:
                found.append(f"{match[1]} {match[2] or ''}: {match[3]}")
        else:
            assert "##[" not in line, line
    assert word is None, "the runner was never told to listen again"
    return found
