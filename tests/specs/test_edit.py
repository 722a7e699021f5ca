"""Editing a spec changes what was asked for, and leaves every other byte where it is."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import UsageError
from reconciler.specs.assign import parse
from reconciler.specs.edit import chunks, formatted, with_fields, without_document
from reconciler.specs.reader import read_file
from reconciler.specs.write import new_document
from tests.specs.samples import FULL, text_of

FILE = """\
# yaml-language-server: $schema=../.schema.json
# Tokens of plant A.
apiVersion: reconciler/v1   # the only one
kind:   RSAToken
metadata:
    name: a  # the name
    title: 2027-13-45
    # who
    labels: {env:  prod}
spec:
    # what it may call
    apis:
    - b.read   # for the panel
    # for the archive
    - c.read
    projects: [ "*" ]

# when it ends
lifecycle:
    # why so soon
    expires: 2027-06-30   # as agreed
    # how often
    rotate:
        every: 90d
deliver: {format: yaml}
--- # the next one
apiVersion: reconciler/v1
kind: LoginToken
metadata:   {name: b}
spec:
  {aud: A, sap: B, jti: '00000001', api: "*", shop: "*", role: "*", rule: "*"}
...
---
# nothing here
---
apiVersion: reconciler/v1
kind: TokenAuth
metadata: {name: c}
spec: {name: ERP}  # no end of line"""
LINES = {"a": 6, "b": 28, "c": 36}


def edited(name: str, kind: str, *words: str, text: str = FILE) -> str:
    return with_fields(text, LINES[name], parse(words, kind))


