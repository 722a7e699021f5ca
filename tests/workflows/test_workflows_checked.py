"""Checkers of others find nothing in the workflows of this repository, nor in those that init writes."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from reconciler.starting import all_pipelines
from reconciler.starting.interface import Setting
from tests.workflows.expressions import evaluated
from tests.workflows.situation import PACKAGE

ROOT = Path(__file__).resolve().parents[2]
OWN = Setting(workspace=".", package="", branch="main")
NEW = Setting(workspace="ops/tokens.d", package=PACKAGE, branch="trunk")
SERVER = replace(NEW, host="github.example.org")
PINNED = re.compile(r"[a-z-]+/[a-z-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+")


def program(name: str, *arguments: str | Path, cwd: Path = ROOT) -> str:
    """What a checker says; it must find nothing."""
    done = subprocess.run(
        [Path(sys.executable).parent / name, *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
    return done.stdout


def laid(folder: Path, ci: str, setting: Setting) -> Path:
    """The files of a pipeline in a repository of their own."""
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    for path, text in all_pipelines()[ci].files(setting).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture(params=["own", "new", "server"])
def github(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A repository with workflows: this one, or one that init was run in."""
    if request.param == "own":
        return ROOT
    return laid(tmp_path, "github", NEW if request.param == "new" else SERVER)


def workflows(top: Path) -> list[Path]:
    """Its workflow files."""
    return sorted((top / ".github/workflows").iterdir())


def test_the_workflows_of_this_repository_are_those_that_init_writes() -> None:
    """But for what pip installs: here, what is checked out. After a change of `starting/texts`: copy them."""
    for path, text in all_pipelines()["github"].files(OWN).items():
        assert (ROOT / path).read_text() == text, path
    other = all_pipelines()["github"].files(Setting(".", NEW.package, "main"))
    for path, text in all_pipelines()["github"].files(OWN).items():
        differing = [
            (ours, theirs) for ours, theirs in zip(text.splitlines(), other[path].splitlines(), strict=True)
            if ours != theirs
        ]  # fmt: skip
        action = path.endswith("action.yml")
        assert differing == ([('    default: ""', f'    default: "{NEW.package}"')] if action else []), path


def test_zizmor_finds_nothing(github: Path) -> None:
    program(
        "zizmor", "--offline", "--pedantic", "--strict-collection", "--no-progress", ".github", cwd=github
    )


def test_actionlint_finds_nothing(github: Path) -> None:
    program(
        "actionlint",
        "-shellcheck",
        str(Path(sys.executable).parent / "shellcheck"),
        *workflows(github),
        cwd=github,
    )


def test_shellcheck_finds_nothing(github: Path) -> None:
    program("shellcheck", ".github/actions/reconcile/run.sh", cwd=github)


def test_the_files_are_valid_against_githubs_schemas(github: Path) -> None:
    schema = ("--builtin-schema", "vendor.github-workflows")
    program("check-jsonschema", *schema, *workflows(github), cwd=github)
    action = github / ".github/actions/reconcile/action.yml"
    program("check-jsonschema", "--builtin-schema", "vendor.github-actions", action, cwd=github)


@pytest.mark.parametrize("setting", [OWN, NEW])
def test_the_files_are_valid_against_gitlabs_schema(setting: Setting, tmp_path: Path) -> None:
    top = laid(tmp_path, "gitlab", setting)
    files = (top / ".gitlab-ci.yml", top / ".gitlab/reconciler.yml")
    how = ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")
    program("check-jsonschema", *how, *files, cwd=top)


def test_the_scripts_of_gitlabs_jobs_have_no_fault(tmp_path: Path) -> None:
    jobs = YAML(typ="safe").load(all_pipelines()["gitlab"].files(NEW)[".gitlab/reconciler.yml"])
    scripts = {name: job["script"] for name, job in jobs.items() if "script" in job}
    assert len(scripts) >= 5
    for name, script in scripts.items():
        file = tmp_path / name
        file.write_text("#!/bin/bash\n" + "\n".join(script) + "\n")
        program("shellcheck", file)


