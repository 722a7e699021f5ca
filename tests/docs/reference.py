"""The spec reference in the README, out of the models. `python -m tests.docs.reference` writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from reconciler.kinds import all_kinds
from reconciler.kinds.checking import Reason
from reconciler.specs.catalog import SECTIONS, Entry
from reconciler.specs.model import Deliver, Lifecycle, Metadata
from reconciler.specs.policy import PolicyException, PolicyMatch, PolicyRule
from reconciler.specs.schema import Described
from reconciler.specs.settings import Settings

README = Path(__file__).resolve().parents[2] / "README.md"
SECTION = re.compile(r"(<!-- reference: begin -->\n).*?(<!-- reference: end -->)", re.DOTALL)

REASONS = re.compile(r"(<!-- reasons: begin -->\n).*?(<!-- reasons: end -->)", re.DOTALL)


def reference() -> str:
    """Tables of every field: common parts first, then each kind."""
    return "\n".join(_parts())


def reasons() -> str:
    """Every reason of a verdict: what HTTP answers, what is wrong, and what to do."""
    head = "| reason | HTTP | what is wrong | what to do |\n|---|---|---|---|\n"
    return head + "".join(
        f"| `{reason}` | {reason.status} | {reason.says} | {reason.remedy} |\n" for reason in Reason
    )


def _parts() -> Iterator[str]:
    for title, model in (("metadata", Metadata), ("lifecycle", Lifecycle), ("deliver", Deliver)):
        yield f"**`{title}`**, the same for every kind\n"
        yield from _table(model)
    for kind in all_kinds().values():
        yield f"**`spec` of `{kind.name}`**: {kind.summary}\n"
        yield from _table(kind.spec)
    yield "**`Catalog`**: which names exist; each section is a list of names, or of these\n"
    yield from _table(Entry)
    sections = ", ".join(f"`{section}`" for section in SECTIONS)
    yield f"Sections: {sections}. A section that no catalog has is not checked.\n"
    yield from _policy()
    yield "**`Workspace`**: its settings\n"
    yield from _table(Settings)


def _policy() -> Iterator[str]:
    parts: tuple[tuple[str, type[BaseModel]], ...] = (
        ("**`match` of `Policy`**: which tokens it is for; all that is named must hold", PolicyMatch),
        ("**`rules` of `Policy`**: each of them", PolicyRule),
        ("**`exceptions` of `Policy`**: each of them", PolicyException),
    )
    for title, model in parts:
        yield f"{title}\n"
        yield from _table(model)


def _table(model: type[BaseModel]) -> Iterator[str]:
    schema = model.model_json_schema(schema_generator=Described)
    yield "| field | takes | default | what it is |"
    yield "|---|---|---|---|"
    for path, field, required in _fields(schema, schema, ""):
        default = "required" if required else _shown(field.get("default"))
        yield f"| `{path}` | {_takes(field, schema)} | {default} | {_in_a_cell(field)} |"
    yield ""


def _in_a_cell(field: dict[str, Any]) -> str:
    """The description on one line, with no bar that would end the cell."""
    return " ".join(field.get("description", "").split()).replace("|", "\\|")


def _fields(
    schema: dict[str, Any], root: dict[str, Any], prefix: str
) -> Iterator[tuple[str, dict[str, Any], bool]]:
    for name, field in schema.get("properties", {}).items():
        inner = _object(field, root)
        if inner is None:
            yield f"{prefix}{name}", field, name in schema.get("required", ())
        else:
            yield from _fields(inner, root, f"{prefix}{name}.")


def _object(field: dict[str, Any], root: dict[str, Any]) -> dict[str, Any] | None:
    """The nested model of a field, if it is one."""
    for choice in (field, *field.get("anyOf", ()), *field.get("allOf", ())):
        if "$ref" in choice:
            found: dict[str, Any] = root["$defs"][choice["$ref"].rpartition("/")[2]]
            return found if "properties" in found else None
    return None


def _takes(field: dict[str, Any], root: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if "anyOf" in field:
        choices = [_takes(choice, root) for choice in field["anyOf"] if choice.get("type") != "null"]
        return " or ".join(dict.fromkeys(choices))
    words: dict[str, str] = {
        "array": "list",
        "object": "map",
        "string": "text",
        "integer": "number",
        "boolean": "true or false",
    }
    return words.get(str(field.get("type")), "text")


def _shown(default: object) -> str:
    if default is None or default in ([], {}):
        return ""
    return f"`{json.dumps(default, ensure_ascii=False)}`".replace('"', "")


def main() -> None:
    """Writes the reference into the README."""
    text = README.read_text()
    text = SECTION.sub(lambda match: f"{match[1]}{reference()}{match[2]}", text)
    README.write_text(REASONS.sub(lambda match: f"{match[1]}{reasons()}{match[2]}", text))


if __name__ == "__main__":
    main()