def changes(before: str, after: str) -> list[str]:
    """The lines that went and came, as a diff shows them."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


# the words → the lines that go and come
EDITS = {
    "apis+=d.read": ["+    - d.read"],
    "apis-=b.read": ["-    - b.read   # for the panel"],
    "apis+=c.read": [],
    "apis=c.read": ["-    - b.read   # for the panel"],
    "apis=*": ["-    - b.read   # for the panel", '+    - "*"', "-    - c.read"],
    "projects=p,q": ['-    projects: [ "*" ]', "+    projects: [p, q]"],
    "expires=180d": ["-    expires: 2027-06-30   # as agreed", "+    expires: 180d         # as agreed"],
    "expires=2027-06-30": [],
    "expires=": ["-    expires: 2027-06-30   # as agreed"],
    "keySize=4096": ["+    keySize: 4096"],
    "rotate.overlap=3d": ["+        overlap: 3d"],
    "rotate=": ["-    rotate:", "-        every: 90d"],
    "protect=true": ["+    protect: true"],
    "enabled=false": ["+    enabled: false"],
    "owner=team-x": ["+    owner: team-x"],
    "title=true": ["-    title: 2027-13-45", '+    title: "true"'],
    "title=a: b": ["-    title: 2027-13-45", '+    title: "a: b"'],
    "title=工厂 A": ["-    title: 2027-13-45", "+    title: 工厂 A"],
    "labels.team=12": ["-    labels: {env:  prod}", '+    labels: {env: prod, team: "12"}'],
    "labels.example.com/site=a": [
        "-    labels: {env:  prod}",
        "+    labels: {env: prod, example.com/site: a}",
    ],
    "labels.env=": ["-    labels: {env:  prod}"],
    "labels.other=": [],
    "kubernetes.name=": [],
    "format=json": ["-deliver: {format: yaml}", "+deliver: {format: json}"],
    "metadata.owner=": [],
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("word", EDITS)
def test_only_the_lines_of_the_field_change_and_every_comment_stays(word: str, end: str) -> None:
    before = FILE.replace("\n", end)
    after = with_fields(before, LINES["a"], parse([word], "RSAToken"))
    assert after.count("\r\n") == (after.count("\n") if end == "\r\n" else 0)
    assert sorted(changes(FILE, after.replace("\r\n", "\n"))) == sorted(EDITS[word])
    for comment in (
        "# what it may call",
        "# for the archive",
        "# why so soon",
        "# how often",
        "# when it ends",
    ):
        assert comment in after


def test_new_fields_stand_before_the_remarks_on_what_comes_next() -> None:
    after = edited("a", "RSAToken", "keySize=4096")
    assert '    projects: [ "*" ]\n    keySize: 4096\n\n# when it ends\nlifecycle:\n' in after


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [("b", "LoginToken", ["jti=00000002", "role=a,b", "rule=r"]), ("c", "TokenAuth", ["enable=0"])],
)
def test_the_other_documents_stay_to_the_byte(name: str, kind: str, words: list[str]) -> None:
    after = edited(name, kind, *words)
    pairs = zip(chunks(FILE), chunks(after), strict=True)
    assert [one.text != other.text for one, other in pairs].count(True) == 1
    assert read_file("f", after.encode()).faults == []


def test_chunks_joined_are_the_file_and_know_their_lines() -> None:
    for text in (
        FILE,
        "",
        "\n",
        "a: 1",
        "---\na: 1\n",
        "# c\n---\na\n",
        "%YAML 1.2\n---\na\n...\nb: 1\n",
        "a\n...\n",
    ):
        found = chunks(text)
        assert "".join(chunk.text for chunk in found) == text
        assert found[0].first_line == 1
        for chunk in found:
            assert (
                text.split("\n")[chunk.first_line - 1 :][:1] == chunk.text.split("\n")[:1] or chunk.text == ""
            )
    assert [chunk.first_line for chunk in chunks(FILE)] == [1, 26, 32, 34] or chunks(FILE)[0].last_line == 26


@pytest.mark.parametrize(
    ("text", "line", "left"),
    [
        ("a: 1\n", 1, ""),
        ("# c\na: 1\n", 2, ""),
        ("a: 1\n---\nb: 2\n", 1, "b: 2\n"),
        ("a: 1\n---\nb: 2\n", 3, "a: 1\n"),
        ("---\na: 1\n---\nb: 2\n", 2, "---\nb: 2\n"),
        ("---\na: 1\n---\nb: 2\n", 4, "---\na: 1\n"),
        ("a: 1\n--- # x\nb: 2\n---\nc: 3\n", 3, "a: 1\n---\nc: 3\n"),
        ("a: 1\n...\n---\nb: 2\n", 4, "a: 1\n...\n"),
        ("a: 1\r\n---\r\nb: 2\r\n", 1, "b: 2\r\n"),
        ("a: 1\n---\n# only remarks\n", 1, ""),
        (
            "# yaml-language-server: $schema=s\na: 1\n---\nb: 2\n",
            2,
            "# yaml-language-server: $schema=s\nb: 2\n",
        ),
        ("# yaml-language-server: $schema=s\na: 1\n", 2, ""),
    ],
)
def test_a_removed_document_takes_its_separator_along_and_nothing_else(
    text: str, line: int, left: str
) -> None:
    assert without_document(text, line) == left


def test_an_edit_of_what_is_no_mapping_or_no_yaml_is_refused() -> None:
    for text, words in (("- a\n", "not a mapping"), ("a: [\n", "not YAML"), ("a: 1\na: 2\n", "not YAML")):
        with pytest.raises(UsageError, match=words):
            with_fields(text, 1, parse(["owner=x"], "RSAToken"))


def test_fields_of_parts_that_are_not_there_yet_are_added_with_the_part() -> None:
    after = with_fields(text_of("RSAToken"), 4, parse(["rotate.every=90d", "labels.env=prod"], "RSAToken"))
    assert after == text_of("RSAToken").replace("  name: x\n", "  name: x\n  labels:\n    env: prod\n") + (
        "lifecycle:\n  rotate:\n    every: 90d\n"
    )


def test_aliases_and_anchors_stay() -> None:
    text = (
        text_of("RSAToken").replace('apis: ["*"]', "apis: &n [a]").replace('projects: ["*"]', "projects: *n")
    )
    assert with_fields(text, 4, parse(["keySize=2048"], "RSAToken")) == text + "  keySize: 2048\n"


def test_a_byte_order_mark_and_a_missing_last_line_end_stay() -> None:
    text = "\ufeff" + text_of("TokenAuth").rstrip("\n")
    after = with_fields(text, 4, parse(["owner=x"], "TokenAuth"))
    assert after.startswith("\ufeffapiVersion")
    assert read_file("f", after.encode()).tokens[0].spec().metadata.owner == "x"


ODD = "a: 0x1F\nb: 1e3\nc: 007\nd: ~\ne: null\nf:\ng: 1_000\nh: yes\n"
FORMATTED = {
    "a:   1\n": "a: 1\n",
    "a:\n- b\n": "a:\n  - b\n",
    "a:\n      b: c   \n": "a:\n  b: c\n",
    "a: 'x'   # c\n": "a: 'x'   # c\n",
    "a: [1,2]\n": "a: [1, 2]\n",
    "a: |\n    x  \n    y\n": "a: |\n  x  \n  y\n",
    ODD: ODD,
    "a:\n    # c\n    b: 1\n": "a:\n  # c\n  b: 1\n",
    "# only a remark  \n": "# only a remark  \n",
    "a: 1\n---\nb:   2\n": "a: 1\n---\nb: 2\n",
    "a:   1\r\nb: 2\r\n": "a: 1\r\nb: 2\r\n",
    "": "",
}


@pytest.mark.parametrize("before", FORMATTED)
def test_the_format_is_even_and_keeps_quotes_numbers_and_remarks_as_they_are_written(before: str) -> None:
    assert formatted(before) == FORMATTED[before]
    assert formatted(formatted(before)) == formatted(before)


def test_an_edit_of_lines_that_are_joined_by_writing_them_writes_the_document_anew() -> None:
    """A text over two lines is written on one, so the lines cannot be told apart: the meaning goes first."""
    text = text_of("RSAToken").replace("  name: x\n", '  name: x\n  title: "one\n    two"\n')
    after = with_fields(text, 4, parse(["owner=o"], "RSAToken"))
    spec = read_file("f", after.encode()).tokens[0].spec()
    assert (spec.metadata.title, spec.metadata.owner) == ("one two", "o")
    assert read_file("f", formatted(text).encode()).tokens[0].spec().metadata.title == "one two"


def test_what_is_no_yaml_is_not_formatted() -> None:
    with pytest.raises(UsageError, match="this file is not YAML"):
        formatted("a: [\n")


remark = st.sampled_from(["", "  # note", "   #note"])
space = st.sampled_from([" ", "  ", "   "])
indent = st.sampled_from(["  ", "   ", "    "])
between = st.sampled_from(["", "\n", "# alone\n", "\n# two\n\n"])
name = st.from_regex(r"\A[a-z][a-z0-9.]{0,6}\Z").filter(lambda word: word not in ("y", "n"))


@st.composite
def specs(draw: st.DrawFn) -> str:
    """An RSAToken as people write them: any indentation, blanks, quotes, remarks."""
    step, flush = draw(indent), draw(st.booleans())
    quote = draw(st.sampled_from(["", "'", '"']))

    def names(field: str) -> str:
        words = draw(st.lists(name, min_size=1, max_size=3, unique=True))
        if draw(st.booleans()):
            inside = f",{draw(space)}".join(f"{quote}{word}{quote}" for word in words)
            return f"{step}{field}:{draw(space)}[{inside}]{draw(remark)}\n"
        dash = step if flush else step + "  "
        items = "".join(f"{dash}-{draw(space)}{quote}{word}{quote}{draw(remark)}\n" for word in words)
        return f"{step}{field}:{draw(remark)}\n{items}"

    def field(name: str, value: str, depth: int = 1) -> str:
        return f"{step * depth}{name}:{draw(space)}{value}{draw(remark)}\n"

    parts = [
        "metadata:\n" + field("name", draw(st.from_regex(r"\A[a-z][a-z0-9-]{0,6}[a-z]\Z"))) + draw(between),
        "spec:\n" + names("apis") + draw(between) + names("projects"),
    ]
    if draw(st.booleans()):
        parts.append("lifecycle:\n" + f"{step}rotate:\n" + field("every", "90d", 2) + draw(between))
    return "apiVersion: reconciler/v1\nkind: RSAToken\n" + draw(between).join(parts)


@settings(max_examples=120, deadline=None)
@given(texts=st.lists(specs(), min_size=1, max_size=3), end=st.sampled_from(["\n", "\r\n"]))
def test_formatting_is_done_once_and_changes_no_meaning(texts: list[str], end: str) -> None:
    before = "---\n".join(texts).replace("\n", end)
    old = read_file("f", before.encode())
    after = formatted(before)
    assert formatted(after) == after
    new = read_file("f", after.encode())
    assert [token.normal for token in new.tokens] == [token.normal for token in old.tokens]
    assert before.count("#") == after.count("#")


WORDS = """apis+=new.api projects=p keySize=4096 owner=o enabled=false rotate.every=60d rotate.overlap=2d
expires=2027-06-30 labels.env=prod format=json title=a#b title= apis=x,y,z"""
ONE = st.sampled_from(WORDS.split())