@pytest.mark.parametrize(
    ("old", "new", "checker"),
    [
        ("      cancel-in-progress: false\n", "      cancel-in-progress: maybe\n", "actionlint"),
        ("${{ runner.temp }}", "${{ runner.tmp }}", "actionlint"),
        ("needs: plan\n", "needs: plam\n", "actionlint"),
        ("          persist-credentials: false\n", "", "zizmor"),
        ("permissions: {}", "permissions: write-all", "zizmor"),
        ("@08eba0b27e820071cde6df949e0beb9ba4906955 # v4.3.0", "@v4", "zizmor"),
        ("  push:\n", "  pull_request_target:\n", "zizmor"),
        ("timeout-minutes: 60", "timeout-minutes: {}", "check-jsonschema"),
    ],
)
def test_the_checkers_find_what_is_planted(old: str, new: str, checker: str, tmp_path: Path) -> None:
    top = laid(tmp_path, "github", NEW)
    file = top / ".github/workflows/tokens-apply.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    arguments: dict[str, tuple[str | Path, ...]] = {
        "actionlint": (file,),
        "zizmor": ("--offline", "--pedantic", "--no-progress", ".github"),
        "check-jsonschema": ("--builtin-schema", "vendor.github-workflows", file),
    }
    with pytest.raises(AssertionError, match=checker):
        program(checker, *arguments[checker], cwd=top)


def test_shellcheck_finds_what_is_planted(tmp_path: Path) -> None:
    top = laid(tmp_path, "github", NEW)
    script = top / ".github/actions/reconcile/run.sh"
    script.write_text(script.read_text().replace('"$saved"', "$saved"))
    with pytest.raises(AssertionError, match="SC2086"):
        program("shellcheck", script)


def test_every_action_of_others_is_pinned_by_commit_and_no_script_has_an_expression(github: Path) -> None:
    files = [*workflows(github), github / ".github/actions/reconcile/action.yml"]
    for file in files:
        text = file.read_text()
        used = re.findall(r"uses: (.+)", text)
        assert all(one.startswith(("$/", "./")) or PINNED.fullmatch(one) for one in used), (file, used)
        assert "pull_request_target" not in re.sub("#.*", "", text)
        scripts = re.findall(r"run: (?:\|\n((?: {8,}.*\n)+)|(.*)\n)", text)
        assert not any("${{" in one for script in scripts for one in script)


def test_only_the_jobs_that_need_it_may_write_and_only_one_of_them_has_the_secret_that_writes(
    github: Path,
) -> None:
    writing, secret = {}, {}
    for file in workflows(github):
        workflow = YAML(typ="safe").load(file.read_text())
        assert workflow["permissions"] in ({}, {"contents": "read"})
        for name, job in workflow["jobs"].items():
            place = f"{file.stem} {name}"
            granted = {right for right, how in job.get("permissions", {}).items() if how == "write"}
            writing.update({place: granted} if granted else {})
            secret.update({place: job.get("environment")} if "secrets.RECONCILER_STORE }" in str(job) else {})
            assert job["timeout-minutes"] <= 60
    assert writing == {"tokens-apply apply": {"contents"}, "tokens-review plan": {"pull-requests"}}
    assert secret == {"tokens-apply apply": "tokens"}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a.b == 'X' && a.c != ''", True),
        ("a.b == 'y' || (a.c && a.d)", "1"),
        ("a.nothing", None),
        ("a.nothing == ''", True),
    ],
)
def test_the_reader_of_expressions_reads_them(expression: str, value: object) -> None:
    assert evaluated(expression, {"a": {"b": "x", "c": True, "d": "1"}}) == value


@pytest.mark.parametrize("expression", ["b.c", "a.b ==", "fromJSON(a)", "a.b a.c", "1 < 2"])
def test_what_it_cannot_read_is_a_failure_and_no_nothing(expression: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        evaluated(expression, {"a": {}})
