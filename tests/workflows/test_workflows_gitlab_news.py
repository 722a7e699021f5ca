"""GitLab's jobs: a plan of the merge, a comment that holds, and nobody asked where nothing is to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.forge.standins import TOKEN, StandIn, standing_in
from tests.live.interrupted import RUN, interrupt
from tests.workflows.expressions import evaluated
from tests.workflows.runner import git
from tests.workflows.situation import Forge
from tests.workflows.test_workflows_gitlab import CARD, Pipeline, started

PLAN, TO_APPLY, APPLY = "reconcile plan", "reconcile plan to apply", "reconcile apply"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    """A project all whose tokens are live; to be copied."""
    place = tmp_path_factory.mktemp("gitlab")
    forge = Forge.made(place / "forge", "gitlab")
    pipeline = started(forge, place, git(forge.hub, "rev-parse", "main"))
    assert planned(pipeline) != ""
    apply(pipeline)
    forge.pull()
    return forge


@pytest.fixture
def project(live: Forge, tmp_path: Path) -> Forge:
    return live.copy(tmp_path / "forge")


@pytest.fixture
def notes() -> Iterator[StandIn]:
    """The API that merge request 7 is commented by."""
    with standing_in("gitlab") as found:
        yield found


def planned(pipeline: Pipeline, source: str = "schedule") -> str:
    """The digest that the planning job hands on; empty where there is nothing to apply."""
    done = pipeline.run(TO_APPLY, CI_PIPELINE_SOURCE=source, RECONCILER_STORE_READ=pipeline.forge.store)
    assert done.returncode == 0, done.stderr
    return str(handed_on(pipeline)["variables"]["RECONCILER_PLAN"])


def handed_on(pipeline: Pipeline) -> Mapping[str, Any]:
    """The pipeline that comes of it."""
    made: Mapping[str, Any] = YAML(typ="safe").load((pipeline.folder / "build/tokens-apply.yml").read_text())
    return made


def apply(pipeline: Pipeline) -> str:
    """What the applying job says."""
    done = pipeline.run(APPLY, RECONCILER_STORE=pipeline.forge.store, **handed_on(pipeline)["variables"])
    assert done.returncode == 0, done.stderr
    return done.stdout


class Request:
    """A merge request of a branch that parted from main where main is now."""

    def __init__(self, forge: Forge, place: Path, notes: StandIn) -> None:
        self.forge, self.place, self.notes = forge, place, notes
        self.base = git(forge.clone, "rev-parse", "HEAD")
        self.count = 0

    def push(self, **files: str) -> Pipeline:
        """The pipeline of one more commit of these files on the branch, and of nothing else."""
        git(self.forge.clone, "checkout", "--quiet", "--detach", self.base)
        for name, text in files.items():
            self.forge.write(f"specs/tokens/{name}.yaml", text)
        git(self.forge.clone, "add", "--all")
        git(self.forge.clone, "commit", "--quiet", "--allow-empty", "-m", "A change")
        head = git(self.forge.clone, "rev-parse", "HEAD")
        git(self.forge.clone, "push", "--quiet", "--force", "origin", "HEAD:refs/merge-requests/7/head")
        git(self.forge.clone, "checkout", "--quiet", "main")
        self.count += 1
        folder = self.place / f"pipeline-{self.count}"
        folder.mkdir()
        return started(self.forge, folder, head)

    def plan(self, pipeline: Pipeline, **variables: str) -> int:
        """How the planning job ends."""
        given = {
            "CI_API_V4_URL": self.notes.url, "CI_PROJECT_ID": "17", "CI_MERGE_REQUEST_IID": "7",
            "RECONCILER_GITLAB_TOKEN": TOKEN, "RECONCILER_STORE_READ": self.forge.store,
            "CI_JOB_URL": "https://gitlab.example/acme/tokens/-/jobs/9",
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_COMMIT_SHA": git(pipeline.folder / "build", "rev-parse", "HEAD"),
        }  # fmt: skip
        return pipeline.run(PLAN, **{**given, **variables}).returncode

    def note(self) -> str:
        """The only comment."""
        (body,) = self.notes.bodies()
        return body


@pytest.fixture
def request_7(project: Forge, tmp_path: Path, notes: StandIn) -> Request:
    return Request(project, tmp_path, notes)


def main_moves(forge: Forge, **files: str) -> None:
    """Others merge these specs, and they are applied."""
    for name, text in files.items():
        forge.write(f"specs/tokens/{name}.yaml", text)
    forge.reconcile("owners", "--write")
    forge.push("Of others")
    (forge.place / "later").mkdir()
    pipeline = started(forge, forge.place / "later", git(forge.hub, "rev-parse", "main"))
    planned(pipeline)
    apply(pipeline)
    forge.pull()


def test_a_branch_that_is_behind_is_planned_as_it_would_be_merged(request_7: Request) -> None:
    """On its tip alone, the plan would take away what others merged meanwhile."""
    pipeline = request_7.push(card=CARD)
    main_moves(request_7.forge, mate=CARD.replace("name: card", "name: mate"))
    assert request_7.plan(pipeline) == 0
    assert "**1 to issue.**" in request_7.note()
    assert "`card`" in request_7.note()
    assert "mate" not in request_7.note()
    assert "base-ahead" not in request_7.note()
    first = request_7.note()
    assert request_7.plan(pipeline) == 0
    assert request_7.note() == first


def test_a_branch_that_conflicts_has_no_plan_and_the_comment_says_so(request_7: Request) -> None:
    assert request_7.plan(request_7.push(card=CARD)) == 0
    assert "**1 to issue.**" in request_7.note()
    main_moves(request_7.forge, card=CARD.replace("device.read", "device.list"))
    pipeline = request_7.push(card=CARD)
    assert request_7.plan(pipeline) == 1
    assert "No token plan for `acme`" in request_7.note()
    assert "\n    error: this branch does not merge into main" in request_7.note()
    assert "specs/tokens/card.yaml" in request_7.note()
    assert "to issue" not in request_7.note()


def test_no_token_changes_no_comment_and_then_one_that_is_kept_up_to_date(request_7: Request) -> None:
    assert request_7.plan(request_7.push()) == 0
    assert request_7.notes.bodies() == []
    assert request_7.plan(request_7.push(card=CARD)) == 0
    assert "**1 to issue.**" in request_7.note()
    assert request_7.plan(request_7.push()) == 0
    assert "Nothing to do" in request_7.note()


def test_where_no_plan_can_be_made_the_comment_that_is_there_says_so(request_7: Request) -> None:
    """Faults, and a variable that is gone: the log is pointed at, and the old plan does not stand."""
    faulty = request_7.push(card=CARD.replace("device.read", "device.raed"))
    assert request_7.plan(faulty) == 1
    assert request_7.notes.bodies() == []
    good = request_7.push(card=CARD)
    for pipeline, variables, why in (
        (faulty, {}, "error: what is to be compared has 1 fault"),
        (good, {"RECONCILER_STORE_READ": ""}, "error: RECONCILER_STORE_READ"),
    ):
        assert request_7.plan(good) == 0
        assert "**1 to issue.**" in request_7.note()
        assert request_7.plan(pipeline, **variables) == 1
        assert "No token plan for `acme`" in request_7.note()
        assert f"\n    {why}" in request_7.note()
        assert "(https://gitlab.example/acme/tokens/-/jobs/9)" in request_7.note()
        assert "to issue" not in request_7.note()


def test_codeowners_that_differ_from_the_specs_fail_the_job_and_their_absence_does_not(
    request_7: Request,
) -> None:
    pipeline = request_7.push(card=CARD.replace("team-platform", "team-other"))
    base = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": request_7.base}
    assert pipeline.run("reconcile validate", **base).returncode == 1
    (pipeline.folder / "build/.gitlab/CODEOWNERS").unlink()
    assert pipeline.run("reconcile validate", **base).returncode == 0


def jobs_of(jobs: Mapping[str, Any], **variables: str) -> set[str]:
    """The jobs that a pipeline has with these variables."""
    project = {"RECONCILER": "on", "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main", **variables}
    project |= {"CI_PROJECT_ID": "17", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "17"}

    def holds(rule: str) -> bool:
        asked = re.sub(r"\$(\w+)", r"v.\1", rule).replace('"', "'")
        return bool(evaluated(asked, {"v": project}))

    return {
        name for name, job in jobs.items()
        if any(holds(rule["if"]) for rule in job.get("rules", ()))
    }  # fmt: skip


def test_which_jobs_a_pipeline_has(live: Forge, tmp_path: Path) -> None:
    """The one that applies is in a pipeline of its own, and in that where something is to be applied."""
    jobs = started(live, tmp_path, git(live.hub, "rev-parse", "main")).jobs
    on_main = {TO_APPLY, "reconcile what was planned"}
    assert jobs_of(jobs, CI_PIPELINE_SOURCE="push") == on_main
    assert jobs_of(jobs, CI_PIPELINE_SOURCE="web") == on_main
    assert jobs_of(jobs, CI_PIPELINE_SOURCE="schedule") == {*on_main, "reconcile drift"}
    assert jobs_of(jobs, CI_PIPELINE_SOURCE="merge_request_event", CI_COMMIT_BRANCH="") == {
        "reconcile validate",
        PLAN,
    }
    below = {"CI_PIPELINE_SOURCE": "parent_pipeline", "RECONCILER_PLANNED_BY": "9"}
    assert jobs_of(jobs, RECONCILER_PLAN="sha256:0", **below) == {APPLY}
    assert jobs_of(jobs, RECONCILER_PLAN="", **below) == {"reconcile nothing to apply"}
    trigger = jobs["reconcile what was planned"]
    assert trigger["trigger"]["include"] == [{"artifact": "tokens-apply.yml", "job": TO_APPLY}]
    assert "tokens-apply.yml" in jobs[TO_APPLY]["artifacts"]["paths"]
    assert "environment" not in jobs[TO_APPLY]


def test_where_there_is_nothing_to_apply_nobody_is_asked(project: Forge, tmp_path: Path) -> None:
    """And what an interrupted run left is something, though no plan shows it."""
    pipeline = started(project, tmp_path, git(project.hub, "rev-parse", "main"))
    assert planned(pipeline, "push") == planned(pipeline, "schedule") == ""
    interrupt(project.store, "acme")
    assert planned(pipeline).startswith("sha256:")
    assert f"Settled run {RUN}" in apply(pipeline)
    assert planned(pipeline) == ""
