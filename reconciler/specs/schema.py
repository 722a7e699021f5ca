"""JSON Schema of spec files, for editors that complete and check as one types."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from itertools import pairwise
from textwrap import dedent
from typing import Any, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from reconciler.kinds import all_kinds
from reconciler.specs.catalog import CatalogDocument
from reconciler.specs.model import token_spec
from reconciler.specs.policy import PolicyDocument
from reconciler.specs.settings import WorkspaceDocument

Schema: TypeAlias = dict[str, Any]


class Described(GenerateJsonSchema):
    """Takes the description of a field from the docstring below it.

    Pydantic can do so itself, when a model is made; that reads the source text at every start.
    """

    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        made = super().model_schema(schema)
        for field, text in _docstrings(schema["cls"]):
            made.get("properties", {}).get(field, {}).setdefault("description", text)
        return made


def documents() -> dict[str, type[BaseModel]]:
    """Every kind of document that `specs/` may hold, by the word behind `kind:`."""
    found: dict[str, type[BaseModel]] = {kind: token_spec(kind) for kind in all_kinds()}
    return {**found, "Catalog": CatalogDocument, "Policy": PolicyDocument, "Workspace": WorkspaceDocument}


def schema_of(kind: str) -> Schema:
    """The schema of one kind of document (JSON Schema 2020-12)."""
    return {"$schema": GenerateJsonSchema.schema_dialect, **_schema(kind, "#/$defs/")}


def whole_schema() -> Schema:
    """The schema of any document: which of them it is, `kind` decides."""
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "reconciler spec",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "properties": {"apiVersion": {"const": "reconciler/v1"}, "kind": {"enum": list(documents())}},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": f"#/$defs/{kind}"},
            }
            for kind in documents()
        ],
        "$defs": {kind: _schema(kind, f"#/$defs/{kind}/$defs/") for kind in documents()},
    }


def schema_text(kind: str | None = None) -> str:
    """A schema as it is printed and written: of one kind, or of any document."""
    schema = schema_of(kind) if kind else whole_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _schema(kind: str, definitions: str) -> Schema:
    schema = documents()[kind].model_json_schema(
        ref_template=definitions + "{model}", schema_generator=Described
    )
    schema["properties"]["kind"] = {"const": kind, "description": "What the document declares."}
    return {**schema, "title": kind}


def _docstrings(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Every field of a model that has a docstring below it."""
    for owner in reversed(model.__mro__):
        if issubclass(owner, BaseModel) and owner.__module__.startswith("reconciler."):
            source = dedent(inspect.getsource(_written(owner)))
            (definition,) = ast.parse(source).body
            yield from _below_fields(definition)


def _written(model: type[BaseModel]) -> type[BaseModel]:
    """The class as it stands in the source: of a generic model, the one without arguments."""
    return model.__pydantic_generic_metadata__["origin"] or model


def _below_fields(definition: ast.stmt) -> Iterator[tuple[str, str]]:
    for field, text in pairwise(ast.iter_child_nodes(definition)):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                yield name, inspect.cleandoc(words)