@settings(max_examples=120, deadline=None)
@given(
    texts=st.lists(specs(), min_size=1, max_size=3),
    data=st.data(),
    words=st.lists(ONE, min_size=1, max_size=3),
)
def test_an_edit_keeps_every_remark_that_stands_alone_and_all_other_documents(
    texts: list[str], data: st.DataObject, words: list[str]
) -> None:
    before = "---\n".join(texts)
    which = data.draw(st.integers(0, len(texts) - 1))
    line = before.split("---\n")[:which]
    number = sum(part.count("\n") + 1 for part in line) + 2
    after = with_fields(before, number, parse(words, "RSAToken"))
    parts = after.split("---\n")
    assert [part for at, part in enumerate(parts) if at != which] == [
        text for at, text in enumerate(texts) if at != which
    ]
    alone = [text.strip() for text in texts[which].split("\n") if text.lstrip().startswith("#")]
    kept = [text.strip() for text in parts[which].split("\n") if text.lstrip().startswith("#")]
    assert kept == alone
    again = with_fields(after, number, parse(words, "RSAToken"))
    assert read_file("f", again.encode()).tokens[which:] == read_file("f", after.encode()).tokens[which:]


def test_a_note_behind_a_field_does_not_hide_how_its_list_is_indented() -> None:
    """The list stays flush with its field, and the remark below it stays."""
    before = (
        "apiVersion: reconciler/v1\nkind: RSAToken\nmetadata:\n  name: aa\nspec:  # what it needs\n"
        "  apis:  # note\n  - a\n  projects:  # note\n  - a\n# alone\nlifecycle:\n  rotate:\n    every: 90d\n"
    )
    after = with_fields(before, 2, parse(["apis+=new.api", "projects=p"], "RSAToken"))
    assert after == before.replace("apis:  # note\n  - a\n", "apis:  # note\n  - a\n  - new.api\n").replace(
        "projects:  # note\n  - a\n", "projects:  # note\n  - p\n"
    )


