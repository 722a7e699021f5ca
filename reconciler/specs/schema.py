"""JSON Schema of spec files, for editors that complete and check as one types."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from reconciler.kinds import all_kinds
from reconciler.specs.catalog import CatalogDocument
from reconciler.specs.model import token_spec
from reconciler.specs.settings import WorkspaceDocument

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def documents() -> dict[str, type[BaseModel]]:
    """Every kind of document that `specs/` may hold, by the word behind `kind:`."""
    found: dict[str, type[BaseModel]] = {kind: token_spec(kind) for kind in all_kinds()}
    return {**found, "Catalog": CatalogDocument, "Workspace": WorkspaceDocument}


def schema_of(kind: str) -> dict[str, Any]:
    """The schema of one kind of document (JSON Schema 2020-12)."""
    model = documents()[kind]
    schema = model.model_json_schema()
    schema["properties"]["kind"] = {"const": kind}
    return {"$schema": DIALECT, **_titled(schema, kind)}


def whole_schema() -> dict[str, Any]:
    """The schema of any document: which of them it is, `kind` decides."""
    branches = []
    for kind in documents():
        schema = schema_of(kind)
        schema.pop("$schema")
        branches.append(
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": _rooted(schema, kind),
            }
        )
    definitions = {kind: branch["then"] for kind, branch in zip(documents(), branches, strict=True)}
    return {
        "$schema": DIALECT,
        "title": "reconciler spec",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "properties": {"apiVersion": {"const": "reconciler/v1"}, "kind": {"enum": list(documents())}},
        "allOf": [
            {"if": branch["if"], "then": {"$ref": f"#/$defs/{kind}"}}
            for kind, branch in zip(documents(), branches, strict=True)
        ],
        "$defs": definitions,
    }


def schema_text(kind: str | None = None) -> str:
    """A schema as it is printed and written: of one kind, or of any document."""
    schema = schema_of(kind) if kind else whole_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _titled(schema: dict[str, Any], kind: str) -> dict[str, Any]:
    return {**schema, "title": kind}


def _rooted(schema: dict[str, Any], kind: str) -> dict[str, Any]:
    """The schema as a definition below another: its references start from the new root."""
    text = json.dumps(schema).replace('"#/$defs/', f'"#/$defs/{kind}/$defs/')
    rooted: dict[str, Any] = json.loads(text)
    return rooted
