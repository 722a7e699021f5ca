"""Catalogs with groups, `*` and deprecation, over a whole folder of specs."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.kinds import all_kinds
from reconciler.specs import reading
from reconciler.specs.catalog import Entry
from reconciler.specs.load import Specs, examine, load
from reconciler.specs.reader import read_file
from reconciler.specs.resolve import resolved
from tests.specs.samples import LEAST, text_of
from tests.specs.sections import section_of

HEAD = "apiVersion: reconciler/v1\nkind: Catalog\nmetadata: {name: c}\nspec:\n"
GROUPS = """\
  apis:
    - a.read
    - {name: a.write, description: it writes}
    - b.read
    - {name: "@a", members: [a.read, a.write]}
    - {name: "@all", members: [b.read, "@a"], description: every one}
"""
LISTS = [
    (kind.name, field, section)
    for kind in all_kinds().values()
    for field, section in kind.catalog.items()
    if field not in ("aud", "sap")
]
"""Fields that may name groups."""


def laid(root: Path, **texts: str) -> Path:
    (root / "specs").mkdir(exist_ok=True)
    for name, text in texts.items():
        (root / "specs" / f"{name}.yaml").write_text(text)
    return root


def faults(root: Path, **texts: str) -> list[tuple[str, str, str, str]]:
    specs, found = examine(laid(root, **texts))
    assert specs is None
    return [(fault.where, fault.rule, fault.message, fault.hint) for fault in found]


def rsa(apis: str, name: str = "x") -> str:
    return text_of("RSAToken", name).replace('apis: ["*"]', f"apis: {apis}")


def spec_with(kind: str, field: str, names: str) -> str:
    """The least spec of a kind with another list in a field."""
    lines = [line for line in text_of(kind).splitlines() if not line.startswith(f"  {field}:")]
    return "\n".join([*lines, f"  {field}: {names}", ""])


# groups are replaced by what they stand for


@pytest.mark.parametrize(("kind", "field", "section"), LISTS)
def test_a_group_means_what_its_names_mean_in_every_field_that_may_name_it(
    kind: str, field: str, section: str, tmp_path: Path
) -> None:
    """The same normal form to the byte, and the same digest, whatever is written twice."""
    catalog = HEAD + GROUPS.replace("apis", section)
    grouped = laid(tmp_path, c=catalog, t=spec_with(kind, field, '["@all", "@a", a.read]'))
    (token,) = load(grouped).tokens
    (plain,) = load(laid(tmp_path, t=spec_with(kind, field, "[b.read, a.write, a.read]"))).tokens
    assert (token.normal, token.digest) == (plain.normal, plain.digest)
    assert token.spec().normal_form() == token.normal
    assert (token.written, plain.written) == (((field, ("@a", "@all", "a.read")),), ())


def test_a_single_group_may_stand_without_a_list_where_a_name_may(tmp_path: Path) -> None:
    laid(tmp_path, c=HEAD + GROUPS, t=spec_with("LoginToken", "api", '"@a"'))
    (token,) = load(tmp_path).tokens
    assert token.spec().spec.api == ("a.read", "a.write")


def test_specs_that_name_no_group_are_not_touched(tmp_path: Path) -> None:
    """Not even one whose owner looks like a group."""
    text = rsa("[a.read]").replace("name: x\n", 'name: x\n  owner: "@a"\n')
    assert '"@a"' in text
    (token,) = read_file("specs/t.yaml", text.encode()).tokens
    assert load(laid(tmp_path, c=HEAD + GROUPS, t=text)).tokens == [token]


def test_several_processes_give_the_same_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalog is known only when all files are read."""
    texts = {f"t{number}": rsa('["@all"]', f"t{number}") for number in range(30)}
    alone = load(laid(tmp_path, c=HEAD + GROUPS, **texts))
    monkeypatch.setattr(reading, "_cores", lambda: 3)
    monkeypatch.setattr(reading, "MIN_SHARE", 5)
    assert load(tmp_path) == alone
    assert alone.tokens[0].spec().spec.apis == ("a.read", "a.write", "b.read")


def test_what_groups_stand_for_in_all_specs_is_bounded() -> None:
    """A few lines a spec, and a large group: it is given up before it fills the memory."""
    names = [Entry(name=f"a-name-of-some-length-{number}") for number in range(5000)]
    group = Entry(name="@g", members=tuple(one.name for one in names))
    (token,) = read_file("specs/t.yaml", rsa('["@g"]').encode()).tokens
    catalog = {"apis": section_of([*names, group])}
    tokens = [token._replace(name=f"t{number}", line=number) for number in range(1000)]
    made, found = resolved(tokens[:3], catalog)
    assert (found, len(made[0].spec().spec.apis)) == ([], 5000)
    (fault,) = resolved(tokens, catalog, most=1_000_000)[1]
    assert (fault.rule, fault.file) == ("catalog.size", "specs/t.yaml")
    assert 5 < fault.line < 20


