"""The specs that a new workspace starts with: its settings, a catalog, and a token of each kind. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from reconciler.kinds import all_kinds
from reconciler.kinds.interface import AnyKind
from reconciler.specs.export import WORKSPACE_FILE, exported
from reconciler.specs.model import API_VERSION

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

WORKSPACE = """\
# yaml-language-server: $schema=.schema.json
# The settings of this workspace. Without one, the live store is a file: name yours in spec.store, or in the
# environment as RECONCILER_STORE, which may hold a password and this file may not.
"""
CATALOG = """\
# yaml-language-server: $schema=.schema.json
# What specs may name. A name that is not here is a fault in the spec that uses it. A section that is not here
# is not checked.
"""
TOKEN = """\
# yaml-language-server: $schema=../.schema.json
# An example: {summary}.
# Change it, or give it up before anybody uses it: reconcile remove {name}
"""


PUBLISHED_HERE: Mapping[str, str] = {"publish": "folder"}
BY_PIPELINE: Mapping[str, str] = {"publish": "git", "planValidFor": "1d"}
"""What is planned in a pipeline may wait for a day until somebody approves it."""


def documents(name: str, owner: str, settings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Paths in `specs/` with their texts. The settings come last: where they are, all the rest is."""
    for kind in all_kinds().values():
        token = example_name(kind)
        yield f"tokens/{token}.yaml", _token(kind, token, owner)
    yield "catalog.yaml", CATALOG + _written("Catalog", {"name": "platform"}, _catalog())
    yield WORKSPACE_FILE, WORKSPACE + _written("Workspace", {"name": name}, settings)


def example_name(kind: AnyKind) -> str:
    """Of the example of a kind: `example-login-token`."""
    return f"example-{_WORDS.sub('-', kind.name).lower()}"


def _token(kind: AnyKind, name: str, owner: str) -> str:
    about = TOKEN.format(summary=kind.summary, name=name)
    return about + _written(kind.name, {"name": name, "owner": owner}, kind.example)


def _catalog() -> Mapping[str, list[str]]:
    """Every name that an example uses, by section."""
    sections: dict[str, set[str]] = {}
    for kind in all_kinds().values():
        spec = kind.spec.model_validate(kind.example)
        for field, section in kind.catalog.items():
            used = getattr(spec, field) or ()
            sections.setdefault(section, set()).update((used,) if isinstance(used, str) else used)
    return {section: sorted(names) for section, names in sections.items() if names}


def _written(kind: str, metadata: Mapping[str, str], spec: Mapping[str, object]) -> str:
    document = {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
    return exported(json.dumps(document, ensure_ascii=False))
