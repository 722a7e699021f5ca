"""The Workspace document: the settings of a workspace, with defaults that work without one."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Protocol, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, Strict, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from reconciler.canonical import canonical, digest
from reconciler.kinds.fields import (
    AUDIENCE,
    BRANCH,
    RECIPIENT,
    REMOTE,
    SERVICE_URL,
    Duration,
    Model,
    TokenName,
)
from reconciler.specs.auditing import AuditSettings
from reconciler.specs.layout import DEFAULT as DEFAULT_PATH
from reconciler.specs.layout import Layout, template_fault

DEFAULT_STORE = "sqlite:///.reconciler/live.db"
DEFAULT_NAME = "default"


def _no_password(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise PydanticCustomError("url", "write an address such as postgresql://HOST/DATABASE") from error
    if parts.password or "password" in parts.query.casefold():
        raise PydanticCustomError(
            "literal_secret",
            "a password never stands in a spec: leave it out and set RECONCILER_STORE or PGPASSFILE",
        )
    return _in_reach(url)


def _in_reach(url: str) -> str:
    """Whoever may change specs names no file outside the workspace; the flag and the environment may."""
    make, _, rest = url.partition("://")
    if make in ("postgresql", "postgres", "postgresql+psycopg"):
        return url
    file = rest.removeprefix("/")
    parts = file.split("/")
    if (
        make != "sqlite"
        or not rest.startswith("/")
        or ".." in parts
        or "" in parts
        or re.search(r"[\\%?:\x00-\x1f]", file)
    ):
        raise PydanticCustomError(
            "url",
            "a store in a spec is sqlite:///PATH inside the workspace, or postgresql://HOST/DATABASE; "
            "name any other with --store or RECONCILER_STORE",
        )
    return url


def _inside(folder: str) -> str:
    parts = folder.split("/")
    if folder.startswith("/") or "\\" in folder or any(part in ("", ".", "..") for part in parts):
        raise PydanticCustomError("folder", "a folder inside the workspace, such as artifacts")
    if parts[0].casefold() == "specs" or any(part.startswith(".") for part in parts):
        raise PydanticCustomError(
            "folder", "a folder that is not in specs and is not hidden, such as artifacts"
        )
    return folder


StoreUrl: TypeAlias = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_no_password)]
ServiceUrl: TypeAlias = Annotated[str, Field(max_length=200), StringConstraints(pattern=SERVICE_URL)]
Recipient: TypeAlias = Annotated[str, StringConstraints(pattern=RECIPIENT)]
Folder: TypeAlias = Annotated[str, AfterValidator(_inside)]


Count: TypeAlias = Annotated[int, Field(ge=0)]
Percent: TypeAlias = Annotated[int, Field(ge=0, le=100)]


class DeleteBrake(Model):
    """How much one plan may delete. Both limits hold; one token is always let through a percentage."""

    count: Count = 10
    """Tokens that one plan may delete."""
    percent: Percent = 20
    """Of the live tokens, rounded down."""


class RotateBrake(Model):
    """How much one plan may rotate. Both limits hold; one token is always let through a percentage."""

    count: Count = 50
    """Tokens that one plan may rotate."""
    percent: Percent = 50
    """Of the live tokens, rounded down."""


class DisableBrake(Model):
    """How much one plan may take out of service. Both limits hold; one token always passes a percentage."""

    count: Count = 10
    """Working tokens that one plan may take out of service."""
    percent: Percent = 20
    """Of the live tokens, rounded down."""


class OwnerDeleteBrake(Model):
    """As `DeleteBrake`, for the tokens of one owner."""

    count: Count = 5
    """Tokens of one owner that one plan may delete."""
    percent: Percent = 50
    """Of the owner's live tokens, rounded down."""


class OwnerRotateBrake(Model):
    """As `RotateBrake`, for the tokens of one owner."""

    count: Count = 20
    """Tokens of one owner that one plan may rotate."""
    percent: Percent = 100
    """Of the owner's live tokens, rounded down."""


class OwnerDisableBrake(Model):
    """As `DisableBrake`, for the tokens of one owner."""

    count: Count = 5
    """Working tokens of one owner that one plan may take out of service."""
    percent: Percent = 50
    """Of the owner's live tokens, rounded down."""


class OwnerBrakes(Model):
    """Limits on what one plan may do to one owner. The tokens without an owner are as one owner's."""

    delete: OwnerDeleteBrake = OwnerDeleteBrake()
    """Deletions, which are final."""
    rotate: OwnerRotateBrake = OwnerRotateBrake()
    """Rotations, which make the owner fetch new secrets; those that are due are not counted."""
    disable: OwnerDisableBrake = OwnerDisableBrake()
    """What takes a working token out of service."""


class Brake(Protocol):
    """Two limits, and both of them hold."""

    @property
    def count(self) -> int:
        """Tokens."""

    @property
    def percent(self) -> int:
        """Of those that are live."""


