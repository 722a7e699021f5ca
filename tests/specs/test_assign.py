"""FIELD=VALUE is read by the type of the field that it names."""

from __future__ import annotations

import pytest

from reconciler.errors import UsageError
from reconciler.kinds import all_kinds
from reconciler.specs.assign import Assignment, parse
from reconciler.specs.model import token_spec

READ = {
    ("RSAToken", "apis=a,b"): (("spec", "apis"), "=", ["a", "b"]),
    ("RSAToken", "apis=[a, b,]"): (("spec", "apis"), "=", ["a", "b"]),
    ("RSAToken", "apis=*"): (("spec", "apis"), "=", ["*"]),
    ("RSAToken", "spec.apis+=a"): (("spec", "apis"), "+=", ["a"]),
    ("RSAToken", "apis-=a"): (("spec", "apis"), "-=", ["a"]),
    ("RSAToken", "keySize=4096"): (("spec", "keySize"), "=", 4096),
    ("RSAToken", "keySize=big"): (("spec", "keySize"), "=", "big"),
    ("RSAToken", "algorithm=PS256"): (("spec", "algorithm"), "=", "PS256"),
    ("RSAToken", "enabled=false"): (("lifecycle", "enabled"), "=", False),
    ("RSAToken", "protect=true"): (("lifecycle", "protect"), "=", True),
    ("RSAToken", "protect=yes"): (("lifecycle", "protect"), "=", "yes"),
    ("RSAToken", "expires=2027-06-30"): (("lifecycle", "expires"), "=", "2027-06-30"),
    ("RSAToken", "rotate.every=90d"): (("lifecycle", "rotate", "every"), "=", "90d"),
    ("RSAToken", "lifecycle.rotate.overlap=7d"): (("lifecycle", "rotate", "overlap"), "=", "7d"),
    ("RSAToken", "rotate="): (("lifecycle", "rotate"), "=", None),
    ("RSAToken", "owner=a=b"): (("metadata", "owner"), "=", "a=b"),
    ("RSAToken", "title="): (("metadata", "title"), "=", None),
    ("RSAToken", "labels.env=prod"): (("metadata", "labels", "env"), "=", "prod"),
    ("RSAToken", "labels.a.b/c=1"): (("metadata", "labels", "a.b/c"), "=", "1"),
    ("RSAToken", "labels="): (("metadata", "labels"), "=", None),
    ("RSAToken", "format=json"): (("deliver", "format"), "=", "json"),
    ("RSAToken", "kubernetes.labels.app=x"): (("deliver", "kubernetes", "labels", "app"), "=", "x"),
    ("RSAToken", "deliver.kubernetes.name=x"): (("deliver", "kubernetes", "name"), "=", "x"),
    ("JWTToken", "lifetime=30d"): (("spec", "lifetime"), "=", "30d"),
    ("LoginToken", "jti=12345678"): (("spec", "jti"), "=", "12345678"),
    ("LoginToken", "role=a,b"): (("spec", "role"), "=", ["a", "b"]),
    ("LoginToken", "ipm=10.0.0.0/8"): (("spec", "ipm"), "=", ["10.0.0.0/8"]),
    ("TokenAuth", "fieldmap.username=x"): (("spec", "fieldmap", "username"), "=", "x"),
    ("TokenAuth", "name=ERP"): (("spec", "name"), "=", "ERP"),
    ("TokenAuth", "expire=60"): (("spec", "expire"), "=", 60),
    ("TokenAuth", "enable=1"): (("spec", "enable"), "=", "1"),
    ("TokenAuth", "inituser=true"): (("spec", "inituser"), "=", True),
    ("TokenAuth", "initroles+=a"): (("spec", "initroles"), "+=", ["a"]),
}


@pytest.mark.parametrize("given", READ, ids=" ".join)
def test_a_word_is_read_by_the_type_of_its_field(given: tuple[str, str]) -> None:
    kind, word = given
    (found,) = parse([word], kind)
    assert (found.path, found.how, found.value) == READ[given]
    assert type(found.value) is type(READ[given][2])


