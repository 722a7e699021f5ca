"""GitHub Actions: three workflows, and a composite action that they share."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.starting.interface import Pipeline, Setting, text

FILES = {
    ".github/workflows/tokens-review.yaml": "github-review.yaml",
    ".github/workflows/tokens-apply.yaml": "github-apply.yaml",
    ".github/workflows/tokens-drift.yaml": "github-drift.yaml",
    ".github/actions/reconcile/action.yml": "github-action.yml",
    ".github/actions/reconcile/run.sh": "github-run.sh",
}
_CLOUD = ("", "github.com", "ssh.github.com")
"""Where `$/` is the commit of the workflow. A server of one's own knows only `./`: what is checked out."""

_ACTION = "uses: {}/.github/actions/reconcile\n"
_HERE = f"{_ACTION.format('.').rstrip()} # zizmor: ignore[self-repository] this server does not know $/\n"


def files(setting: Setting) -> Mapping[str, str]:
    """Every file by its path."""
    texts = {path: text(name, setting) for path, name in FILES.items()}
    if setting.host in _CLOUD:
        return texts
    return {path: found.replace(_ACTION.format("$"), _HERE) for path, found in texts.items()}


PIPELINE = Pipeline(
    name="github",
    summary="GitHub Actions",
    files=files,
    codeowners=".github/CODEOWNERS",
    to_set=(
        "environment tokens: for the branch that tokens are applied from, with reviewers if you want them",
        "its secret RECONCILER_STORE: the live store's address, for a user that writes",
        "secret RECONCILER_STORE_READ: the live store's address, for a user that can only read",
        "variable RECONCILER: on",
    ),
    host="github",
    joins={},
)
