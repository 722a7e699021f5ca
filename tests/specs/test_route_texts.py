"""Routes as catalogs write them: what is one, what is none, and which two are the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reconciler.specs.catalog import Entry
from reconciler.specs.load import Specs, examine, load
from reconciler.specs.routes import FILLED, LONGEST, Segment, Sort, parse
from reconciler.specs.schema import whole_schema
from tests.specs.test_schema import accepted

HEAD = "apiVersion: reconciler/v1\nkind: Catalog\nmetadata: {name: c}\nspec:\n"
BLANK = "write METHOD /path with one blank between"
CAPITALS = "a method is in capitals"
EMPTY = "a path has no // in it"
DOT = "a path has no . or .."
CHARACTERS = "a path is of letters, digits and"
BRACES = "{name} is a whole segment"
END = "it stands at the end"
ONCE = "stands in a route once"

WRONG = {
    "": BLANK,
    "GET": BLANK,
    "/v1/ping": BLANK,
    "GET v1/ping": BLANK,
    "GET  /v1/ping": BLANK,
    "GET\t/v1/ping": BLANK,
    "GET http://host/v1": BLANK,
    "get /v1/ping": CAPITALS,
    "Get /v1": CAPITALS,
    "** /v1": CAPITALS,
    "GET,POST /v1": CAPITALS,
    " /v1": CAPITALS,
    "GET //v1": EMPTY,
    "GET /v1//ping": EMPTY,
    "GET /v1//": EMPTY,
    "GET /.": DOT,
    "GET /v1/../ping": DOT,
    "GET /v1/%61": CHARACTERS,
    "GET /v1/a b": CHARACTERS,
    "GET /v1/a;b": CHARACTERS,
    "GET /v1/a?b": CHARACTERS,
    "GET /v1/a#b": CHARACTERS,
    "GET /v1/*": CHARACTERS,
    "GET /v1/工厂": CHARACTERS,
    "GET /v1/a\\b": CHARACTERS,
    "GET /v1/a\n": CHARACTERS,
    "GET /v1/{}": BRACES,
    "GET /v1/{A}": BRACES,
    "GET /v1/{1}": BRACES,
    "GET /v1/{a-b}": BRACES,
    "GET /v1/{a": BRACES,
    "GET /v1/a}": BRACES,
    "GET /v1/{a}.json": BRACES,
    "GET /v1/x{a}": BRACES,
    "GET /v1/{a}{b}": BRACES,
    "GET /v1/{a..}": BRACES,
    "GET /v1/{...}": BRACES,
    "GET /v1/{a...}/b": END,
    "GET /v1/{a...}/": END,
    "GET /{a}/{a}": ONCE,
    "GET /{a}/{a...}": ONCE,
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_route_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=WRONG[text].replace("{", r"\{").replace(".", r"\.")):
        parse(text)
    with pytest.raises(ValidationError):
        Entry(name="a", routes=(text,))


@pytest.mark.parametrize("name", FILLED)
def test_what_a_call_is_about_is_one_segment(name: str) -> None:
    """Several segments would be one name for the check, and none for the catalog."""
    assert parse(f"GET /{{{name}}}").segments == (Segment(Sort.CAPTURE, name),)
    with pytest.raises(ValueError, match=f"{name} is one segment"):
        parse(f"GET /{{{name}...}}")


def test_a_route_is_a_method_and_segments() -> None:
    route = parse("POST /v1/~a.b_c-d/{user}/@me:x/{rest...}")
    assert route.method == "POST"
    assert route.segments == (
        Segment(Sort.LITERAL, "v1"),
        Segment(Sort.LITERAL, "~a.b_c-d"),
        Segment(Sort.CAPTURE, "user"),
        Segment(Sort.LITERAL, "@me:x"),
        Segment(Sort.REST, "rest"),
    )
    assert parse("* /").segments == (Segment(Sort.LITERAL, ""),)
    assert parse("VERSION-CONTROL /a/").segments[-1] == Segment(Sort.LITERAL, "")


@given(st.text(max_size=40) | st.text("GET /{}.a*%", max_size=40))
def test_any_text_is_a_route_or_says_why_not(text: str) -> None:
    try:
        said = str(parse(text))
    except ValueError as error:
        said = str(error)
    assert len(said) > 10


def test_a_route_has_a_length_and_an_entry_at_least_one() -> None:
    Entry(name="a", routes=("GET /" + "a" * (LONGEST - 5),))
    for wrong in (("GET /" + "a" * (LONGEST - 4),), (), ("GET /a", "GET /a")):
        with pytest.raises(ValidationError):
            Entry(name="a", routes=wrong)


# in a folder of specs


def laid(root: Path, **texts: str) -> Path:
    (root / "specs").mkdir(exist_ok=True)
    for name, text in texts.items():
        (root / "specs" / f"{name}.yaml").write_text(HEAD + text)
    return root


def faults(root: Path, **texts: str) -> list[tuple[str, str, str, str]]:
    specs, found = examine(laid(root, **texts))
    assert specs is None
    return [(fault.where, fault.rule, fault.message, fault.hint) for fault in found]


def both(one: str, other: str) -> str:
    return f"  apis:\n    - {{name: one, routes: [{one!r}]}}\n    - {{name: two, routes: [{other!r}]}}\n"


SAME = {
    "letter for letter": ("GET /v1/ping", "GET /v1/ping"),
    "captures of other names": ("GET /v1/{project}/x", "GET /v1/{id}/x"),
    "rests of other names": ("GET /v1/{a...}", "GET /v1/{b...}"),
    "every method": ("* /v1/{a}", "* /v1/{b}"),
    "the root": ("GET /", "GET /"),
    "a slash at the end": ("GET /a/{x}/", "GET /a/{y}/"),
}


@pytest.mark.parametrize("what", SAME)
def test_two_routes_that_match_alike_are_a_fault_at_the_later(what: str, tmp_path: Path) -> None:
    one, other = SAME[what]
    said = (
        f'"{other}" of "two" matches the same requests as "{one}" of "one" at specs/c.yaml:6,'
        " and neither is more specific"
    )
    place = ("specs/c.yaml:7:28", "catalog.routes")
    assert faults(tmp_path, c=both(one, other)) == [(*place, said, "keep one of the two")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GET /v1/{x}", "GET /v1/ping"),
        ("GET /v1/{x...}", "GET /v1/{x}"),
        ("* /v1/ping", "GET /v1/ping"),
        ("HEAD /v1/ping", "GET /v1/ping"),
        ("GET /v1/ping", "GET /v1/ping/"),
        ("GET /v1/ping", "GET /v1/Ping"),
        ("GET /{a}/b", "GET /a/{b}"),
        ("GET /a/{x...}", "GET /a/{x}/"),
    ],
)
def test_routes_of_which_one_is_more_specific_stand_beside_each_other(
    one: str, other: str, tmp_path: Path
) -> None:
    (first, second) = load(laid(tmp_path, c=both(one, other))).apis
    assert (first.routes, second.routes) == ((one,), (other,))


def test_two_routes_of_one_api_are_compared_too(tmp_path: Path) -> None:
    text = "  apis: [{name: a, routes: ['GET /{x}',\n    'GET /{y}']}]\n"
    ((where, rule, message, _),) = faults(tmp_path, c=text)
    assert (where, rule) == ("specs/c.yaml:6:5", "catalog.routes")
    assert message.startswith('"GET /{y}" of "a" matches the same requests as "GET /{x}" of "a" at')


def test_routes_of_two_catalogs_are_compared_and_the_same_entry_twice_is_one(tmp_path: Path) -> None:
    text = "  apis: [{name: %s, routes: ['GET /%s']}]\n"
    ((where, *_),) = faults(tmp_path, a=text % ("one", "{x}"), b=text % ("two", "{y}"))
    assert where == "specs/b.yaml:5:31"
    assert len(load(laid(tmp_path, a=text % ("one", "x"), b=text % ("one", "x"))).apis) == 1


@pytest.mark.parametrize(
    ("section", "entry", "name"),
    [
        ("apis", "{name: '@g', members: [x], routes: ['GET /a']}", "@g"),
        ("apis", "{name: '*', routes: ['GET /a']}", "*"),
        ("users", "{name: u, routes: ['GET /a']}", "u"),
        ("projects", "{name: p, routes: ['GET /a']}", "p"),
    ],
)
def test_only_a_name_in_apis_has_routes(section: str, entry: str, name: str, tmp_path: Path) -> None:
    text = f"  {section}: [x,\n    {entry}]\n"
    line = text.splitlines()[1]
    assert faults(tmp_path, c=text) == [
        (
            f"specs/c.yaml:6:{line.index('GET')}",
            "catalog.routes",
            f'"{name}" of {section} has routes, and is no API',
            "a route stands with one name in apis",
        )
    ]


def test_a_wrong_route_is_told_where_it_stands(tmp_path: Path) -> None:
    text = "  apis: [{name: a, routes: [GET /ok, get /v1, 'GET /{a', 3]}]\n"
    assert [fault[:3] for fault in faults(tmp_path, c=text)] == [
        ("specs/c.yaml:5:38", "catalog.apis.routes", 'routes is "get /v1"'),
        ("specs/c.yaml:5:47", "catalog.apis.routes", 'routes is "GET /{a"'),
        ("specs/c.yaml:5:58", "catalog.apis.routes", "routes is the number 3; it takes text"),
    ]


def test_routes_mean_nothing_to_a_plan(tmp_path: Path) -> None:
    """They say which request an API is, and what a token has stays the same: no saved plan is stale."""
    texts = ("[a]", "[{name: a, routes: [GET /a]}]", "[{name: a, routes: [GET /b]}]")
    found: list[Specs] = [load(laid(tmp_path, c=f"  apis: {text}\n")) for text in texts]
    assert len({specs.digest for specs in found}) == 1
    assert [specs.apis[0].routes for specs in found] == [None, ("GET /a",), ("GET /b",)]


def test_without_a_catalog_of_apis_there_are_none(tmp_path: Path) -> None:
    assert load(laid(tmp_path, c="  users: [u]\n")).apis == ()


def test_the_schema_knows_routes() -> None:
    head = {"apiVersion": "reconciler/v1", "kind": "Catalog", "metadata": {"name": "x"}}
    right = {"name": "a", "routes": ["GET /v1/{x}", "* /a/{rest...}"]}
    assert accepted(whole_schema(), {**head, "spec": {"apis": [right]}})
    for wrong in (
        {"name": "a", "routes": []},
        {"name": "a", "routes": ["get /v1"]},
        {"name": "a", "routes": ["GET v1"]},
        {"name": "a", "routes": ["GET /a", "GET /a"]},
        {"name": "a", "routes": "GET /a"},
        {"name": "@a", "members": ["b"], "routes": ["GET /a"]},
    ):
        assert not accepted(whole_schema(), {**head, "spec": {"apis": [wrong]}})