class Brakes(Model):
    """Limits on what one plan may destroy or disturb."""

    delete: DeleteBrake = DeleteBrake()
    """Deletions, which are final."""
    rotate: RotateBrake = RotateBrake()
    """Rotations, which make owners fetch new secrets; those that are due are not counted."""
    disable: DisableBrake = DisableBrake()
    """What takes a working token out of service: switched off, or given an end that is past."""
    perOwner: OwnerBrakes = OwnerBrakes()
    """The same for the tokens of one owner, each."""


def _placing(template: str) -> str:
    if (fault := template_fault(template)) is not None:
        raise PydanticCustomError("template", fault)
    return template


class DeliverSettings(Model):
    """How artifacts are delivered."""

    path: Annotated[str, Field(max_length=200), AfterValidator(_placing)] = DEFAULT_PATH
    """Where an artifact stands in the artifacts folder, without its extension: `{owner}/{kind}/{name}` gives
    each team a folder, so that one creation rule covers it."""


def _as_git_takes_it(name: str) -> str:
    """What git refuses, or takes for something else than a branch of that name."""
    parts = name.split("/")
    if name == "HEAD" or parts[0] == "refs" or any(part.endswith(".lock") for part in parts):
        raise PydanticCustomError("branch", "the name of a branch as git branch lists it, such as main")
    return name


BranchName: TypeAlias = Annotated[
    str,
    Field(max_length=200),
    StringConstraints(pattern=BRANCH),
    AfterValidator(_as_git_takes_it),
]


def _beside(push: str | None, given: ValidationInfo) -> str | None:
    """git keeps a branch as a file, so none can lie in the folder of another's name."""
    shorter, longer = sorted((str(push), str(given.data.get("branch"))), key=len)
    if longer.startswith(f"{shorter}/"):
        raise PydanticCustomError(
            "branch", "a branch whose name does not begin or go on with the other's, such as bot/artifacts"
        )
    return push


class GitSettings(Model):
    """Where artifacts are pushed to."""

    remote: Annotated[str, StringConstraints(pattern=REMOTE)] = "origin"
    """Name of the remote, as the repository has it. Never an address: a pull request may change it."""
    branch: BranchName | None = None
    """The branch that specs are applied from. Without: the default branch of the remote."""
    push: Annotated[BranchName | None, AfterValidator(_beside)] = None
    """Where `branch` is protected: the branch that artifacts are pushed to instead, for a pull request."""


class VerifierSettings(Model):
    """The verifier of this workspace."""

    recipients: Annotated[tuple[Recipient, ...], Strict(strict=False), Field(max_length=64)] = ()
    """Age recipients of the verifier: shared secrets (HS algorithms) are kept sealed to them."""
    url: ServiceUrl | None = None
    """Where the verifier is, `https://HOST[/PATH]`: the issuer of the tokens that it signs."""
    audience: Annotated[str, StringConstraints(pattern=AUDIENCE)] | None = None
    """What `aud` must be in a JWT that an owner signs. Without: `url`; without that, `reconciler:` and the
    workspace's name."""


def default_audience(workspace: str) -> str:
    """Who the verifier of a workspace is, where its settings do not say."""
    return f"reconciler:{workspace}"


class Settings(Model):
    """What a workspace may set."""

    store: StoreUrl = DEFAULT_STORE
    """The live store: `sqlite:///PATH`, relative to the workspace, or `postgresql://HOST/DATABASE`."""
    artifacts: Folder = "artifacts"
    """Folder of the sealed files."""
    deliver: DeliverSettings = DeliverSettings()
    """How artifacts are delivered."""
    publish: Literal["folder", "git"] = "folder"
    """How artifacts are made durable: `folder` puts them into the artifacts folder; `git` commits them there,
    with the record, and pushes the commit before anything becomes live."""
    git: GitSettings = GitSettings()
    """Where `publish: git` pushes to."""
    brakes: Brakes = Brakes()
    """Limits on one plan."""
    planValidFor: Duration = "1h"
    """How long a saved plan may be applied."""
    verifier: VerifierSettings = VerifierSettings()
    """The verifier of this workspace."""
    policies: Annotated[tuple[Literal["recommended"], ...], Strict(strict=False)] = ()
    """Sets of policies that come with the tool: `recommended`."""
    audit: AuditSettings = AuditSettings()
    """What an audit is held against."""

    @property
    def layout(self) -> Layout:
        """Where artifacts stand."""
        return Layout(self.artifacts, self.deliver.path)

    @property
    def digest(self) -> str:
        """Over what an apply depends on: all but what limits plans, and where the store is."""
        apart = {"brakes", "planValidFor", "policies", "store"}
        return digest(canonical(self.model_dump(mode="json", exclude=apart)))

    def audience(self, workspace: str) -> str:
        """Who the verifier of a workspace is, as `aud` in what owners sign for it names it."""
        return self.verifier.audience or self.verifier.url or default_audience(workspace)


class WorkspaceName(Model):
    """Which workspace it is."""

    name: TokenName
    """Unique among the workspaces that share a live store."""


class WorkspaceDocument(Model):
    """The settings of this workspace. At most one in `specs/`."""

    apiVersion: Literal["reconciler/v1"]
    """Version of the format."""
    kind: Literal["Workspace"]
    metadata: WorkspaceName
    """Which workspace it is."""
    spec: Settings = Settings()
    """Its settings."""
