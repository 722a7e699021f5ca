"""New spec documents, and files written so that a reader sees the old or the new, never half."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml.comments import CommentedMap

from reconciler.specs.assign import Assignment
from reconciler.specs.model import API_VERSION
from reconciler.specs.roundtrip import as_written, dumped, yaml_even

SCHEMA_FILE = ".schema.json"


def new_document(kind: str, name: str, assignments: Sequence[Assignment]) -> str:
    """The text of a new spec, its fields in the order in which they were given."""
    document = CommentedMap(apiVersion=API_VERSION, kind=kind, metadata=CommentedMap(name=as_written(name)))
    for assignment in sorted(assignments, key=lambda one: _rank(one.path[0])):
        *parents, field = assignment.path
        node = document
        for step in parents:
            node = node.setdefault(step, CommentedMap())
        value = assignment.applied(node.get(field))
        if value is not None:
            node[field] = as_written(value)
    return dumped(yaml_even(), document)


def _rank(part: str) -> int:
    return ("metadata", "spec", "lifecycle", "deliver").index(part)


def schema_line(file: Path, specs: Path) -> str:
    """The comment by which editors find the schema, from where the file stands."""
    up = os.path.relpath(specs / SCHEMA_FILE, file.parent)
    return f"# yaml-language-server: $schema={Path(up).as_posix()}\n"


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replaces a file at once, keeping its mode; synced before it takes its place. Raises OSError.

    Its folder must be there: a mistyped path makes no folders.
    """
    keep = path.stat().st_mode & 0o777 if path.exists() else mode
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(keep)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
