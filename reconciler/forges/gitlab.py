"""GitLab: the notes of a merge request, by its REST API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.canonical import Json
from reconciler.errors import SettingsError, UsageError
from reconciler.forges.calling import Api, number_of, part_of, text_of
from reconciler.forges.interface import COMMIT, LOG, Comment, Environ, Forge, Place, address, given, if_like
from reconciler.secret import Secret

NUMBER = re.compile(r"[1-9][0-9]{0,17}")
PER_PAGE, PAGES = 100, 1000
DENIED = (
    "RECONCILER_GITLAB_TOKEN is a project access token with the scope `api` and the role Reporter or more;"
    " protected variables are not there for branches that are not protected, nor for forks"
)


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """A `Thread`."""

    api: Api
    project: str
    iid: str
    page: str
    """Where people see it; empty where the pipeline does not say."""
    commit: str
    log: str
    most: int = 1_000_000

    @property
    def what(self) -> str:
        """As messages call it."""
        return f"merge request {self.iid} of project {self.project}"

    @property
    def _notes(self) -> str:
        return f"/projects/{self.project}/merge_requests/{self.iid}/notes"

    def me(self) -> str:
        """The number of the user, or of the bot that a project's token is."""
        found, _ = self.api.call("GET", "/user")
        number = number_of(found, "id")
        if number is None:
            raise self.api.strange()
        return str(number)

    def comments(self) -> Iterator[Comment]:
        """Page after page, as the header says. What GitLab itself notes there is none."""
        page = "1"
        for _ in range(PAGES):
            path = f"{self._notes}?per_page={PER_PAGE}&page={page}&order_by=created_at&sort=asc"
            found, headers = self.api.call("GET", path)
            if not isinstance(found, list):
                raise self.api.strange()
            yield from (self._comment(one) for one in found if part_of(one, "system") is not True)
            page = headers.get("x-next-page", "").strip()
            if not page:
                return
            if NUMBER.fullmatch(page) is None:
                raise self.api.strange()
        raise self.api.strange()

    def add(self, text: str) -> Comment:
        """Adds a note."""
        return self._comment(self.api.call("POST", self._notes, {"body": text})[0])

    def edit(self, comment: Comment, text: str) -> Comment | None:
        """Edits a note; None where it is gone."""
        found = self.api.edited("PUT", f"{self._notes}/{comment.id}", {"body": text})
        return None if found is None else self._comment(found)

    def _comment(self, found: Json) -> Comment:
        number = number_of(found, "id")
        if number is None:
            raise self.api.strange()
        author = number_of(part_of(found, "author"), "id")
        where = f"{self.page}#note_{number}" if self.page else f"{self.api.address.url}{self._notes}/{number}"
        return Comment(number, str(author), text_of(found, "body"), where)


def _runs_here(environ: Environ) -> bool:
    return environ.get("GITLAB_CI") == "true" or bool(environ.get("CI_API_V4_URL"))


def _thread(place: Place) -> MergeRequest:
    environ = place.environ
    iid = environ.get("CI_MERGE_REQUEST_IID", "")
    if NUMBER.fullmatch(iid) is None:
        raise UsageError(
            "this pipeline does not run for a merge request, so there is nothing to comment on",
            hint="run this job for merge requests alone: if: $CI_PIPELINE_SOURCE == 'merge_request_event'",
        )
    token = given(environ, "RECONCILER_GITLAB_TOKEN", DENIED)
    # A pipeline of a fork runs in the fork; the merge request is of the project that it goes to.
    project = environ.get("CI_MERGE_REQUEST_PROJECT_ID") or environ.get("CI_PROJECT_ID", "")
    if NUMBER.fullmatch(project) is None:
        raise SettingsError("CI_PROJECT_ID is no number", hint="run this in a pipeline, which sets it")
    headers = {"PRIVATE-TOKEN": Secret(token), "User-Agent": Secret("reconciler")}
    api = Api(FORGE.title, address(environ, "CI_API_V4_URL"), headers, DENIED, place.send)
    url = environ.get("CI_MERGE_REQUEST_PROJECT_URL") or environ.get("CI_PROJECT_URL", "")
    # Where a pipeline is of the merge, its own commit is one that nobody knows.
    head = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA", "")
    return MergeRequest(
        api,
        project,
        iid,
        f"{url}/-/merge_requests/{iid}" if url else "",
        if_like(COMMIT, head),
        if_like(LOG, environ.get("CI_JOB_URL", "")),
    )


FORGE = Forge("gitlab", "GitLab", _runs_here, _thread)
