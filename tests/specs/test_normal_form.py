"""One text for one meaning: what means the same has the same digest, and nothing else has."""

from __future__ import annotations

import datetime as dt
import io
import random
import re
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reconciler.kinds.fields import OWNER
from reconciler.specs.layout import Layout
from reconciler.specs.model import from_normal_form, token_spec
from reconciler.specs.reader import Declared, read_file
from tests.specs.samples import FULL, LEAST, Tree, least


def declared(text: str) -> Declared:
    found = read_file("f", text.encode())
    assert found.faults == []
    return found.tokens[0]


def written(tree: Tree, *, flow: bool = False) -> str:
    yaml = YAML(typ="safe")
    yaml.default_flow_style = flow
    out = io.StringIO()
    yaml.dump(tree, out)
    return out.getvalue()


GOLDEN = {
    "RSAToken": "sha256:34ae29bf312db0c66961eaf8a8aa64fc1daf28a63b7564248b0245f2973c07c6",
    "JWTToken": "sha256:e3ca4855699bfd501e468ee4ac519e00f71c7716c40f583f5f97d02483b87e8e",
    "LoginToken": "sha256:56b3e8b9e3ff652e9af6a3367e29cc404080da37437e26bebc137022d5843629",
    "TokenAuth": "sha256:9b8d6576af0b1c919853caa343aee19efada0efaed3116ae1ce9e4acbbf69b5a",
}


@pytest.mark.parametrize("kind", GOLDEN)
def test_the_digest_of_a_spec_stays_what_it_is(kind: str) -> None:
    """Another order of fields in a model would make every live token look modified."""
    assert declared(FULL[kind]).digest == GOLDEN[kind]


@pytest.mark.parametrize("kind", GOLDEN)
def test_a_spec_can_be_made_again_from_its_normal_form(kind: str) -> None:
    token = declared(FULL[kind])
    assert token.spec() == from_normal_form(token.normal)
    assert token.spec().normal_form() == token.normal


DEFAULTS: dict[str, Tree] = {
    "RSAToken": {"algorithm": "RS256", "keySize": 3072},
    "JWTToken": {"algorithm": "EdDSA", "lifetime": "90d"},
    "LoginToken": {"typ": "L", "ipm": "*", "dvm": "*", "tag": ["*"], "bug": "*"},
    "TokenAuth": {
        "token_name": "token",
        "expire": 86400,
        "algorithm": "HS256",
        "enable": True,
        "inituser": "0",
        "fieldmap": {"username": "username", "name": "name", "email": "email"},
        "initroles": None,
        "initpwd": None,
    },
}
OUTER: Tree = {
    "lifecycle": {"enabled": True, "protect": False, "expires": None, "rotate": None},
    "deliver": {"format": "yaml", "kubernetes": {"labels": {}}},
}


@pytest.mark.parametrize("kind", DEFAULTS)
def test_defaults_that_are_written_out_change_nothing(kind: str) -> None:
    short, long = least(kind), {**least(kind, **DEFAULTS[kind]), **OUTER}
    long["metadata"] = {"name": "x", "labels": {}, "title": None, "owner": None}
    assert declared(written(long)).digest == declared(written(short)).digest


@pytest.mark.parametrize("kind", DEFAULTS)
def test_every_default_is_what_the_design_says(kind: str) -> None:
    spec = declared(written(least(kind))).spec()
    assert spec.enabled
    assert (spec.overlap, spec.every, spec.expires_at(0)) == (7 * 86400, None, None)
    assert spec.artifact_path(Layout("artifacts")) == f"artifacts/{kind}/x.yaml"
    assert spec.delivery_options() == {"name": "x"}
    for field, value in DEFAULTS[kind].items():
        held = getattr(spec.spec, field)
        held = held.model_dump() if isinstance(value, Mapping) else held
        assert held in (value, (value,), tuple(value) if isinstance(value, list) else None, value == "1")