def test_every_field_of_every_kind_can_be_set() -> None:
    for kind in all_kinds():
        for part in ("spec", "lifecycle", "deliver"):
            model = token_spec(kind).model_fields[part].annotation
            assert model is not None
            for field in model.model_fields:
                (found,) = parse([f"{part}.{field}="], kind)
                assert found == Assignment((part, field), "=", None)


STAYS = "give it another with: reconcile rename OLD NEW"
EXAMPLE = "for example apis=device.read,device.list or apis+=telemetry.write"
REFUSED = {
    ("RSAToken", "apis"): ('"apis" is not FIELD=VALUE', EXAMPLE),
    ("RSAToken", "=x"): ('"" is not FIELD=VALUE', EXAMPLE),
    ("RSAToken", "aips=x"): ('RSAToken has no field "aips"', "did you mean apis?"),
    ("RSAToken", "rotate.evry=x"): ('RSAToken has no field "rotate.evry"', None),
    ("RSAToken", "users=x"): ('RSAToken has no field "users"', None),
    ("RSAToken", "kind=x"): ('RSAToken has no field "kind"', None),
    ("RSAToken", "apis.x=y"): ('RSAToken has no field "apis.x"', None),
    ("RSAToken", "name=x"): ("a name is not set", STAYS),
    ("RSAToken", "metadata.name="): ("a name is not set", STAYS),
    ("RSAToken", "owner+=x"): ("owner is not a list", "write owner=VALUE"),
    ("RSAToken", "enabled-=x"): ("enabled is not a list", "write enabled=VALUE"),
    ("RSAToken", "rotate=90d"): ("rotate is a mapping", "set what is in it: rotate.every=VALUE"),
    ("RSAToken", "labels=x"): ("labels is a mapping", "set what is in it: labels.env=VALUE"),
    ("TokenAuth", "fieldmap=x"): ("fieldmap is a mapping", "set what is in it: fieldmap.username=VALUE"),
    ("RSAToken", "password=hunter2"): ("RSAToken has no field a text of 8 characters", None),
}  # fmt: skip


@pytest.mark.parametrize("given", REFUSED, ids=" ".join)
def test_a_word_that_cannot_be_read_is_refused_with_a_remedy(given: tuple[str, str]) -> None:
    kind, word = given
    message, hint = REFUSED[given]
    with pytest.raises(UsageError) as caught:
        parse([word], kind)
    assert str(caught.value) == message
    assert caught.value.hint
    assert hint in (None, caught.value.hint)
    assert "hunter2" not in caught.value.hint


@pytest.mark.parametrize(
    ("word", "before", "after"),
    [
        ("apis=b,a,b", None, ["b", "a"]),
        ("apis+=b", ["a"], ["a", "b"]),
        ("apis+=a", ["a"], ["a"]),
        ("apis-=a", ["a", "b"], ["b"]),
        ("apis-=a", ["a"], []),
        ("apis-=a", None, []),
        ("apis+=b", None, ["b"]),
    ],
)
def test_names_are_set_added_and_taken_away(word: str, before: object, after: list[str]) -> None:
    assert parse([word], "RSAToken")[0].applied(before) == after


@pytest.mark.parametrize(
    ("word", "before", "after"),
    [
        ("api=*", None, "*"),
        ("api=a", "b", "a"),
        ("api=a", ["b"], ["a"]),
        ("api=a,b", "c", ["a", "b"]),
        ("api+=b", "a", ["a", "b"]),
        ("api-=b", ["a", "b"], ["a"]),
        ("ipm=10.0.0.1", None, "10.0.0.1"),
        ("ipm=10.0.0.1", 7, "10.0.0.1"),
    ],
)
def test_one_name_stands_without_a_list_where_it_may_unless_there_is_one(
    word: str, before: object, after: object
) -> None:
    assert parse([word], "LoginToken")[0].applied(before) == after


def test_initroles_may_stand_without_a_list_too() -> None:
    assert parse(["initroles=a"], "TokenAuth")[0].applied(None) == "a"
    assert parse(["apis=a"], "RSAToken")[0].applied(None) == ["a"]
