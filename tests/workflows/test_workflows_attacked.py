"""What lies in a checkout, or in a runner's environment, and what the jobs make of it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.workflows.api import comments
from tests.workflows.runner import git
from tests.workflows.situation import APPLY, DRIFT, REVIEW, Forge

CARD = """\
apiVersion: reconciler/v1
kind: RSAToken
metadata: {name: card, owner: team-platform}
spec: {apis: [device.read], projects: [plant-a], keySize: 2048}
"""
MODULES = ("json", "venv", "site", "sitecustomize", "usercustomize", "pip", "encodings", "ensurepip", "sys")
ROOT = Path(__file__).resolve().parents[2]


def planted(marker: Path) -> dict[str, str]:
    """Files for the root of a checkout. What imports one of them, or is led by it, leaves a mark."""
    code = f"open({str(marker)!r}, 'a').write(__name__ + chr(10))\n"
    files = {f"{name}.py": code for name in MODULES}
    lost = f"{marker}-lost"
    return {
        **files,
        "pip.conf": f"[global]\ntarget = {lost}\n",
        "setup.cfg": f"[install]\nprefix = {lost}\n[easy_install]\nprefix = {lost}\n",
    }


def wheel(folder: Path) -> Path:
    """A package with one command, which needs nothing from anywhere."""
    file = folder / "harmless-1.0-py3-none-any.whl"
    info = "harmless-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("harmless.py", "def main():\n    print('harmless')\n")
        made.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: harmless\nVersion: 1.0\n")
        made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{info}/entry_points.txt", "[console_scripts]\nreconcile = harmless:main\n")
        made.writestr(f"{info}/RECORD", "")
    return file


def test_installing_runs_no_file_of_the_checkout(tmp_path: Path) -> None:
    """With the real venv and the real pip."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name, text in planted(tmp_path / "marker").items():
        (checkout / name).write_text(text)
    action = YAML(typ="safe").load((ROOT / ".github/actions/reconcile/action.yml").read_text())
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHON": sys.executable,
        "PACKAGE": str(wheel(tmp_path)),
        "RUNNER_TEMP": str(tmp_path),
        "PIP_NO_INDEX": "1",
    }
    done = subprocess.run(
        ["bash", "-c", action["runs"]["steps"][1]["run"]],
        cwd=checkout, env=environ, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    said = subprocess.run(
        [tmp_path / "reconciler/bin/reconcile"], cwd=checkout, capture_output=True, text=True, check=True
    )
    assert said.stdout == "harmless\n"
    assert not (tmp_path / "marker").exists()
    assert not (tmp_path / "marker-lost").exists()


def test_no_file_of_the_checkout_runs_in_any_job(forge: Forge) -> None:
    marker = forge.place / "marker"
    for name, text in planted(marker).items():
        forge.write(name, text)
    forge.push("Modules at the root")
    jobs = forge.run("push").workflow(APPLY)
    assert {job.result for job in jobs.values()} == {"success"}, jobs["plan"].log
    forge.pull()
    assert forge.run("schedule").workflow(DRIFT)["drift"].result == "success"
    with comments() as found:
        run = forge.pull_request()
        run.api = found.url
        assert {job.result for job in run.workflow(REVIEW).values()} == {"success"}
    assert not marker.exists()


def test_gitlabs_jobs_start_python_isolated_and_nothing_else_of_it(tmp_path: Path) -> None:
    text = (ROOT / "reconciler/starting/texts/gitlab-jobs.yml").read_text()
    jobs = YAML(typ="safe").load(text)
    assert jobs[".reconcile"]["before_script"] == ['python -I -m pip install --quiet "$RECONCILER_PACKAGE"']
    scripts = "\n".join(line for job in jobs.values() for line in job.get("script", ()))
    assert "python" not in scripts
    assert "pip " not in scripts


def test_a_branch_of_its_own_for_artifacts_works_from_every_job(forge: Forge) -> None:
    """Where it and main went on from each other, a clone without history cannot tell where they parted."""
    settings = (forge.clone / "specs/workspace.yaml").read_text()
    assert "publish: git\n" in settings
    forge.write(
        "specs/workspace.yaml", settings.replace("publish: git\n", "publish: git\n  git: {push: tokens}\n")
    )
    forge.push("Artifacts go to a branch of their own")
    for name in ("card", "mate"):
        jobs = forge.run("push").workflow(APPLY)
        assert {job.result for job in jobs.values()} == {"success"}, jobs["plan"].log + jobs["apply"].log
        forge.write(f"specs/tokens/{name}.yaml", CARD.replace("name: card", f"name: {name}"))
        forge.push(f"A {name}")
    with comments() as found:
        run = forge.pull_request()
        run.api = found.url
        jobs = run.workflow(REVIEW)
    assert {job.result for job in jobs.values()} == {"success"}, jobs["plan"].log
    jobs = forge.run("schedule").workflow(APPLY)
    assert {job.result for job in jobs.values()} == {"success"}, jobs["plan"].log + jobs["apply"].log
    (drift,) = forge.run("schedule").workflow(DRIFT).values()
    assert drift.result == "success", drift.log
    assert git(forge.hub, "rev-parse", "main") != git(forge.hub, "rev-parse", "tokens")


@pytest.mark.parametrize("entries", [0, 2])
@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_what_a_runner_tells_git_stays(ci: str, entries: int, tmp_path: Path) -> None:
    texts = ROOT / "reconciler/starting/texts"
    if ci == "github":
        script = (texts / "github-run.sh").read_text()
        body = script.partition("\nfor_store() {")[2].partition("\n}")[0]
    else:
        job = YAML(typ="safe").load((texts / "gitlab-jobs.yml").read_text())["reconcile apply"]
        body = job["script"][0].partition('if [ -n "${RECONCILER_PUSH')[2]
        body = 'if [ -n "${RECONCILER_PUSH' + body.partition("\nfi\n")[0] + "\nfi\n"
    asked = f"set -euo pipefail\nf() {{\n{body}\n}}\nf\ngit config --get-regexp '.*' || true"
    environ = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1",
        "address": "sqlite:///x", "given": "t", "RECONCILER_PUSH_TOKEN": "t",
        "GITHUB_SERVER_URL": "https://github.example", "CI_SERVER_URL": "https://github.example",
    }  # fmt: skip
    for entry in range(entries):
        environ |= {f"GIT_CONFIG_KEY_{entry}": f"runner.key{entry}", f"GIT_CONFIG_VALUE_{entry}": "kept"}
    environ |= {"GIT_CONFIG_COUNT": str(entries)} if entries else {}
    done = subprocess.run(
        ["bash", "-c", asked], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    assert "http.https://github.example/.extraheader AUTHORIZATION: basic " in done.stdout
    for entry in range(entries):
        assert f"runner.key{entry} kept" in done.stdout
