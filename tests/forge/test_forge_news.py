"""When `reconcile comment` adds a comment, and what it says where no plan could be made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.forges.commenting import NO_NEWS
from tests.comment.plans import DEPRECATED, EACH, comment, plan, shown
from tests.forge.kit import MARKER, TEXT, Pipeline
from tests.git.kit import Repo, made

QUIET = f"{MARKER}\n{NO_NEWS}\n### Plan\n\nNothing to do.\n"
WORKSPACE = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: acme}\n"
FAULT = "apiVersion: reconciler/v1\nkind: RSAToken\nmetadata: {name: x}\nspec: {apis: 7}\n"
HEAD = "3f2c1a9d5e1c90ab3f2c1a9d5e1c90ab3f2c1a9d"
WHY = "error: the specs have 1 fault, told to @octocat\nhint:  see them  [specs-invalid, exit 1]\n"


def test_no_news_adds_no_comment(job: Pipeline) -> None:
    assert job(QUIET) == 0, job.err
    assert (job.out, job.forge.bodies()) == ("", [])
    assert job(QUIET, "--format", "json") == 0
    assert json.loads(job.out) == {"schema": "reconciler/comment/v1", "url": None, "outcome": "none"}
    assert job.forge.wrote() == []


def test_no_news_brings_the_comment_up_to_date_that_is_there(job: Pipeline) -> None:
    """And when there is news again, it is told in the same place."""
    for text in (TEXT, QUIET, TEXT):
        assert job(text) == 0, job.err
        assert job.out.startswith("https://git")
        assert job.forge.bodies() == [text]


def test_the_line_means_nothing_anywhere_else(job: Pipeline) -> None:
    """A spec that could say it would keep its own plan from being seen."""
    for text in (TEXT + NO_NEWS + "\n", f"{MARKER}\n\n{NO_NEWS}\n"):
        job.forge.comments.clear()
        assert job(text) == 0
        assert job.forge.bodies() == [text]


def test_a_plan_that_changes_nothing_is_no_news_and_any_other_is() -> None:
    """Changes, blocks, warnings, and an approval that no longer holds."""
    assert comment(shown(plan())).splitlines()[1] == NO_NEWS
    for told in (shown(plan(EACH[:1])), shown(plan(warnings=[DEPRECATED])), shown(plan(), "sha256:x")):
        assert NO_NEWS not in comment(told)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repository whose only commit has a workspace; specs/x.yaml of the work tree has a fault."""
    repo = made(tmp_path / "repo")
    repo.write("specs/workspace.yaml", WORKSPACE)
    repo.commit()
    repo.write("specs/x.yaml", FAULT)
    monkeypatch.chdir(repo.root)
    monkeypatch.delenv("RECONCILER_WORKSPACE", raising=False)
    return repo


def told(job: Pipeline) -> str:
    """The only comment."""
    (body,) = job.forge.bodies()
    return body


def test_a_comment_never_stands_as_if_a_plan_that_failed_were_that_one(
    job: Pipeline, workspace: Repo, tmp_path: Path
) -> None:
    """It says of which commit there is none, why, and where the log is."""
    assert job() == 0
    job.environ |= {"GITHUB_SERVER_URL": "https://git.example", "GITHUB_RUN_ID": "9", "CI_COMMIT_SHA": HEAD}
    job.environ |= {"CI_JOB_URL": "https://git.example/acme/specs/-/jobs/9"}
    if job.forge.forge == "github":
        event = {"number": 7, "pull_request": {"number": 7, "head": {"sha": HEAD}}}
        (tmp_path / "event.json").write_text(json.dumps(event))
    for more in ((), ("--base", "HEAD")):
        assert job(WHY, "--failed", *more) == 0, job.err
        assert told(job).startswith(f"{MARKER}\n{NO_NEWS}\n### No token plan for `acme` at `3f2c1a9`\n")
        assert "(https://git.example/acme/specs/" in told(job)
        assert "\n    error: the specs have 1 fault, told to @octocat\n" in told(job)
        assert "1 to issue" not in told(job)


def test_a_plan_that_failed_adds_no_comment(job: Pipeline, workspace: Repo) -> None:
    """The run is red already."""
    assert job(WHY, "--failed") == 0, job.err
    assert job("", "--failed") == 0
    assert job.forge.bodies() == []


def test_the_name_is_that_of_the_base_whatever_the_branch_has(job: Pipeline, workspace: Repo) -> None:
    """A plan has it from there as well: else the comment would not be found."""
    assert job() == 0
    for there in (WORKSPACE.replace("acme", "beta"), "kind: Workspace\n", "{"):
        workspace.write("specs/workspace.yaml", there)
        assert job("x\n", "--failed", "--base", "HEAD") == 0, job.err
        assert "No token plan for `acme`" in told(job)


def test_a_name_that_nobody_can_tell_is_an_error(job: Pipeline, workspace: Repo) -> None:
    workspace.write("specs/workspace.yaml", "{")
    assert job("x\n", "--failed") == 1
    assert "specs/workspace.yaml:1" in job.err
    assert job("x\n", "--failed", "--base", "nowhere") == 1
    assert job.forge.calls == []


def test_a_base_without_a_failure_is_wrong_usage(job: Pipeline) -> None:
    assert job(TEXT, "--base", "HEAD") == 64
    assert job.forge.calls == []
