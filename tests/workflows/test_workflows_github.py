"""The workflows' own steps, run in copies of what starts them: pull requests, pushes, schedules."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from reconciler.memo import Memo
from reconciler.secret import Secret
from reconciler.specs.reading import WORTH_KEEPING
from reconciler.specs.recalling import reader
from tests.workflows.api import LISTED, comments
from tests.workflows.runner import Job, Run, git
from tests.workflows.situation import APPLY, DRIFT, PACKAGE, REVIEW, Forge

CARD = """\
apiVersion: reconciler/v1
kind: RSAToken
metadata: {name: card, title: TITLE, owner: team-platform}
spec: {apis: [device.read], projects: [plant-a], keySize: 2048}
"""
LOOSE = """\
apiVersion: reconciler/v1
kind: Workspace
metadata: {name: acme}
spec:
  publish: git
  brakes:
    delete: {count: 100, percent: 100}
    perOwner: {delete: {count: 100, percent: 100}}
"""
VENV = """\
#!/bin/sh
mkdir -p "$4/bin"
printf '#!/bin/sh\\necho "$@"\\n' >"$4/bin/python"
chmod +x "$4/bin/python"
"""
HOSTILE = '"::error::x ::add-mask::a ##[error]b `c` <img> @all \\u001b[31m\\r::set-output name=x::y"'


def applied(forge: Forge) -> dict[str, Job]:
    """What main says is applied by a push, and the clone has what that published."""
    done = forge.run("push").workflow(APPLY)
    forge.pull()
    return done


def reviewed(forge: Forge, run: Run | None = None) -> tuple[dict[str, Job], list[str]]:
    """The jobs of a review, and the comments that are on the pull request then."""
    with comments() as found:
        run = run or forge.pull_request()
        run.api = found.url
        jobs = run.workflow(REVIEW)
        assert found.tokens <= {run.token}
    return jobs, list(found.bodies.values())


def results(jobs: Mapping[str, Job]) -> dict[str, str]:
    """How each job went."""
    return {name: job.result for name, job in jobs.items()}


def live(forge: Forge) -> dict[str, str]:
    """What is live: name → state."""
    listed = json.loads(forge.reconcile("list", "--format", "json"))["tokens"]
    return {token["name"]: token["state"] for token in listed}


@pytest.fixture(autouse=True)
def nothing_is_told(tmp_path: Path) -> Iterator[None]:
    """No summary holds the token of the job."""
    yield
    for file in tmp_path.rglob("summary"):
        assert "CANARY" not in file.read_text()


def test_a_pull_request_is_told_what_it_changes_and_one_comment_is_kept_up_to_date(running: Forge) -> None:
    running.write("specs/tokens/card.yaml", CARD)
    jobs: dict[str, Job] = {}
    with comments() as found:
        for title in ("One", "Two"):
            running.write("specs/tokens/card.yaml", CARD.replace("TITLE", title))
            run = running.pull_request()
            run.api = found.url
            jobs = run.workflow(REVIEW)
            assert results(jobs) == {"validate": "success", "plan": "success"}
        assert [path for method, path in found.asked if method == "POST"].count(LISTED) == 1
    (body,) = found.bodies.values()
    assert body.startswith("<!-- reconciler: acme -->\n")
    assert "**1 to issue.**" in body
    assert body.strip() in jobs["plan"].summary
    assert "card" in jobs["validate"].summary
    assert found.tokens == {"ghs_CANARYTOKEN"}
    assert "card" not in live(running)
    assert all("CANARY" not in job.log for job in jobs.values())


def test_a_fork_is_told_from_git_alone_and_gets_nothing_else(running: Forge) -> None:
    running.write("specs/tokens/card.yaml", CARD)
    jobs, found = reviewed(running, running.pull_request(fork=True))
    assert results(jobs) == {"validate": "success", "plan": "skipped"}
    assert "card" in jobs["validate"].summary
    assert found == []


def test_a_bot_that_gets_no_secrets_is_treated_as_a_fork(forge: Forge) -> None:
    jobs, _ = reviewed(forge, forge.pull_request(login="dependabot[bot]"))
    assert results(jobs) == {"validate": "success", "plan": "skipped"}


def test_before_it_is_switched_on_a_pull_request_is_validated_only(forge: Forge) -> None:
    run = forge.pull_request()
    run.variables, run.secrets = {}, {}
    assert results(reviewed(forge, run)[0]) == {"validate": "success", "plan": "skipped"}
    run = forge.run("push")
    run.variables, run.secrets = {}, {}
    assert results(run.workflow(APPLY)) == {"plan": "skipped", "apply": "skipped"}


def test_a_secret_that_is_not_set_is_an_error_and_no_empty_store(forge: Forge) -> None:
    """An empty store would have the plan issue everything anew."""
    run = forge.run("push")
    run.secrets = {}
    jobs = run.workflow(APPLY)
    assert results(jobs) == {"plan": "failure", "apply": "skipped"}
    assert "no address of a live store" in jobs["plan"].annotations[0]


def test_faults_are_shown_at_their_lines_and_nothing_is_planned(forge: Forge) -> None:
    forge.write("specs/tokens/card.yaml", CARD.replace("device.read", "device.raed"))
    jobs, found = reviewed(forge)
    assert results(jobs) == {"validate": "failure", "plan": "failure"}
    (shown,) = (one for one in jobs["validate"].annotations if one.startswith("error"))
    assert shown.startswith("error file=specs/tokens/card.yaml,line=4,")
    assert found == []


def test_a_pull_request_cannot_loosen_the_rules_that_judge_it(running: Forge) -> None:
    for file in (running.clone / "specs/tokens").iterdir():
        file.unlink()
    running.write("specs/tokens/card.yaml", CARD)
    running.write("specs/workspace.yaml", LOOSE)
    running.reconcile("owners", "--write")
    jobs, (body,) = reviewed(running)
    assert results(jobs) == {"validate": "success", "plan": "failure"}
    assert "brake-delete" in body
    assert any("The plan is blocked" in one for one in jobs["plan"].annotations)


def test_a_push_applies_exactly_what_was_planned_and_pushes_what_it_made(forge: Forge) -> None:
    run = forge.run("push")
    jobs = run.workflow(APPLY)
    assert results(jobs) == {"plan": "success", "apply": "success"}
    assert run.environments == ["tokens"]
    digest = jobs["plan"].summary.partition("Plan `")[2].partition("`")[0]
    message = git(forge.hub, "log", "-1", "--format=%B", "main")
    assert f"Reconciler-Plan: {digest}" in message
    assert "[skip ci]" in message.splitlines()[0]
    forge.pull()
    assert set(live(forge).values()) == {"active"}
    assert "Nothing to do" in forge.reconcile("plan")
    assert "No drift" in forge.reconcile("drift")
    folder = jobs["apply"].folder
    assert folder is not None
    for place in (folder / ".git" / "config", forge.hub / "config"):
        assert "extraheader" not in place.read_text().lower()
    assert all("CANARY" not in job.log for job in jobs.values())


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://github.example/acme/tokens", True),
        ("https://github.example.evil/acme/tokens", False),
        ("http://github.example/acme/tokens", False),
    ],
)
def test_the_token_reaches_git_for_its_own_server_only(url: str, *, sent: bool, forge: Forge) -> None:
    """What git would send is asked of git itself, in the environment that the script gives it."""
    script = (forge.clone / ".github/actions/reconcile/run.sh").read_text()
    body = script.partition("\nfor_store() {")[2].partition("\n}")[0]
    asked = (
        f"set -euo pipefail\nf() {{{body}\n}}\nf\ngit config --get-urlmatch http.extraheader {url} || true"
    )
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(forge.place),
        "address": "sqlite:///x",
        "given": "t",
        "GITHUB_SERVER_URL": "https://github.example",
    }
    done = subprocess.run(["bash", "-c", asked], env=environ, capture_output=True, text=True, check=True)
    assert ("AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46dA==" in done.stdout) is sent


def test_a_second_push_has_nothing_to_do_and_asks_nobody(running: Forge) -> None:
    before = git(running.hub, "rev-parse", "main")
    run = running.run("push")
    assert results(run.workflow(APPLY)) == {"plan": "success", "apply": "skipped"}
    assert run.environments == []
    assert git(running.hub, "rev-parse", "main") == before


def test_a_plan_that_went_stale_while_it_was_approved_is_refused(running: Forge) -> None:
    """While a person looks at it, somebody applies another change of a token that it touches."""
    rsa = "specs/tokens/example-rsa-token.yaml"
    text = (running.clone / rsa).read_text()
    running.write(rsa, text.replace("device.read, device.list", "device.read"))
    running.push("Narrow it")
    run = running.run("push")

    def meanwhile() -> None:
        running.write(rsa, text.replace("device.read, device.list", "device.list"))
        running.push("Narrow it otherwise")
        assert results(running.run("push").workflow(APPLY))["apply"] == "success"

    run.approve = {"tokens": meanwhile}
    jobs = run.workflow(APPLY)
    assert results(jobs) == {"plan": "success", "apply": "failure"}
    assert "[plan-stale, exit 4]" in jobs["apply"].log
    assert "    error: " in jobs["apply"].summary
    assert "plan-stale" in jobs["apply"].summary
    running.pull()
    assert "Nothing to do" in running.reconcile("plan")


def test_a_commit_that_touches_no_token_does_not_make_the_plan_stale(forge: Forge) -> None:
    run = forge.run("push")

    def meanwhile() -> None:
        forge.write("README.md", "Tokens\n")
        forge.push("Say what this is")

    run.approve = {"tokens": meanwhile}
    assert results(run.workflow(APPLY)) == {"plan": "success", "apply": "success"}


def test_an_old_run_that_is_run_again_brings_no_old_specs_back(forge: Forge) -> None:
    old = forge.run("push").event["sha"]
    applied(forge)
    forge.write("specs/tokens/card.yaml", CARD)
    forge.push("A card")
    applied(forge)
    again = forge.run("push", sha=str(old)).workflow(APPLY)
    assert results(again) == {"plan": "success", "apply": "skipped"}
    assert live(forge)["card"] == "active"


def test_what_is_blocked_is_let_through_by_hand_and_by_nothing_else(running: Forge) -> None:
    for file in sorted((running.clone / "specs/tokens").iterdir())[:2]:
        file.unlink()
    running.reconcile("owners", "--write")
    running.push("Two are given up")
    assert results(running.run("push").workflow(APPLY)) == {"plan": "failure", "apply": "skipped"}
    for allow, went in (
        ("--store x", "skipped"),
        ("--max-delete 2; id", "skipped"),
        ("--max-delete 2", "success"),
    ):
        run = running.run("workflow_dispatch")
        run.inputs = {"allow": allow}
        assert results(run.workflow(APPLY))["apply"] == went
    running.pull()
    assert sorted(live(running).values()) == ["active", "active"]


def test_what_falls_due_is_rotated_by_the_schedule(forge: Forge) -> None:
    forge.write("specs/tokens/card.yaml", CARD + "lifecycle: {rotate: {every: 2s, overlap: 1s}}\n")
    forge.push("A card that is renewed every other second")
    applied(forge)
    while "rotate  RSAToken  card" not in forge.reconcile("plan"):
        """Two seconds at the most, and the tool has to start in them."""
    jobs = forge.run("schedule").workflow(APPLY)
    assert results(jobs) == {"plan": "success", "apply": "success"}
    assert "rotate  RSAToken  card" in jobs["apply"].log


def test_a_push_leaves_what_only_time_asks_for_to_the_schedule(forge: Forge) -> None:
    """So the plan of a push is that of its pull request, whatever falls due meanwhile."""
    forge.write("specs/tokens/card.yaml", CARD + "lifecycle: {rotate: {every: 2s, overlap: 1s}}\n")
    forge.push("A card that is renewed every other second")
    applied(forge)
    while "rotate  RSAToken  card" not in forge.reconcile("plan"):
        """Two seconds at the most, and the tool has to start in them."""
    forge.write("specs/tokens/mate.yaml", CARD.replace("name: card", "name: mate"))
    forge.reconcile("owners", "--write")
    jobs, found = reviewed(forge)
    assert results(jobs) == {"validate": "success", "plan": "success"}
    assert "**1 to issue.**" in found[0]
    digest = found[0].partition("Plan `")[2].partition("`")[0]
    forge.write("specs/tokens/mate.yaml", CARD.replace("name: card", "name: mate"))
    forge.push("A mate")
    jobs = applied(forge)
    assert results(jobs) == {"plan": "success", "apply": "success"}
    assert f"Plan `{digest}`" in jobs["plan"].summary
    assert live(forge)["mate"] == "active"


def test_drift_fails_the_run_with_what_was_found(running: Forge) -> None:
    assert results(running.run("schedule").workflow(DRIFT)) == {"drift": "success"}
    running.write("artifacts/RSAToken/::error::spare `x`.yaml", "stray: true\n")
    running.push("Something that no apply made")
    (job,) = running.run("schedule").workflow(DRIFT).values()
    assert job.result == "failure"
    assert "drift.artifact-stray" in job.summary
    assert [one.partition(":")[0] for one in job.annotations] == ["add-mask ", "error title=Drift was found"]


def kept(job: Job, key: str) -> list[bytes]:
    """What the cache in the folder of a job holds under a key."""
    assert job.folder is not None
    return list(Memo(job.folder, ".reconciler/cache/specs", Secret(key), reader()).read())


def test_what_spec_files_mean_is_kept_from_run_to_run_under_a_key_of_ones_own(forge: Forge) -> None:
    """Without the secret nothing is kept; a cache that was written under another key is nothing."""
    for number in range(WORTH_KEEPING):
        forge.write(f"specs/tokens/many/{number}.yaml", CARD.replace("name: card", f"name: card-{number}"))
    forge.push("Many cards")
    (without,) = forge.run("schedule").workflow(DRIFT).values()
    assert not (forge.place / "caches").exists()
    assert without.result == "success"
    jobs: list[Job] = []
    for key in ("first", "first", "second"):
        run = forge.run("schedule")
        run.secrets = {**run.secrets, "RECONCILER_CACHE_KEY": key}
        before = len(list((forge.place / "caches").glob("*")))
        (job,) = run.workflow(DRIFT).values()
        assert job.result == "success"
        assert len(list((forge.place / "caches").glob("*"))) == before + 1
        assert len(b"".join(kept(job, key))) > WORTH_KEEPING
        assert key not in job.log
        jobs.append(job)
    assert kept(jobs[-1], "first") == []


def test_nothing_that_a_spec_says_is_a_command_to_the_runner(forge: Forge) -> None:
    forge.write(
        "specs/tokens/card.yaml", CARD.replace("TITLE", HOSTILE.replace("\\u001b", "").replace("\\r", ""))
    )
    forge.push("A card")
    jobs = applied(forge)
    assert results(jobs) == {"plan": "success", "apply": "success"}
    assert [one.split(" ")[0] for job in jobs.values() for one in job.annotations] == ["add-mask"] * 2
    forge.write("specs/tokens/card.yaml", CARD.replace("name: card", f"name: {HOSTILE}"))
    jobs, _ = reviewed(forge)
    assert results(jobs)["validate"] == "failure"
    shown = [one for one in jobs["validate"].annotations if "group" not in one]
    assert shown
    assert all(one.startswith("error file=specs/tokens/card.yaml,") for one in shown)


def test_the_tool_is_installed_beside_the_job_and_as_pinned(forge: Forge) -> None:
    jobs = forge.run("push").workflow(APPLY)
    folder = jobs["plan"].folder
    assert folder is not None
    said = (folder.parent / "temp" / "pip.log").read_text()
    assert said == f"install --quiet --disable-pip-version-check {PACKAGE}\n"


def test_an_action_that_is_told_no_package_installs_the_repository_it_is_in(tmp_path: Path) -> None:
    """As this repository's own workflows have it, and whoever names the action by its commit."""
    root = Path(__file__).resolve().parents[2]
    (tmp_path / "python").write_text(VENV)
    (tmp_path / "python").chmod(0o755)
    steps = YAML(typ="safe").load((root / ".github/actions/reconcile/action.yml").read_text())["runs"][
        "steps"
    ]
    environ = {
        "PATH": "/usr/bin:/bin",
        "PYTHON": str(tmp_path / "python"),
        "PACKAGE": "",
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_ACTION_PATH": str(root / ".github/actions/reconcile"),
    }
    done = subprocess.run(
        ["bash", "-c", steps[1]["run"]], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"-I -m pip install --quiet --disable-pip-version-check {root}[postgres,sops]\n"
