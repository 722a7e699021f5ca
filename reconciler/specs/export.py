"""Spec documents out of normal forms: what was applied, written down as a person would. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_core import from_json
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from reconciler.specs.model import API_VERSION
from reconciler.specs.roundtrip import as_written, dumped, flow_list, yaml_even

WORKSPACE_FILE = "workspace.yaml"


def exported(normal: str) -> str:
    """The text of a spec, its fields in the order of its normal form. Read again, it has that normal form."""
    return dumped(yaml_even(), _tree(from_json(normal)))


def exported_workspace(name: str) -> str:
    """The text of a Workspace document that says its name and nothing else."""
    return dumped(
        yaml_even(), _tree({"apiVersion": API_VERSION, "kind": "Workspace", "metadata": {"name": name}})
    )


def place_of(kind: str, name: str) -> str:
    """Where the spec of a token is exported to, in the folder of the specs."""
    return f"tokens/{kind}/{name}.yaml"


def _tree(fields: Mapping[str, object]) -> CommentedMap:
    return CommentedMap({as_written(key): _value(value) for key, value in fields.items()})


def _value(value: object) -> CommentedMap | CommentedSeq | str:
    match value:
        case Mapping():
            return _tree(value)
        case list():
            return flow_list(value)
        case bool() | int() | str():
            written: str | CommentedSeq = as_written(value)
            return written
    raise TypeError
