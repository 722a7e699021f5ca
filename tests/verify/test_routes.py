"""Which API a request is of: the most specific route, and no path that can be read in two ways."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.kinds.checking import Call, Reason
from reconciler.specs.catalog import Entry
from reconciler.specs.routes import FILLED, Route, Sort, parse
from reconciler.verify.paths import LONGEST, segments_of
from reconciler.verify.routes import Routes


def routes(*texts: str) -> Routes:
    """Each route is an API of its own, called by its number."""
    return Routes.of(Entry(name=f"r{number}", routes=(text,)) for number, text in enumerate(texts))


DEVICES = (
    "GET /v1/projects/{project}/devices/{device}",
    "GET /v1/projects/{project}/devices",
    "* /v1/projects/{project}/devices/{device}",
    "GET /v1/projects/{project}/devices/new",
    "* /v1/ping",
    "POST /v1/files/{rest...}",
    "GET /v1/users/{user}/shops/{shop}/apps/{app}/",
    "GET /",
    "HEAD /v1/status",
    "GET /v1/status",
    "PUT /{project}/{other}/{device}",
    "GET /v1/users/@me",
    "GET /v1/users/{user}",
)
ROUTES = routes(*DEVICES)


@pytest.mark.parametrize(
    ("request_line", "call"),
    [
        ("GET /v1/projects/plant-a/devices/d1", Call("r0", project="plant-a", device="d1")),
        ("HEAD /v1/projects/plant-a/devices/d1", Call("r0", project="plant-a", device="d1")),
        ("GET /v1/projects/plant-a/devices", Call("r1", project="plant-a")),
        ("PATCH /v1/projects/p/devices/d", Call("r2", project="p", device="d")),
        ("GET /v1/projects/p/devices/new", Call("r3", project="p")),
        ("PUT /v1/projects/p/devices/new", Call("r2", project="p", device="new")),
        ("BREW /v1/ping", Call("r4")),
        ("POST /v1/files/a", Call("r5")),
        ("POST /v1/files/a/b/", Call("r5")),
        ("GET /v1/users/u/shops/s/apps/a/", Call("r6", user="u", shop="s", app="a")),
        ("GET /", Call("r7")),
        ("HEAD /v1/status", Call("r8")),
        ("GET /v1/status", Call("r9")),
        ("PUT /a/b/c", Call("r10", project="a", device="c")),
        ("GET /v1/users/@me", Call("r11")),
        ("GET /v1/users/@you", Call("r12", user="@you")),
        ("GET /v1/users/li%40acme.com", Call("r12", user="li@acme.com")),
        ("GET /v1/users/%E5%B7%A5%20x", Call("r12", user="工 x")),
        ("GET /v1/users/100%25", Call("r12", user="100%")),
        ("GET /v1/users/*", Call("r12", user="*")),
        ("GET /v1/users/...", Call("r12", user="...")),
        ("GET /v1/ping?x=//..%2F;%00", Call("r4")),
        ("GET /v1/ping?", Call("r4")),
        ("GET /?a?b", Call("r7")),
    ],
)
def test_a_request_is_of_the_most_specific_route(request_line: str, call: Call) -> None:
    method, uri = request_line.split(" ", 1)
    assert ROUTES.match(method, uri) == call


@pytest.mark.parametrize(
    "request_line",
    [
        "POST /v1/projects/plant-a/devices",
        "GET /v1/projects/plant-a/devices/",
        "GET /v1/projects/plant-a/devices/d/e",
        "GET /v1/projects/devices",
        "GET /V1/ping",
        "GET /v1/ping/",
        "GET /v1",
        "POST /v1/files",
        "POST /v1/files/",
        "GET /v1/files/a",
        "GET /v1/users/u/shops/s/apps/a",
        "POST /",
        "POST /v1/status",
        "get /v1/ping",
        "Get /v1/status",
        "* /v1/ping",
        " /v1/ping",
        "G%45T /v1/ping",
    ],
)
def test_what_no_route_matches_is_unknown(request_line: str) -> None:
    method, uri = request_line.split(" ", 1)
    assert ROUTES.match(method, uri) is Reason.API_UNKNOWN


def test_an_empty_method_is_unknown() -> None:
    assert ROUTES.match("", "/v1/ping") is Reason.API_UNKNOWN


def refused(uri: str) -> bool:
    """Whether a path is refused even where one route matches everything."""
    return routes("* /{rest...}", "* /").match("GET", uri) is Reason.PATH


def test_a_slash_that_is_escaped_is_refused() -> None:
    assert refused("/v1/projects/a%2Fb")
    assert refused("/v1/projects/a%2fb")


def test_a_backslash_is_refused_escaped_or_not() -> None:
    assert refused("/v1\\ping")
    assert refused("/v1%5Cping")
    assert refused("/v1%5cping")


def test_a_nul_is_refused() -> None:
    assert refused("/v1/ping%00")
    assert refused("/v1/ping\0")


@pytest.mark.parametrize("code", [*range(0x20), 0x7F])
def test_a_control_character_is_refused_escaped_or_not(code: int) -> None:
    assert refused(f"/v1/a%{code:02X}b")
    assert refused(f"/v1/a{chr(code)}b")


@pytest.mark.parametrize("code", range(0x80, 0xA0))
def test_a_control_character_beyond_ascii_is_refused(code: int) -> None:
    assert refused("/v1/" + quote(chr(code)))


@pytest.mark.parametrize("letter", "azAZ09-._~")
def test_an_escape_that_is_not_needed_is_refused(letter: str) -> None:
    assert refused(f"/v1/x%{ord(letter):02X}x")
    assert refused(f"/v1/x%{ord(letter):02x}x")


@pytest.mark.parametrize("uri", ["/a%252Fb", "/a%252e%252e/b", "/%25%32%66", "/%2525", "/a%25a"])
def test_what_is_escaped_twice_is_refused(uri: str) -> None:
    assert refused(uri)


@pytest.mark.parametrize("uri", ["//v1", "/v1//ping", "/v1//", "//", "//host/v1"])
def test_an_empty_segment_is_refused(uri: str) -> None:
    assert refused(uri)


@pytest.mark.parametrize(
    "uri", ["/.", "/..", "/v1/../x", "/v1/./x", "/v1/..", "/%2e%2e/x", "/.%2E/x", "/%2e", "/v1/..%20/x"]
)
def test_a_segment_of_dots_is_refused(uri: str) -> None:
    assert refused(uri)


@pytest.mark.parametrize("uri", ["/v1/x;a=b", "/v1/..;/x", "/v1;", "/v1/x%3Ba=b", "/v1/x%3b"])
def test_a_parameter_is_refused(uri: str) -> None:
    assert refused(uri)


@pytest.mark.parametrize("uri", ["/v1#x", "/v1?x#y", "#", "/v1/a%23b"])
def test_a_fragment_is_refused(uri: str) -> None:
    assert refused(uri)


def test_a_question_mark_that_is_escaped_is_refused() -> None:
    """Whoever decodes first has a query there."""
    assert refused("/v1/a%3Fb")


@pytest.mark.parametrize("uri", ["/%", "/a%", "/a%2", "/a%zz", "/a%2g", "/a%u0041", "/%%41"])
def test_an_escape_that_is_none_is_refused(uri: str) -> None:
    assert refused(uri)


@pytest.mark.parametrize(
    "uri",
    ["/%FF", "/%C0%AF", "/%E0%80%AF", "/%C3", "/a%C3/%A4b", "/%ED%A0%80", "/%F5%80%80%80", "/%80"],
)
def test_bytes_that_are_not_utf_8_are_refused(uri: str) -> None:
    """An overlong slash too, and a letter over two segments."""
    assert refused(uri)


@pytest.mark.parametrize("letter", "äé工/．‥；？＃％＼﹨")
def test_a_letter_that_is_not_ascii_is_refused_where_it_is_not_escaped(letter: str) -> None:
    assert refused(f"/v1/{letter}")


@pytest.mark.parametrize(
    "text", ["a／b", "．．", "‥", "．", "a；b", "a？b", "＃", "％2F", "a＼b", "﹨", "\u3000"]
)
def test_a_letter_that_folds_to_what_cuts_a_path_is_refused(text: str) -> None:
    """Some servers fold letters to their plain forms, by tables of their operating system."""
    assert refused("/v1/" + quote(text))


@pytest.mark.parametrize("text", ["工厂", "é", "e\u0301", "…x", "ｗｉｄｅ", "😀", "a b", '"<>[]^`{|}', "١"])
def test_any_other_letter_is_taken_where_it_is_escaped(text: str) -> None:
    assert routes("GET /{user}").match("GET", "/" + quote(text)) == Call("r0", user=text)


@pytest.mark.parametrize("letter", ' "<>[]^`{|}')
def test_a_character_that_needs_an_escape_is_refused_without(letter: str) -> None:
    assert refused(f"/v1/a{letter}b")


@pytest.mark.parametrize(
    "uri", ["", "?", "*", "v1/ping", "http://h/v1", "https://h", "h:443", "?/v1", "./v1", " /v1"]
)
def test_a_target_that_is_not_a_path_is_refused(uri: str) -> None:
    assert refused(uri)


def test_a_path_has_a_length_and_a_query_has_none() -> None:
    longest = "/" + "a" * (LONGEST - 1)
    assert not refused(longest)
    assert not refused(longest + "?" + "a" * 100_000)
    assert refused(longest + "a")


def test_an_escape_never_stands_for_a_literal() -> None:
    """Who decodes first sees `@me` here, who compares first sees a user: two APIs, so neither."""
    assert ROUTES.match("GET", "/v1/users/%40me") is Reason.PATH
    assert routes("GET /{user}").match("GET", "/%40me") == Call("r0", user="@me")


def test_an_escaped_literal_that_leads_nowhere_is_no_second_reading() -> None:
    found = routes("GET /@me/a", "GET /{user}/b").match("GET", "/%40me/b")
    assert found == Call("r1", user="@me")


def test_a_star_in_the_path_is_given_through_as_the_text_that_it_is() -> None:
    """The check decides: to it, a call's names are names, and only a grant's `*` is all."""
    assert routes("GET /{project}").match("GET", "/%2A") == Call("r0", project="*")


def test_no_routes_match_nothing() -> None:
    empty = Routes.of([Entry(name="a"), Entry(name="b", description="no routes")])
    assert len(empty) == 0
    assert empty.match("GET", "/") is Reason.API_UNKNOWN
    assert empty.match("GET", "//") is Reason.PATH
    assert len(ROUTES) == len(DEVICES)


# against a matcher that looks at every route

WORDS = ("a", "A", "b", "@", "v1")
segments = st.sampled_from([*WORDS, "{project}", "{user}", "{x}"])


@st.composite
def route_texts(draw: st.DrawFn) -> str:
    """A route over few words, so that many match one request."""
    steps = draw(st.lists(segments, max_size=4, unique_by=lambda one: one if "{" in one else object()))
    end = (
        draw(st.sampled_from(["", "/", "/{rest...}"]))
        if steps
        else draw(st.sampled_from(["/", "/{rest...}"]))
    )
    method = draw(st.sampled_from(["GET", "POST", "HEAD", "*"]))
    return f"{method} /{'/'.join(steps)}{end}" if steps else f"{method} {end}"


def distinct(texts: list[str]) -> list[str]:
    """Without those that a catalog would refuse beside an earlier one."""
    return list({parse(text).shape: text for text in reversed(texts)}.values())


paths = st.lists(st.sampled_from([*WORDS, "c", "%40", "%E5%B7%A5"]), max_size=5).flatmap(
    lambda steps: st.sampled_from(["", "/"]).map(lambda end: f"/{'/'.join(steps)}{end if steps else ''}")
)


def rank(route: Route, method: str, steps: list[str], decoded: list[str]) -> tuple[list[Sort], int] | None:
    """How specific a route is for a request; None if it does not match. `decoded` is for its literals."""
    ranks = [route.method == method, method == "HEAD" and route.method == "GET", route.method == "*"]
    if True not in ranks:
        return None
    sorts = []
    for number, (sort, text) in enumerate(route.segments):
        if number >= len(steps) or (sort is Sort.LITERAL and decoded[number] != text):
            return None
        if sort is not Sort.LITERAL and not steps[number]:
            return None
        sorts.append(sort)
        if sort is Sort.REST:
            return sorts, ranks.index(True)
    return (sorts, ranks.index(True)) if len(steps) == len(sorts) else None


def reference(texts: list[str], method: str, path: str) -> Call | Reason:
    """Every route, ranked in both readings of the path; where they differ, neither."""
    steps = path.removeprefix("/").split("/")
    plain = [one.replace("%40", "@").replace("%E5%B7%A5", "工") for one in steps]
    best = []
    for reading in (plain, steps):
        found = [(rank(parse(text), method, steps, reading), text) for text in texts]
        ranked = sorted((place, text) for place, text in found if place is not None)
        best.append(ranked[0][1] if ranked else None)
    if best[0] != best[1]:
        return Reason.PATH
    if best[0] is None:
        return Reason.API_UNKNOWN
    pairs = zip(parse(best[0]).segments, plain, strict=False)
    filled = {name: text for (sort, name), text in pairs if sort is Sort.CAPTURE and name in FILLED}
    return Call(f"r{texts.index(best[0])}", **filled)


def lenient(texts: list[str], method: str, path: str) -> set[str]:
    """The APIs that a server may take a request for which minds neither case nor a slash at the end."""
    steps = loosely(path).replace("%40", "@").replace("%e5%b7%a5", "工").removeprefix("/").split("/")
    found = [(rank(parse(loosely(text)), method, steps, steps), number) for number, text in enumerate(texts)]
    ranked = sorted((place, number) for place, number in found if place is not None)
    return {f"r{number}" for place, number in ranked if place == ranked[0][0]}


def loosely(text: str) -> str:
    """A route or a path in small letters, without a slash at its end."""
    method, _, path = text.rpartition(" ")
    kept = path if path == "/" else path.removesuffix("/")
    return f"{method} {kept.lower()}".strip()


@settings(max_examples=1500, deadline=None)
@given(st.lists(route_texts(), max_size=12), st.sampled_from(["GET", "POST", "HEAD", "PUT"]), paths)
def test_the_trie_finds_what_a_look_at_every_route_finds(texts: list[str], method: str, path: str) -> None:
    texts = distinct(texts)
    wanted = reference(texts, method, path)
    if isinstance(wanted, Call) and wanted.api not in lenient(texts, method, path):
        wanted = Reason.PATH
    assert routes(*texts).match(method, path) == wanted


@settings(max_examples=500, deadline=None)
@given(route_texts(), st.data())
def test_a_request_that_is_built_from_a_route_matches_it(text: str, data: st.DataObject) -> None:
    """With any text in its captures that may stand there, and with any query."""
    route = parse(text)
    texts = st.text(min_size=1, max_size=8).filter(
        lambda one: segments_of("/" + quote(one, safe="")) is not None
    )
    values = {one.text: data.draw(texts) for one in route.segments if one.sort is not Sort.LITERAL}
    path = "/".join(
        one.text if one.sort is Sort.LITERAL else quote(values[one.text], safe="") for one in route.segments
    )
    method = "PATCH" if route.method == "*" else route.method
    expected = {name: value for name, value in values.items() if name in FILLED}
    assert routes(text).match(method, f"/{path}?{data.draw(st.text('a=&?/%', max_size=5))}") == Call(
        "r0", **expected
    )


@settings(max_examples=1000, deadline=None)
@given(
    st.text(max_size=12), st.text(max_size=60) | st.text("/.%;\\2Ff5Cc0ae?#", max_size=40).map("/".__add__)
)
def test_no_request_breaks_it(method: str, uri: str) -> None:
    found = ROUTES.match(method, uri)
    assert isinstance(found, Call) or found in (Reason.PATH, Reason.API_UNKNOWN)


@settings(max_examples=1000, deadline=None)
@given(st.text("/.%;\\2Ff5Cc0aeE~ä", max_size=30).map("/".__add__))
def test_a_path_that_is_taken_has_one_reading(uri: str) -> None:
    """Decoding it once more, cutting it after decoding or normalising its dots changes nothing."""
    path = segments_of(uri)
    assume(path is not None)
    assert path is not None
    whole = "/" + "/".join(path.texts)
    assert len(whole.split("/")) - 1 == len(path.texts)
    assert not {".", ".."} & set(path.texts)
    assert all(path.texts[:-1])
    assert not set(whole) & set("\\;#?\0")


def mixture(number: int) -> list[str]:
    """Twelve segments, each a literal or a capture by the bits of a number."""
    return ["a" if number >> bit & 1 else f"{{x{bit}}}" for bit in range(12)]


@pytest.mark.parametrize(
    "path", ["/v1/ADMIN", "/v1/admin/", "/v1/Admin/", "/v1/%EF%BC%A1dmin", "/v1/keys/1/", "/V1/admin"]
)
def test_a_path_that_a_lenient_server_takes_for_a_narrower_route_is_refused(path: str) -> None:
    found = Routes.of(
        [
            Entry(name="general", routes=("GET /{rest...}",)),
            Entry(name="admin", routes=("GET /v1/admin", "GET /v1/keys/{key}")),
        ]
    )
    assert found.match("GET", path) is Reason.PATH
    assert found.match("GET", "/v1/admin") == Call(api="admin")
    assert found.match("GET", "/v1/Other/") == Call(api="general")


def test_routes_that_differ_by_case_or_by_the_slash_alone_are_told_apart() -> None:
    """Whoever declares both has a server that tells them apart."""
    found = Routes.of(
        [Entry(name="a", routes=("GET /x", "GET /y")), Entry(name="b", routes=("GET /X", "GET /y/"))]
    )
    matched = [found.match("GET", path) for path in ("/x", "/X", "/y", "/y/")]
    assert matched == [Call(api="a"), Call(api="b"), Call(api="a"), Call(api="b")]
