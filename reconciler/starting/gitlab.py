"""GitLab CI: one file of jobs, and one that includes it."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.starting.interface import Pipeline, Setting, text

FILES = {".gitlab/reconciler.yml": "gitlab-jobs.yml", ".gitlab-ci.yml": "gitlab-ci.yml"}


def files(setting: Setting) -> Mapping[str, str]:
    """Every file by its path."""
    return {path: text(name, setting) for path, name in FILES.items()}


PIPELINE = Pipeline(
    name="gitlab",
    summary="GitLab CI",
    files=files,
    codeowners=".gitlab/CODEOWNERS",
    to_set=(
        "environment tokens: protected, with approvals if you want them",
        "its protected variable RECONCILER_STORE: the live store's address, for a user that writes",
        "its protected variable RECONCILER_PUSH_TOKEN: a project token that may write the repository",
        "variable RECONCILER_STORE_READ: the live store's address, for a user that can only read",
        "variable RECONCILER_GITLAB_TOKEN: a project token of a Reporter with api, for the comment",
        "variable RECONCILER: on",
        "a nightly pipeline schedule, for what falls due and for drift",
    ),
    host="gitlab",
    joins={".gitlab-ci.yml": ".gitlab/reconciler.yml"},
)
