"""Nobody is told or asked where nothing changes, and nothing stands in a comment that holds no longer."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import pytest

from tests.live.interrupted import RUN, interrupt
from tests.workflows.api import Comments, comments
from tests.workflows.runner import Job, git
from tests.workflows.situation import APPLY, REVIEW, Forge

CARD = """\
apiVersion: reconciler/v1
kind: RSAToken
metadata: {name: card, owner: team-platform}
spec: {apis: [device.read], projects: [plant-a], keySize: 2048}
"""


def reviewed(forge: Forge, found: Comments, secrets: Mapping[str, str] | None = None) -> dict[str, Job]:
    """The jobs of a pull request of what is changed in the clone."""
    run = forge.pull_request()
    run.api = found.url
    if secrets is not None:
        run.secrets = secrets
    return run.workflow(REVIEW)


def test_a_pull_request_that_changes_no_token_gets_no_comment_and_a_summary(running: Forge) -> None:
    running.write("README.md", "Tokens\n")
    with comments() as found:
        jobs = reviewed(running, found)
    assert {job.result for job in jobs.values()} == {"success"}, jobs["plan"].log
    assert found.bodies == {}
    assert "Nothing to do" in jobs["plan"].summary
    assert "Nothing changes in meaning" in jobs["validate"].summary


def test_a_comment_that_is_there_says_that_nothing_changes_any_more(running: Forge) -> None:
    with comments() as found:
        running.write("specs/tokens/card.yaml", CARD)
        reviewed(running, found)
        assert "**1 to issue.**" in found.bodies[1]
        reviewed(running, found)
    (body,) = found.bodies.values()
    assert "Nothing to do" in body
    assert "card" not in body


@pytest.mark.parametrize(
    ("spec", "secrets", "why"),
    [
        (CARD.replace("device.read", "device.raed"), None, "error: what is to be compared has 1 fault"),
        (CARD, {}, "error: There is no address of a live store"),
        (CARD, {"RECONCILER_STORE_READ": "postgresql://127.0.0.1:1/none"}, "error: "),
    ],
    ids=["faults", "no secret", "no store"],
)
def test_where_no_plan_can_be_made_the_comment_that_is_there_says_so(
    spec: str, secrets: Mapping[str, str] | None, why: str, running: Forge
) -> None:
    with comments() as found:
        running.write("specs/tokens/card.yaml", CARD)
        reviewed(running, found)
        assert "**1 to issue.**" in found.bodies[1]
        running.write("specs/tokens/card.yaml", spec)
        jobs = reviewed(running, found, secrets)
    assert jobs["plan"].result == "failure"
    (body,) = found.bodies.values()
    head = running.runs[-1].event["event"]["pull_request"]["head"]["sha"]
    assert f"### No token plan for `acme` at `{head[:7]}`\n" in body
    assert "[The log of the run](https://github.example/acme/tokens/actions/runs/77)" in body
    assert f"\n    {why}" in body
    assert "to issue" not in body
    assert f"    {why}" in jobs["plan"].summary
    assert "CANARY" not in body


@pytest.mark.parametrize("event", ["push", "schedule", "workflow_dispatch"])
def test_where_there_is_nothing_to_apply_nobody_is_asked(event: str, running: Forge) -> None:
    run = running.run(event)
    assert {name: job.result for name, job in run.workflow(APPLY).items()} == {
        "plan": "success",
        "apply": "skipped",
    }
    assert run.environments == []


def test_what_an_interrupted_run_left_is_settled_at_night_though_no_plan_shows_it(running: Forge) -> None:
    before = git(running.hub, "rev-parse", "main")
    interrupt(running.store, "acme")
    run = running.run("schedule")
    jobs = run.workflow(APPLY)
    assert {job.result for job in jobs.values()} == {"success"}, jobs["apply"].log
    assert run.environments == ["tokens"]
    assert f"Settled run {RUN}" in jobs["apply"].summary
    assert running.run("schedule").workflow(APPLY)["apply"].result == "skipped"
    assert "Nothing to do" in running.reconcile("plan")
    assert git(running.hub, "merge-base", "main", before) == before


def test_a_plan_file_that_is_not_the_one_in_the_summary_is_not_applied(running: Forge) -> None:
    """Though it is a good plan as well: what is approved is what the planning job told."""
    running.write("specs/tokens/mate.yaml", CARD.replace("name: card", "name: mate"))
    running.push("A mate")
    other = running.place / "other.plan"
    running.reconcile("plan", "--no-due", "--out", str(other))
    running.write("specs/tokens/card.yaml", CARD)
    running.push("A card")
    run = running.run("push")
    run.approve = {"tokens": lambda: shutil.copy(other, run.place / "artifacts" / "tokens-plan")}
    jobs = run.workflow(APPLY)
    assert jobs["apply"].result == "failure"
    assert "another plan than the one that is expected" in jobs["apply"].summary
    running.pull()
    assert "2 to issue" in running.reconcile("plan")


def test_codeowners_that_differ_from_the_specs_fail_the_job_and_their_absence_does_not(
    running: Forge,
) -> None:
    """A spec whose owner is not asked is one that anybody may approve."""
    owners = running.clone / ".github/CODEOWNERS"
    made = owners.read_text()
    with comments() as found:
        running.write("specs/tokens/card.yaml", CARD.replace("team-platform", "team-other"))
        job = reviewed(running, found)["validate"]
        assert job.result == "failure"
        assert [one for one in job.annotations if one.startswith("error title=CODEOWNERS")]
        for text in (None, "# by hand\n* @acme/all\n"):
            running.write("specs/tokens/card.yaml", CARD.replace("team-platform", "team-other"))
            owners.unlink() if text is None else owners.write_text(text)
            assert reviewed(running, found)["validate"].result == "success"
        running.write("specs/tokens/card.yaml", CARD.replace("team-platform", "team-other"))
        running.reconcile("owners", "--write")
        assert owners.read_text() != made
        assert reviewed(running, found)["validate"].result == "success"