def test_a_new_spec_is_written_as_a_person_would() -> None:
    words = [
        "aud=A",
        "sap=*",
        "jti=12345678",
        "api=*",
        "shop=a,b",
        "role=*",
        "rule=r",
        "ipm=10.0.0.0/8",
        "owner=o",
    ]
    assert new_document(
        "LoginToken", "kiosk", parse([*words, "labels.env=prod", "rotate.every=90d"], "LoginToken")
    ) == (
        "apiVersion: reconciler/v1\nkind: LoginToken\n"
        "metadata:\n  name: kiosk\n  owner: o\n  labels:\n    env: prod\n"
        'spec:\n  aud: A\n  sap: "*"\n  jti: "12345678"\n  api: "*"\n  shop: [a, b]\n  role: "*"\n  rule: r\n'
        "  ipm: 10.0.0.0/8\nlifecycle:\n  rotate:\n    every: 90d\n"
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("RSAToken", ["apis=a,b", "projects=*", "keySize=2048", "algorithm=PS256", "expires=2027-06-30"]),
        ("JWTToken", ["apis=a", "users=1", "lifetime=30d", "format=json"]),
        (
            "LoginToken",
            ["aud=1", "sap=B", "jti=00000001", "api=x", "shop=*", "role=a", "rule=b", "dvm=d1,d2"],
        ),
        (
            "TokenAuth",
            [
                "name=true",
                "fieldmap.username=login",
                "expire=60",
                "enable=1",
                "inituser=false",
                "initpwd=env://P",
            ],
        ),
    ],
)
def test_a_new_spec_of_each_kind_is_valid(kind: str, words: list[str]) -> None:
    text = new_document(kind, "true", parse(words, kind))
    assert read_file("f", text.encode()).faults == []
    assert formatted(text) == text


def test_the_samples_can_be_edited_and_formatted() -> None:
    for kind, text in FULL.items():
        assert [token.normal for token in read_file("f", formatted(text).encode()).tokens] == [
            token.normal for token in read_file("f", text.encode()).tokens
        ]
        assert with_fields(text, 3, parse(["title=x"], kind)) != text
