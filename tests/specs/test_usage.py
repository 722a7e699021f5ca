"""Who names what: counts, owners, groups, and warnings that stay readable."""

from __future__ import annotations

from reconciler.plan.deprecated import deprecated
from reconciler.specs.catalog import Entry
from reconciler.specs.gathering import Catalog
from reconciler.specs.reader import Declared, read_file
from reconciler.specs.resolve import resolved
from reconciler.specs.usage import rows, sought, uses
from tests.specs.samples import text_of
from tests.specs.sections import section_of

CATALOG: Catalog = {
    "apis": section_of(
        [
            Entry(name="a"),
            Entry(name="b", deprecated="use a"),
            Entry(name="c"),
            Entry(name="*", deprecated="name the APIs"),
            Entry(name="@in", members=("b",)),
            Entry(name="@out", members=("@in", "a"), deprecated="use @in"),
        ]
    ),
    "apps": section_of([Entry(name="SvKerneL")]),
}


def tokens(**apis: str) -> list[Declared]:
    """RSA tokens by name, each owned by the first letter of its name."""
    found = []
    for name, names in apis.items():
        text = text_of("RSAToken", name).replace('apis: ["*"]', f"apis: {names}")
        text = text.replace(f"name: {name}\n", f"name: {name}\n  owner: {name[0]}\n")
        found += read_file(f"specs/{name}.yaml", text.encode()).tokens
    made, faults = resolved(found, CATALOG)
    assert (len(made), faults) == (len(apis), [])
    return list(made)


FLEET = tokens(x1='["*"]', x2="[a]", y1='["@in"]', y2='["@out", b]')


def counts(section: str = "apis") -> dict[str, tuple[int, int]]:
    found = rows(FLEET, CATALOG)
    return {row.name: (row.tokens, len(row.owners)) for row in found if row.section == section}


def test_every_entry_is_counted_through_groups_too_and_once_a_token() -> None:
    assert counts() == {"*": (1, 1), "@in": (2, 1), "@out": (1, 1), "a": (2, 2), "b": (2, 1), "c": (0, 0)}


def test_a_name_in_no_catalog_is_counted_beside_and_known_as_such() -> None:
    assert counts("projects") == {"*": (4, 2)}
    (row,) = sought(rows(FLEET, CATALOG), "projects:*")
    assert row.entry is None


def test_a_token_that_names_one_app_twice_is_one_token() -> None:
    text = text_of("LoginToken").replace("aud: A\n", "aud: SvKerneL\n").replace('sap: "*"', "sap: SvKerneL")
    (token,) = read_file("specs/t.yaml", text.encode()).tokens
    assert text.count("SvKerneL") == 2
    assert [(row.name, row.tokens) for row in rows([token], CATALOG) if row.section == "apps"] == [
        ("SvKerneL", 1)
    ]


def test_uses_tell_whether_a_spec_names_it_or_which_of_its_groups() -> None:
    found = {use.token: (use.direct, use.through) for use in uses(FLEET, CATALOG, "apis", "b")}
    assert found == {"y1": (False, ("@in",)), "y2": (True, ("@out",))}
    (use,) = uses(FLEET, CATALOG, "apis", "@out")
    assert (use.token, use.owner, use.direct, use.through) == ("y2", "y", True, ())
    assert uses(FLEET, CATALOG, "users", "b") == []


def test_members_are_known_by_the_groups_that_list_them() -> None:
    groups = {row.name: row.groups for row in rows([], CATALOG)}
    assert (groups["b"], groups["@in"], groups["@out"]) == (("@in",), ("@out",), ())


def test_a_section_before_a_name_is_for_names_that_are_none_themselves() -> None:
    found = rows(FLEET, {**CATALOG, "users": section_of([Entry(name="apis:a"), Entry(name="a")])})
    assert [row.section for row in sought(found, "a")] == ["apis", "users"]
    assert [row.section for row in sought(found, "apis:a")] == ["users"]
    assert [row.name for row in sought(found, "apis:b")] == ["b"]
    assert sought(found, "nothing:b") == []


def test_each_deprecated_entry_has_one_warning_with_what_to_use_instead() -> None:
    assert [(one.rule, one.message, one.hint) for one in deprecated(CATALOG, reversed(FLEET))] == [
        (
            "catalog.deprecated",
            "* of apis is deprecated, and 1 token names it: x1",
            "name the APIs",
        ),
        ("catalog.deprecated", "@out of apis is deprecated, and 1 token names it: y2", "use @in"),
        ("catalog.deprecated", "b of apis is deprecated, and 2 tokens name it: y1, y2", "use a"),
    ]


def test_a_warning_names_five_tokens_and_fifty_entries_have_one() -> None:
    many = tokens(**{f"t{number}": "[b]" for number in range(8)})
    (warned,) = deprecated(CATALOG, many)
    assert warned.message == "b of apis is deprecated, and 8 tokens name it: t0, t1, t2, t3, t4 and 3 more"
    old = [Entry(name=f"n{number}", deprecated="use a") for number in range(60)]
    catalog = {"apis": section_of(old)}
    *first, last = deprecated(catalog, tokens(t=f"[{', '.join(entry.name for entry in old)}]"))
    assert (len(first), last.message) == (
        50,
        "and 10 more deprecated entries of the catalog are still named",
    )


def test_without_deprecated_entries_no_spec_is_looked_at() -> None:
    broken = FLEET[0]._replace(normal="{")
    assert deprecated({"apps": CATALOG["apps"]}, [broken]) == ()