SAME = [
    ({"apis": ["a", "b"]}, {"apis": ["b", "a"]}),
    ({"apis": ["a"], "projects": ["p"]}, {"projects": ["p"], "apis": ["a"]}),
    ({"keySize": 2048}, {"keySize": 2048.0}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_order_of_names_and_fields_has_no_meaning(one: Tree, other: Tree) -> None:
    assert (
        declared(written(least("RSAToken", **one))).digest
        == declared(written(least("RSAToken", **other))).digest
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [("1w", "7d"), ("24h", "1d"), ("1y", "365d"), ("90m", "5400s"), ("3600s", "1h"), ("52w", "364d")],
)
def test_a_length_of_time_has_one_form(one: str, other: str) -> None:
    for field in ("expires", "rotate"):
        digests = {
            declared(
                written(
                    {
                        **least("RSAToken"),
                        "lifecycle": {
                            field: time if field == "expires" else {"every": time, "overlap": "1s"}
                        },
                    }
                )
            ).digest
            for time in (one, other)
        }
        assert len(digests) == 1


def test_one_value_is_the_same_with_and_without_a_list() -> None:
    assert (
        declared(written(least("LoginToken", api="a", ipm="10.0.0.1", role=["*"]))).digest
        == declared(written(least("LoginToken", api=["a"], ipm=["10.0.0.1/32"], role="*"))).digest
    )


@pytest.mark.parametrize("value", [True, "1"])
def test_a_switch_takes_1_and_0_in_quotes(value: object) -> None:
    on = declared(written(least("TokenAuth", enable=value, inituser=value))).spec()
    off = declared(written(least("TokenAuth", enable="0", inituser=False))).spec()
    assert (on.spec.enable, on.spec.inituser, on.enabled) == (True, True, True)
    assert (off.spec.enable, off.spec.inituser, off.enabled) == (False, False, False)


def test_an_end_is_the_end_of_the_day_or_counted_from_the_issue() -> None:
    day = declared(written({**least("RSAToken"), "lifecycle": {"expires": "2027-06-30"}})).spec()
    span = declared(written({**least("RSAToken"), "lifecycle": {"expires": "180d"}})).spec()
    assert day.expires_at(5) == 1814400000
    assert span.expires_at(5) == 5 + 180 * 86400
    assert declared(FULL["JWTToken"]).spec().renewal == 30 * 86400
    assert declared(FULL["RSAToken"]).spec().renewal is None


def test_options_of_kubernetes_reach_the_delivery() -> None:
    spec = declared(FULL["RSAToken"]).spec()
    assert spec.artifact_path(Layout("out")) == "out/RSAToken/plant-a-historian.yaml"
    assert spec.delivery_options() == {
        "name": "historian", "namespace": "plant-a", "labels": {"app": "historian"}, "type": "Opaque",
    }  # fmt: skip


entry = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:/@-]{0,5}\Z")
entries = st.lists(entry, min_size=1, max_size=4, unique=True) | st.just(["*"])
one_or_many = entries | entry | st.just("*")
label = st.from_regex(r"\A[a-z]([a-z./-]{0,4}[a-z])?\Z")
line = st.text(st.characters(categories=["L", "N", "S", "Zs"]), min_size=1, max_size=9)
duration = st.builds("{}{}".format, st.integers(14, 300), st.sampled_from(["d", "w"]))
date = st.dates(max_value=dt.date(9998, 12, 31)).map(str)


def some(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[Tree]:
    return st.fixed_dictionaries({}, optional=fields)


SPECS: dict[str, st.SearchStrategy[Tree]] = {
    "RSAToken": st.fixed_dictionaries(
        {"apis": entries, "projects": entries},
        optional={
            "algorithm": st.sampled_from(["RS256", "RS512", "PS256"]),
            "keySize": st.sampled_from([2048, 3072, 4096]),
        },
    ),
    "JWTToken": st.fixed_dictionaries(
        {"apis": entries, "users": entries},
        optional={"algorithm": st.sampled_from(["EdDSA", "ES256", "PS256"]), "lifetime": duration},
    ),
    "LoginToken": st.fixed_dictionaries(
        {
            "aud": entry,
            "sap": entry | st.just("*"),
            "jti": st.from_regex(r"\A[A-Za-z0-9]{1,8}\Z"),
            **dict.fromkeys(("api", "shop", "role", "rule"), one_or_many),
        },
        optional={
            "typ": st.just("L"),
            "ipm": st.sampled_from(["*", "10.0.0.1", ["10.0.0.0/8", "2001:db8::/32"]]),
            **dict.fromkeys(("dvm", "tag", "bug"), one_or_many),
        },
    ),
    "TokenAuth": st.fixed_dictionaries(
        {"name": st.from_regex(r"\A[A-Za-z0-9_-]{1,8}\Z")},
        optional={
            "token_name": st.from_regex(r"\A[A-Za-z0-9_-]{1,8}\Z"),
            "expire": st.integers(1, 31_536_000),
            "fieldmap": some(username=entry, name=entry, email=entry),
            "algorithm": st.sampled_from(["HS256", "HS512", "ES384"]),
            "enable": st.sampled_from([True, False, "1", "0"]),
            "inituser": st.sampled_from([True, False, "1", "0"]),
            "initroles": one_or_many,
            "initpwd": st.sampled_from(["env://A", "vault://a/b#c"]),
        },
    ),
}
OUTSIDE = {
    "lifecycle": some(
        enabled=st.booleans(),
        expires=date | duration,
        rotate=duration.map(lambda every: {"every": every, "overlap": "1d"}),
        protect=st.booleans(),
    ),
    "deliver": some(format=st.sampled_from(["yaml", "json", "dotenv"])),
}
owner = line.filter(lambda text: re.fullmatch(OWNER, text) is not None)
METADATA = st.fixed_dictionaries(
    {"name": st.from_regex(r"\A[a-z][a-z0-9-]{0,9}\Z")},
    optional={"title": line, "owner": owner, "labels": st.dictionaries(label, line, max_size=3)},
)


def tree(kind: str) -> st.SearchStrategy[Tree]:
    head = {"apiVersion": st.just("reconciler/v1"), "kind": st.just(kind), "metadata": METADATA}
    return st.fixed_dictionaries({**head, "spec": SPECS[kind]}, optional=OUTSIDE)


trees = st.sampled_from(sorted(SPECS)).flatmap(tree)


def shuffled(value: object, order: random.Random) -> object:
    """The same meaning: fields in another order, names too, one name with or without a list."""
    match value:
        case dict():
            fields = list(value.items())
            order.shuffle(fields)
            return {key: shuffled(inner, order) for key, inner in fields}
        case list():
            return order.sample(value, len(value))
        case _:
            return value


@settings(max_examples=150, deadline=None)
@given(spec=trees, style=st.sampled_from(["block", "flow"]), order=st.randoms(use_true_random=False))
def test_the_same_meaning_has_the_same_digest(spec: Tree, style: str, order: random.Random) -> None:
    plain = declared(written(spec))
    again = shuffled(spec, order)
    assert isinstance(again, dict)
    moved = declared("# a comment\n" + written(again, flow=style == "flow"))
    assert (moved.normal, moved.digest) == (plain.normal, plain.digest)


@settings(max_examples=150, deadline=None)
@given(one=trees, other=trees)
def test_another_meaning_has_another_digest(one: Tree, other: Tree) -> None:
    """Compared as models: they are equal exactly when the digests are."""
    first, second = declared(written(one)), declared(written(other))
    same = first.kind == second.kind and (
        token_spec(first.kind).model_validate(one) == token_spec(second.kind).model_validate(other)
    )
    assert (first.digest == second.digest) == same


@settings(max_examples=150, deadline=None)
@given(data=st.data(), kind=st.sampled_from(sorted(SPECS)))
def test_one_changed_field_changes_the_digest_exactly_when_it_changes_the_model(
    data: st.DataObject, kind: str
) -> None:
    spec = data.draw(tree(kind))
    changed = {**spec, "spec": {**spec["spec"], **data.draw(SPECS[kind])}}
    model = token_spec(kind)
    same = model.model_validate(spec) == model.model_validate(changed)
    assert (declared(written(spec)).digest == declared(written(changed)).digest) == same


@pytest.mark.parametrize("kind", GOLDEN)
def test_the_quick_looks_at_a_normal_form_agree_with_the_spec(kind: str) -> None:
    for text in (FULL[kind], written(least(kind))):
        token = declared(text)
        assert token.artifact_path(Layout("out")) == token.spec().artifact_path(Layout("out"))
        assert token.sets("deliver") == ("deliver" in text)


def test_the_shortest_specs_of_all_kinds_are_declared() -> None:
    for kind in LEAST:
        assert declared(written(least(kind, "a-b"))).name == "a-b"
