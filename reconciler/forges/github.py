"""GitHub, and GitHub Enterprise Server: the comments on a pull request, by its REST API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from reconciler.canonical import Json
from reconciler.errors import SettingsError, UsageError
from reconciler.forges.calling import Api, number_of, part_of, text_of
from reconciler.forges.interface import COMMIT, LOG, Comment, Environ, Forge, Place, address, given, if_like
from reconciler.secret import Secret
from reconciler.web import Address

REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
NEXT = re.compile(r'<([^<>]*)>[^,]*;\s*rel="?next"?')
"""In a Link header (RFC 8288)."""
PER_PAGE, PAGES = 100, 1000
ACTIONS = "github-actions[bot]"
"""Who writes with the token that a workflow is given, if the API does not tell who that is."""
RUN_HERE = "run it in a workflow, which sets it"
DENIED = (
    "give the job `permissions: pull-requests: write`; for a pull request from a fork the token can only"
    " read, and the summary of the step has the whole comment"
)


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A `Thread`."""

    api: Api
    repository: str
    number: int
    commit: str
    log: str
    most: int = 65_536

    @property
    def what(self) -> str:
        """As messages call it."""
        return f"pull request {self.number} of {self.repository}"

    def me(self) -> str:
        """The login. A workflow's own token may not ask by REST; an older server does not tell it at all."""
        asked = self.api.ask("GET", "/user")
        if asked.status == HTTPStatus.UNAUTHORIZED:
            raise self.api.failed(asked.status)
        if asked.status == HTTPStatus.OK and (login := text_of(_loads(asked.body), "login")):
            return login
        query: Json = {"query": "query { viewer { login } }"}
        answered = _beside(self.api).ask("POST", "/graphql", query)
        return text_of(part_of(part_of(_loads(answered.body), "data"), "viewer"), "login") or ACTIONS

    def comments(self) -> Iterator[Comment]:
        """Page after page, as the Link header says; every page is of this API."""
        path = f"/repos/{self.repository}/issues/{self.number}/comments?per_page={PER_PAGE}"
        for _ in range(PAGES):
            found, headers = self.api.call("GET", path)
            if not isinstance(found, list):
                raise self.api.strange()
            yield from map(self._comment, found)
            following = self._next(headers.get("link", ""))
            if following is None:
                return
            path = following
        raise self.api.strange()

    def _next(self, link: str) -> str | None:
        found = NEXT.search(link)
        if found is None:
            return None
        base = f"{self.api.address.url}/"
        if not found[1].startswith(base):  # the token goes nowhere else
            raise self.api.strange()
        return found[1].removeprefix(base[:-1])

    def add(self, text: str) -> Comment:
        """Adds a comment."""
        path = f"/repos/{self.repository}/issues/{self.number}/comments"
        return self._comment(self.api.call("POST", path, {"body": text})[0])

    def edit(self, comment: Comment, text: str) -> Comment | None:
        """Edits a comment; None where it is gone."""
        path = f"/repos/{self.repository}/issues/comments/{comment.id}"
        found = self.api.edited("PATCH", path, {"body": text})
        return None if found is None else self._comment(found)

    def _comment(self, found: Json) -> Comment:
        number = number_of(found, "id")
        if number is None:
            raise self.api.strange()
        author = text_of(part_of(found, "user"), "login")
        return Comment(number, author, text_of(found, "body"), text_of(found, "html_url"))


def _loads(body: bytes) -> Json:
    try:
        found: Json = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found


def _beside(api: Api) -> Api:
    """Where GraphQL is: on a server of one's own beside `/v3`, not below it."""
    url = api.address.url.removesuffix("/v3")
    return Api(api.title, Address(url, api.address.loopback), api.headers, api.denied, api.send)


def _runs_here(environ: Environ) -> bool:
    return environ.get("GITHUB_ACTIONS") == "true" or bool(environ.get("GITHUB_REPOSITORY"))


def _thread(place: Place) -> PullRequest:
    environ = place.environ
    number, head = _asked(place)
    token = given(environ, "GITHUB_TOKEN", "give the step `env: GITHUB_TOKEN: ${{ github.token }}`")
    repository = given(environ, "GITHUB_REPOSITORY", RUN_HERE)
    if REPOSITORY.fullmatch(repository) is None:
        raise SettingsError("GITHUB_REPOSITORY is not of the form OWNER/NAME", hint=RUN_HERE)
    headers = {
        "Authorization": Secret(f"Bearer {token}"),
        "Accept": Secret("application/vnd.github+json"),
        "X-GitHub-Api-Version": Secret("2022-11-28"),
        "User-Agent": Secret("reconciler"),
    }
    api = Api(FORGE.title, address(environ, "GITHUB_API_URL"), headers, DENIED, place.send)
    server, run = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_RUN_ID")
    log = f"{server}/{repository}/actions/runs/{run}" if server and run else ""
    return PullRequest(api, repository, number, if_like(COMMIT, head), if_like(LOG, log))


def _asked(place: Place) -> tuple[int, str]:
    """The number of the pull request that the workflow runs for, and its newest commit."""
    file = given(place.environ, "GITHUB_EVENT_PATH", RUN_HERE)
    try:
        event: Json = json.loads(place.read(Path(file)))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError("the file of the workflow's event cannot be read", hint=RUN_HERE) from error
    issue = part_of(event, "issue")
    found = part_of(event, "pull_request") or (issue if part_of(issue, "pull_request") else None)
    number = number_of(found, "number")
    if number is None or number < 1:
        raise UsageError(
            "this workflow does not run for a pull request, so there is nothing to comment on",
            hint="run this step for `pull_request` events alone: if: github.event_name == 'pull_request'",
        )
    return number, text_of(part_of(found, "head"), "sha") or place.environ.get("GITHUB_SHA", "")


FORGE = Forge("github", "GitHub", _runs_here, _thread)
