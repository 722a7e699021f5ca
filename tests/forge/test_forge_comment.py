"""`reconcile comment`, against stand-ins for GitHub and GitLab that speak their documented protocols."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.forge.kit import MARKER, TEXT, Pipeline
from tests.forge.standins import PAGE, TOKEN, Answer


def test_the_first_comment_is_added_and_the_next_updates_it(job: Pipeline) -> None:
    """Its address is all that stands on stdout; and what stands there already is not written again."""
    assert job() == 0, job.err
    assert job.out.startswith("https://git")
    assert job.err == ""
    first = job.out
    again = TEXT.replace("1 to", "2 to")
    assert job(again) == 0
    assert (job.out, job.forge.bodies()) == (first, [again])
    assert job(again, "--format", "json") == 0
    found = {"schema": "reconciler/comment/v1", "url": first.strip(), "outcome": "unchanged"}
    assert json.loads(job.out) == found
    assert len(job.forge.wrote()) == 2


def test_other_ends_of_lines_are_the_same_comment(job: Pipeline) -> None:
    """Forges keep what they were sent with others."""
    job.forge.write(job.forge.login, TEXT.replace("\n", "\r\n").rstrip())
    assert job() == 0
    assert job.forge.wrote() == []


def test_the_comment_is_found_on_whichever_page_it_is(job: Pipeline) -> None:
    for number in range(4 * PAGE):
        job.forge.write("somebody", f"comment {number}")
    job.forge.write(job.forge.login, f"{MARKER}\nold")
    for number in range(PAGE):
        job.forge.write("somebody", f"comment {number}")
    assert job() == 0, job.err
    assert job.forge.bodies()[4 * PAGE] == TEXT
    assert len(job.forge.comments) == 5 * PAGE + 1


def test_a_marker_that_somebody_else_pasted_is_left_alone(job: Pipeline) -> None:
    """Whoever may comment could else have the plan written over theirs, or hold the place."""
    pasted = f"{MARKER}\nall is well, approve this"
    job.forge.write("mallory", pasted)
    job.forge.write("github-actions", pasted)
    assert job() == 0
    assert job.forge.bodies() == [pasted, pasted, TEXT]
    assert job(TEXT + "more\n") == 0
    assert job.forge.bodies() == [pasted, pasted, TEXT + "more\n"]


def test_one_comment_a_marker(job: Pipeline) -> None:
    """Two workspaces in one repository have one each; a marker further down is none."""
    other = TEXT.replace("acme", "beta")
    job.forge.write(job.forge.login, f"look:\n{MARKER}")
    assert job() == job(other) == job(TEXT + "x\n") == 0
    assert job.forge.bodies() == [f"look:\n{MARKER}", TEXT + "x\n", other]


@pytest.mark.parametrize(("user", "viewer"), [(True, True), (False, True), (False, False)])
def test_a_workflow_knows_its_own_comment_whatever_its_token_may_ask(
    github: Pipeline, *, user: bool, viewer: bool
) -> None:
    github.forge.tells_user, github.forge.tells_viewer = user, viewer
    assert github() == github(TEXT + "more\n") == 0
    assert github.forge.bodies() == [TEXT + "more\n"]


def test_a_comment_that_was_deleted_meanwhile_is_added_anew(job: Pipeline) -> None:
    job.forge.write(job.forge.login, f"{MARKER}\nold")
    for method in ("PATCH", "PUT"):
        job.forge.faults[method] = [Answer(404)]
    assert job(TEXT, "--format", "json") == 0, job.err
    assert json.loads(job.out)["outcome"] == "added"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "### Plan\n",
        " " + TEXT,
        "\n" + TEXT,
        "<!-- other -->\n",
        b"\xff\xfe",
        "<!-- reconciler: a --> <!-- b -->\n",
    ],
)
def test_what_has_no_marker_is_not_sent(job: Pipeline, text: str | bytes) -> None:
    assert job(text) == 64
    assert job.out == ""
    assert job.forge.calls == []


def test_what_is_too_long_for_the_forge_is_not_sent(job: Pipeline) -> None:
    most = {"github": 65_536, "gitlab": 1_000_000}[job.forge.forge]
    assert job(TEXT + "工" * (most - len(TEXT))) == 0, job.err
    assert job(TEXT + "工" * (most + 1 - len(TEXT))) == 64
    assert f"a comment may have {most:,}" in job.err
    assert len(job.forge.wrote()) == 1


def test_a_push_is_for_no_pull_request(job: Pipeline) -> None:
    """Wrong usage: the step does not belong there."""
    job.environ.pop("CI_MERGE_REQUEST_IID", None)
    if "GITHUB_EVENT_PATH" in job.environ:
        Path(job.environ["GITHUB_EVENT_PATH"]).write_text(json.dumps({"ref": "refs/heads/main"}))
    assert job() == 64
    assert "nothing to comment on" in job.err
    assert job.forge.calls == []


@pytest.mark.parametrize(
    "event",
    [
        "",
        "[",
        "[]",
        "7",
        '{"number": 7}',
        '{"pull_request": {"number": "7"}}',
        '{"pull_request": {"number": true}}',
        '{"pull_request": {"number": -1}}',
        '{"issue": {"number": 7}}',
    ],
)
def test_an_event_of_something_else_is_no_pull_request(github: Pipeline, event: str) -> None:
    Path(github.environ["GITHUB_EVENT_PATH"]).write_text(event)
    assert github() in (1, 64)
    assert github.forge.calls == []


def test_a_comment_on_a_pull_request_is_for_that_pull_request(github: Pipeline) -> None:
    """As a workflow has it that a comment starts."""
    event = {"issue": {"number": 7, "pull_request": {"url": "x"}}, "comment": {}}
    Path(github.environ["GITHUB_EVENT_PATH"]).write_text(json.dumps(event))
    assert github() == 0


def test_outside_of_a_pipeline_nobody_is_asked(job: Pipeline) -> None:
    job.environ.clear()
    assert job() == 64
    assert "GitHub or GitLab" in job.err


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "RECONCILER_GITLAB_TOKEN"])
def test_no_token_is_a_clear_error(job: Pipeline, name: str) -> None:
    if job.environ.pop(name, None) is not None:
        assert job() == 1
        assert f"{name} is not set" in job.err


@pytest.mark.parametrize(
    "url", ["http://forge.example/api", "ftp://x", "https://u:p@x", "https://x/?a", "", "https://a b"]
)
def test_no_token_goes_where_the_network_sees_it(job: Pipeline, url: str) -> None:
    for name in ("GITHUB_API_URL", "CI_API_V4_URL"):
        if name in job.environ:
            job.environ[name] = url
    assert job() == 1
    assert job.forge.calls == []


@pytest.mark.parametrize("project", ["17/../18", "", "x", "0"])
def test_a_project_is_a_number(job: Pipeline, project: str) -> None:
    if job.forge.forge == "gitlab":
        job.environ["CI_PROJECT_ID"] = project
        assert job() == 1
        assert job.forge.calls == []


def test_a_merge_request_of_a_fork_is_of_the_project_that_it_goes_to(job: Pipeline) -> None:
    if job.forge.forge == "gitlab":
        job.environ |= {"CI_PROJECT_ID": "99", "CI_MERGE_REQUEST_PROJECT_ID": "17"}
        assert job() == 0


def test_a_wrong_token_is_not_taken(job: Pipeline) -> None:
    for name in ("GITHUB_TOKEN", "RECONCILER_GITLAB_TOKEN"):
        if name in job.environ:
            job.environ[name] = "wrong"
    assert job() == 1
    assert "does not take the token (401" in job.err


def test_a_fork_may_only_read_and_is_told_where_it_stands(github: Pipeline) -> None:
    """The list is read, and writing is forbidden."""
    github.forge.faults["POST"] = [Answer(403)]
    assert github() == 1
    assert "the token may not comment here (403" in github.err
    assert "fork" in github.err
    assert "summary of the step" in github.err


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "knows no such pull request"), (422, "refuses the comment"), (302, "sends on to another address")],
)
def test_what_the_forge_refuses_is_said(job: Pipeline, status: int, said: str) -> None:
    """Once, as trying again is no use; and no redirect is followed."""
    job.forge.faults["POST"] = [Answer(status, {"Location": job.forge.url + "/elsewhere"})]
    assert job() == 1
    assert said in job.err
    assert "[forge-failed, exit 1]" in job.err
    assert job.slept == []
    assert not any("elsewhere" in call.path for call in job.forge.calls)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_forge_that_is_busy_is_asked_again(job: Pipeline, status: int) -> None:
    job.forge.faults["GET"] = [Answer(status), Answer(status)]
    assert job() == 0, job.err
    assert job.slept == [1, 2]


def test_the_pause_is_as_long_as_the_forge_asks_for(job: Pipeline) -> None:
    limited = [Answer(429, {"Retry-After": "7"}), Answer(403, {"Retry-After": "9"})]
    job.forge.faults["POST"] = limited
    assert job() == 0, job.err
    assert job.slept == [7, 9]
    assert job.forge.bodies() == [TEXT]


def test_an_end_to_it(job: Pipeline) -> None:
    """Five tries, and no pause of more than a minute."""
    job.forge.faults["GET"] = [Answer(503)] * 9
    assert job() == 1
    assert job.slept == [1, 2, 4, 8]
    assert "cannot take the comment" in job.err
    job.slept.clear()
    job.forge.faults["GET"] = [Answer(429, {"Retry-After": "3600"})]
    assert job() == 1
    assert job.slept == []
    assert "come again in 3600 seconds" in job.err


def test_a_comment_whose_answer_was_lost_is_not_made_twice(job: Pipeline) -> None:
    """It was added, and the forge broke off: it is found, and nothing is left to do."""
    job.forge.faults["POST"] = [Answer(502, happened=True)]
    assert job(TEXT, "--format", "json") == 0, job.err
    assert job.forge.bodies() == [TEXT]
    assert json.loads(job.out)["outcome"] == "unchanged"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"{}", b"null", b"7", b"[7]", b'[{"id": true}]', b"[" * 5000, b'"x"']
)
def test_an_answer_that_is_none_is_an_error(job: Pipeline, body: bytes) -> None:
    job.forge.faults["GET"] = [Answer(200, body=body)]
    assert job() == 1
    assert "answers with something else" in job.err


@pytest.mark.parametrize(
    "link",
    [
        '<https://evil.example/x>; rel="next"',
        '<http://127.0.0.1:1/api/v3/x>; rel="next"',
        '<//evil.example>; rel="next"',
    ],
)
def test_the_next_page_is_of_the_same_forge(github: Pipeline, link: str) -> None:
    """Else the token would go where an answer says."""
    github.forge.link = link
    assert github() == 1
    assert "answers with something else" in github.err


def test_pages_without_an_end_have_one(job: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.forges.github.PAGES", 3)
    monkeypatch.setattr("reconciler.forges.gitlab.PAGES", 3)
    for number in range(5 * PAGE):
        job.forge.write("somebody", f"comment {number}")
    assert job() == 1


def test_a_forge_that_is_not_there_is_an_error(job: Pipeline) -> None:
    for name in ("GITHUB_API_URL", "CI_API_V4_URL"):
        if name in job.environ:
            job.environ[name] = "http://127.0.0.1:1/api"
    assert job() == 1
    assert "cannot be reached" in job.err


def test_the_token_is_sent_in_its_header_alone(job: Pipeline) -> None:
    assert job() == 0
    for call in job.forge.calls:
        named = [name for name, value in call.headers.items() if TOKEN in value]
        assert named in (["authorization"], ["private-token"])
        assert TOKEN not in call.path + json.dumps(call.body) + json.dumps(call.query)
