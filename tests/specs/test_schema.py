"""The JSON Schema takes what the models take, and refuses what they refuse."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from reconciler.kinds import all_kinds
from reconciler.specs.model import token_spec
from reconciler.specs.schema import documents, schema_of, schema_text, whole_schema
from reconciler.specs.text import read
from tests.specs.samples import FULL, Tree, least

# Has no types of its own, so it is imported by name.
jsonschema = importlib.import_module("jsonschema")


def accepted(schema: Tree, tree: object) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(tree))


def fields(schema: Tree) -> Iterator[tuple[str, Tree]]:
    """Every field that the schema of a kind describes, at any depth."""
    for model in (schema, *schema.get("$defs", {}).values()):
        yield from model.get("properties", {}).items()


@pytest.mark.parametrize("kind", [*documents(), None])
def test_each_schema_is_itself_valid(kind: str | None) -> None:
    schema = json.loads(schema_text(kind))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_schema_of_any_document_resolves_all_its_references() -> None:
    for kind, text in FULL.items():
        value = read(text)[0][0].value
        assert accepted(schema_of(kind), value)
        assert accepted(whole_schema(), value)
        assert not accepted(whole_schema(), {**dict.fromkeys(["apiVersion", "metadata"]), "kind": kind})


def test_every_field_has_a_description() -> None:
    for kind in documents():
        for field, described in fields(schema_of(kind)):
            assert described.get("description"), f"{kind}: {field}"


def test_choices_are_listed_so_that_editors_offer_them() -> None:
    rsa = schema_of("RSAToken")["$defs"]
    assert rsa["RSASpec"]["properties"]["algorithm"]["enum"][0] == "RS256"
    assert rsa["RSASpec"]["properties"]["keySize"]["enum"] == [2048, 3072, 4096]
    assert rsa["Deliver"]["properties"]["format"]["enum"] == ["dotenv", "json", "kubernetes", "pem", "yaml"]
    assert whole_schema()["properties"]["kind"]["enum"] == [*all_kinds(), "Catalog", "Policy", "Workspace"]
    assert rsa["RSASpec"]["properties"]["apis"]["description"] == 'APIs it may call, or `["*"]`.'


CHANGES: list[tuple[str, Tree, bool]] = [
    ("RSAToken", {"spec": {"apis": ["a"], "projects": ["b"]}}, True),
    ("RSAToken", {"spec": {"apis": [], "projects": ["b"]}}, False),
    ("RSAToken", {"spec": {"apis": "a", "projects": ["b"]}}, False),
    ("RSAToken", {"spec": {"apis": ["a", "a"], "projects": ["b"]}}, False),
    ("RSAToken", {"spec": {"apis": ["a b"], "projects": ["b"]}}, False),
    ("RSAToken", {"spec": {"apis": ["a"]}}, False),
    ("RSAToken", {"spec": {"apis": ["a"], "projects": ["b"], "users": ["c"]}}, False),
    ("RSAToken", {"spec": {"apis": ["a"], "projects": ["b"], "keySize": 1024}}, False),
    ("RSAToken", {"spec": {"apis": ["a"], "projects": ["b"], "algorithm": "HS256"}}, False),
    ("RSAToken", {"apiVersion": "reconciler/v2"}, False),
    ("RSAToken", {"metadata": {"name": "A"}}, False),
    (
        "RSAToken",
        {"metadata": {"name": "a" * 63, "title": "工厂", "owner": "o", "labels": {"a/b": ""}}},
        True,
    ),
    ("RSAToken", {"metadata": {"name": "a" * 64}}, False),
    ("RSAToken", {"metadata": {"name": "a", "title": "x\ny"}}, False),
    ("RSAToken", {"metadata": {"name": "a", "labels": {"a b": "c"}}}, False),
    ("RSAToken", {"metadata": {"name": "a", "labels": {"a": 1}}}, False),
    ("RSAToken", {"metadata": {}}, False),
    ("RSAToken", {"lifecycle": {"enabled": "yes"}}, False),
    ("RSAToken", {"lifecycle": {"expires": "2027-06-30", "rotate": {"every": "90d"}}}, True),
    ("RSAToken", {"lifecycle": {"expires": "180d", "protect": True}}, True),
    ("RSAToken", {"lifecycle": {"expires": "soon"}}, False),
    ("RSAToken", {"lifecycle": {"rotate": {}}}, False),
    ("RSAToken", {"lifecycle": {"rotate": {"every": "90"}}}, False),
    ("RSAToken", {"deliver": {"format": "kubernetes", "kubernetes": {"name": "x"}}}, True),
    ("RSAToken", {"deliver": {"format": "yml"}}, False),
    ("RSAToken", {"extra": 1}, False),
    ("LoginToken", least("LoginToken", api=["a", "b"], ipm=["10.0.0.0/8"], dvm="d"), True),
    ("RSAToken", {"spec": {"apis": ["@a", "b"], "projects": ["@p"]}}, True),
    ("RSAToken", {"spec": {"apis": ["@"], "projects": ["p"]}}, False),
    ("JWTToken", least("JWTToken", users=["@u"]), True),
    ("LoginToken", least("LoginToken", api="@a", shop=["@s"], role=["@r", "x"], rule="@u"), True),
    ("LoginToken", least("LoginToken", dvm="@a"), False),
    ("LoginToken", least("LoginToken", tag=["@a"]), False),
    ("LoginToken", least("LoginToken", bug="@a"), False),
    ("LoginToken", least("LoginToken", aud="@a"), False),
    ("LoginToken", least("LoginToken", sap="@a"), False),
    ("TokenAuth", least("TokenAuth", initroles="@a"), True),
    ("LoginToken", least("LoginToken", jti="123456789"), False),
    ("LoginToken", least("LoginToken", jti=12345678), False),
    ("LoginToken", least("LoginToken", api=[]), False),
    ("LoginToken", least("LoginToken", aud="*"), False),
    ("LoginToken", least("LoginToken", typ="M"), False),
    ("LoginToken", least("LoginToken", ipm=[]), False),
    ("JWTToken", least("JWTToken", lifetime="30d"), True),
    ("JWTToken", least("JWTToken", lifetime="0d"), False),
    ("TokenAuth", least("TokenAuth", enable="1", inituser=False, initroles="a", expire=1), True),
    ("TokenAuth", least("TokenAuth", enable="2"), False),
    ("TokenAuth", least("TokenAuth", expire=0), False),
    ("TokenAuth", least("TokenAuth", expire=True), False),
    ("TokenAuth", least("TokenAuth", name="a.b"), False),
    ("TokenAuth", least("TokenAuth", initpwd="hunter2"), False),
    ("TokenAuth", least("TokenAuth", initpwd="env://X"), True),
    ("TokenAuth", least("TokenAuth", fieldmap={"user": "x"}), False),
]


@pytest.mark.parametrize(("kind", "change", "right"), CHANGES)
def test_schema_and_model_agree(kind: str, change: Tree, *, right: bool) -> None:
    tree = {**least(kind), **change}
    assert accepted(schema_of(kind), tree) == right
    try:
        token_spec(kind).model_validate(tree)
    except ValidationError:
        assert not right
    else:
        assert right


def test_the_other_documents_are_in_the_schema_too() -> None:
    head = {"apiVersion": "reconciler/v1", "metadata": {"name": "x"}}
    catalog = {**head, "kind": "Catalog", "spec": {"apis": ["a", {"name": "b", "description": "c"}]}}
    workspace = {**head, "kind": "Workspace", "spec": {"brakes": {"delete": {"count": 1, "percent": 2}}}}
    assert accepted(whole_schema(), catalog)
    assert accepted(whole_schema(), workspace)
    assert not accepted(whole_schema(), {**catalog, "spec": {"apis": [1]}})
    group = {"name": "@g", "members": ["a", "@h"], "deprecated": "use @h"}
    assert accepted(whole_schema(), {**catalog, "spec": {"apis": ["a", "*", {"name": "*"}, group]}})
    for wrong in (
        "@g",
        {"name": "@g"},
        {**group, "name": "g"},
        {**group, "members": []},
        {**group, "members": ["*"]},
        {**group, "members": ["a", "a"]},
        {**group, "deprecated": ""},
    ):
        assert not accepted(whole_schema(), {**catalog, "spec": {"apis": [wrong]}})
    assert not accepted(whole_schema(), {**workspace, "spec": {"brakes": {"delete": {"count": -1}}}})
    assert not accepted(whole_schema(), {**workspace, "kind": "Nothing"})