# what is wrong with a catalog

WRONG: dict[str, tuple[str, str, str, str, str]] = {
    "unknown member": (
        "  apis: [a.read, {name: '@g', members: [a.read, ⟦a.raed]}]\n",
        "",
        "catalog.members",
        '@g has the member "a.raed", which apis does not list',
        "did you mean a.read?",
    ),
    "member of another section": (
        "  apis: [{name: '@g', members: [⟦li.wei]}]\n  users: [li.wei]\n",
        "",
        "catalog.members",
        '@g has the member "li.wei", which apis does not list',
        "list it under apis too",
    ),
    "group without members": (
        "  apis:\n    - ⟦'@g'\n",
        "",
        "catalog.members",
        'the group "@g" has no members',
        "write members: and their names",
    ),
    "members of a name": (
        "  apis: [a, {name: ⟦b, members: [a]}]\n",
        "",
        "catalog.members",
        '"b" has members, and is no group',
        'call it "@b", or remove members',
    ),
    "members of all": (
        "  apis: [a, {name: ⟦'*', members: [a]}]\n",
        "",
        "catalog.members",
        '"*" has members, and is no group',
        "remove members",
    ),
    "circle": (
        "  apis: [{name: '@a', members: ['@b']}, {name: '@b', members: [⟦'@a']}]\n",
        "",
        "catalog.cycle",
        "@a holds itself: @a → @b → @a",
        "take one of them out of the group that it is in",
    ),
    "circle over two files": (
        "  apis: [{name: '@b', members: [⟦'@a']}]\n",
        "  apis: [{name: '@a', members: ['@b']}]\n",
        "catalog.cycle",
        "@a holds itself: @a → @b → @a",
        "take one of them out of the group that it is in",
    ),
    "name twice in one catalog": (
        "  apis: [a, ⟦a]\n",
        "",
        "catalog.twice",
        'apis lists "a" a second time; the first is at specs/b.yaml:5',
        "keep one of the two",
    ),
    "name twice, and not the same": (
        "  apis: [{name: ⟦a, deprecated: use b}]\n",
        "  apis: [{name: a, description: first}]\n",
        "catalog.twice",
        'apis lists "a" a second time and says something else of it; the first is at specs/a.yaml:5',
        "keep one of the two",
    ),
    "group twice, and the same": (
        "  apis: [{name: ⟦'@a', members: [x]}]\n",
        "  apis: [x, {name: '@a', members: [x]}]\n",
        "catalog.twice",
        'apis lists "@a" a second time; the first is at specs/a.yaml:5',
        "keep one of the two",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_catalog_is_told_where_it_stands(what: str, tmp_path: Path) -> None:
    """The second file is the marked one; the first, if there is one, is right by itself."""
    marked, other, *said = WRONG[what]
    text = HEAD + marked
    before = text[: text.index("⟦")]
    place = f"specs/b.yaml:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    texts = {"b": text.replace("⟦", "")} | ({"a": HEAD + other} if other else {})
    assert faults(tmp_path, **texts) == [(place, *said)]


def test_a_fault_of_a_catalog_shows_its_line(tmp_path: Path) -> None:
    _, (fault,) = examine(laid(tmp_path, c=HEAD + "  apis: [a, {name: '@g', members: [b]}]\n"))
    assert fault.source == "  apis: [a, {name: '@g', members: [b]}]"
    assert fault.source[fault.column - 1 :][: fault.width] == "b"


def test_two_catalogs_may_list_a_name_if_they_say_the_same_of_it(tmp_path: Path) -> None:
    text = HEAD + "  apis: [a, {name: b, description: d}]\n"
    assert set(load(laid(tmp_path, a=text, b=text)).catalog["apis"].entries) == {"a", "b"}


def test_groups_of_one_catalog_may_hold_names_of_another(tmp_path: Path) -> None:
    laid(
        tmp_path,
        a=HEAD + "  apis: [{name: '@g', members: [a, '@h']}]\n",
        b=HEAD + "  apis: [a, b, {name: '@h', members: [b]}]\n",
        t=rsa('["@g"]'),
    )
    (token,) = load(tmp_path).tokens
    assert token.spec().spec.apis == ("a", "b")


def test_a_catalog_that_is_lost_makes_no_noise(tmp_path: Path) -> None:
    """It may list the members, the groups and the `*` that the others do not."""
    catalog = HEAD + "  apis: [{name: '@g', members: [a]}]\n"
    texts = {"a": catalog, "s": rsa('["@g"]', "s"), "t": rsa('["@other"]', "t"), "u": rsa('["*"]', "u")}
    assert len(faults(tmp_path, **texts)) == 3
    for lost in ("  apis: 3\n", "  apis: [a: b: c]\n", "  apis: [a b]\n"):
        assert {where.split(":")[0] for where, *_ in faults(tmp_path, z=HEAD + lost)} == {"specs/z.yaml"}


def test_specs_are_checked_even_where_a_group_is_faulty(tmp_path: Path) -> None:
    """All faults come at once; a group that is faulty is known, and is told once."""
    catalog = HEAD + "  apis: [a, {name: '@g', members: ['@g']}, {name: '@h', members: ['@g', a]}]\n"
    assert [(where, rule) for where, rule, *_ in faults(tmp_path, c=catalog, t=rsa('["@g", "@h", x]'))] == [
        ("specs/c.yaml:5:36", "catalog.cycle"),
        ("specs/t.yaml:6:22", "catalog.apis"),
    ]


# what specs may name


def test_a_group_that_no_catalog_has_is_a_fault_with_the_nearest_group(tmp_path: Path) -> None:
    assert faults(tmp_path, c=HEAD + GROUPS, t=rsa('["@al"]')) == [
        (
            "specs/t.yaml:6:10",
            "catalog.apis",
            'apis names the group "@al", which the catalog does not have',
            "did you mean @all?",
        )
    ]


@pytest.mark.parametrize("catalog", ["", HEAD + "  users: [u]\n", HEAD + "  apis: [a]\n"])
def test_a_group_is_a_fault_even_where_there_is_no_catalog_for_it(catalog: str, tmp_path: Path) -> None:
    assert faults(tmp_path, t=rsa('["@a"]'), **({"c": catalog} if catalog else {})) == [
        (
            "specs/t.yaml:6:10",
            "catalog.apis",
            'apis names the group "@a", which the catalog does not have',
            "list it under apis of a Catalog document, with its members",
        )
    ]


def test_a_name_that_is_near_to_a_group_gets_the_group_proposed(tmp_path: Path) -> None:
    catalog = HEAD + "  apis: [x, {name: '@telemetry', members: [x]}]\n"
    ((*_, hint),) = faults(tmp_path, c=catalog, t=rsa("[telemetry]"))
    assert hint == "did you mean @telemetry?"


def test_star_needs_an_entry_where_the_section_is_listed(tmp_path: Path) -> None:
    star = (
        "specs/t.yaml:6:10",
        "catalog.apis",
        "apis names *, and the catalog does not allow that",
        'write the names that it needs, or list "*" under apis of the catalog',
    )
    assert faults(tmp_path, c=HEAD + "  apis: [a]\n", t=rsa('["*"]')) == [star]
    assert faults(tmp_path, c=HEAD + "  apis: []\n") == [star]
    for listed in ('["*"]', "[{name: '*', description: d}]"):
        load(laid(tmp_path, c=HEAD + f"  apis: {listed}\n"))
    load(laid(tmp_path, c=HEAD + "  users: [a]\n"))


def test_star_needs_an_entry_for_one_app_as_for_a_list(tmp_path: Path) -> None:
    catalog = HEAD + "  apps: [A, B]\n"
    aud = LEAST["LoginToken"]["aud"]
    login = text_of("LoginToken").replace(f"aud: {aud}", "aud: A")
    sap = next(line for line in login.splitlines() if line.startswith("  sap:"))
    ((where, rule, message, _),) = faults(tmp_path, c=catalog, t=login.replace(sap, '  sap: "*"'))
    assert (rule, message) == ("catalog.apps", "sap names *, and the catalog does not allow that")
    assert where.startswith("specs/t.yaml:")
    load(laid(tmp_path, c=catalog.replace("B]", 'B, "*"]')))


# the digest


def digests(root: Path, *catalogs: str) -> list[str]:
    found: list[Specs] = [load(laid(root, c=HEAD + text)) for text in catalogs]
    return [specs.digest for specs in found]


def test_the_digest_follows_what_the_catalog_means_and_no_description(tmp_path: Path) -> None:
    means = digests(
        tmp_path,
        GROUPS,
        GROUPS.replace("it writes", "it writes much"),
        GROUPS.replace("description: it writes", "deprecated: use b.read"),
        GROUPS.replace('[b.read, "@a"]', '["@a", a.read, b.read]'),
        GROUPS.replace('[b.read, "@a"]', '["@a"]'),
        GROUPS + '    - "*"\n',
        GROUPS + "    - c.read\n",
        GROUPS.replace('"@a"', '"@b"'),
    )
    assert len(set(means[:4])) == 1
    assert len(set(means[3:])) == 5
