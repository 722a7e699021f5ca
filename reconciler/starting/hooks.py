"""What git is told of a workspace: files that it ignores, and hooks that run before a commit. Pure."""

from __future__ import annotations

IGNORED = ".reconciler/"
"""The folder of what belongs to one machine: a live store that is a file, and what runs keep there."""

PRE_COMMIT_FILE = ".pre-commit-config.yaml"
_PRE_COMMIT = """\
# Run by git before a commit, once pre-commit install was called. `reconcile init` writes this file.
repos:
  - repo: local
    hooks:
"""
_HOOK = """\
      - id: reconcile-{id}
        name: {name}
        entry: reconcile {command}
        language: python
        additional_dependencies: ["{package}"]
        files: ^{prefix}({files})
        pass_filenames: false
"""
_HOOKS = (
    ("validate", "specs have no faults", "validate", r"specs/|\.sops\.yaml$"),
    ("fmt", "specs are formatted", "fmt --check", "specs/"),
)


def pre_commit(package: str, workspace: str) -> str:
    """A pre-commit configuration for a workspace, given from the top of the repository; the top is `.`."""
    top = workspace == "."
    hooks = (
        _HOOK.format(
            id=name,
            name=what,
            command=command if top else f"-C {workspace} {command}",
            package=package,
            prefix="" if top else f"{workspace}/".replace(".", r"\."),
            files=files,
        )
        for name, what, command, files in _HOOKS
    )
    return _PRE_COMMIT + "".join(hooks)


def ignoring(before: str) -> str:
    """A .gitignore with the line that a workspace needs, at its end; as it is where the line is there."""
    if IGNORED in (line.strip().removeprefix("/") for line in before.splitlines()):
        return before
    gap = "" if not before or before.endswith("\n") else "\n"
    return f"{before}{gap}{IGNORED}\n"
