"""`validate --format github`: what a workflow's runner makes of it."""

from __future__ import annotations

import contextlib
import io
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.cli.output import in_line, visible
from reconciler.cli.reports.github import command, echo
from reconciler.cli.reports.interface import Findings
from reconciler.specs.faults import Fault
from reconciler.specs.reader import read_file
from tests.cli.kit import AUTH, JWT, Shop
from tests.cli.runner import Command, commands
from tests.specs.test_fuzz import SEEDS, edited

ORDERS = [
    "::set-output name=x::y", "##[add-mask]x", "##[stop-commands]x", "::error::x", "::endgroup::", "::", ":",
    "#", "##", "[", "]", "%0A::error::x", "%0D%0A", "%25", "%", "\r", "\n", "\r\n::warning::w",
    "\x0b::debug::d", "\t", " ", "\u2028", "\x85", "\u034f", "\u200b", "\xad", "\ufe0f", "\x1b[31m", "\0",
    ",", "=", "title=x", "工", "😀", "e\u0301",
]  # fmt: skip
hostile = st.lists(st.one_of(st.sampled_from(ORDERS), st.text(max_size=4)), max_size=8).map("".join)
numbers = st.integers(1, 10**6)


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    """Any fault at all, with orders for the runner in every text of it."""
    return Fault(
        draw(hostile), draw(numbers), draw(numbers), draw(hostile), draw(hostile), draw(hostile),
        draw(hostile), draw(st.integers(1, 30)), draw(st.integers(0, 5)),
    )  # fmt: skip


def found(faults: list[Fault], warnings: list[Fault] | None = None, prefix: str = "") -> Findings:
    return Findings(faults, warnings or [], tokens=0, whole=True, prefix=prefix)


def printed(findings: Findings) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        echo(findings)
    return out.getvalue()


def named(output: str, *names: str) -> list[Command]:
    return [one for one in commands(output) if one.name in names]


# what the runner reads


@settings(deadline=None)
@given(st.lists(faults(), max_size=3), st.lists(faults(), max_size=3), hostile)
def test_nothing_is_obeyed_but_our_own_commands(wrong: list[Fault], warned: list[Fault], prefix: str) -> None:
    """Whatever stands in files, names, messages and lines."""
    read = commands(printed(found(wrong, warned, prefix)))
    around = ["group", "endgroup"] if wrong or warned else []
    assert [one.name for one in read] == around + ["error"] * len(wrong) + ["warning"] * len(warned)


@settings(deadline=None)
@given(faults(), hostile)
def test_an_annotation_arrives_as_it_was_meant(fault: Fault, prefix: str) -> None:
    (read,) = named(printed(found([fault], prefix=prefix)), "error")
    assert read.properties.get("file", "") == in_line(f"{prefix}{fault.file}")
    assert read.properties["line"] == read.properties["endLine"] == str(fault.line)
    assert read.properties["col"] == str(fault.column + fault.wide)
    assert int(read.properties.get("endColumn", "999999999")) >= int(read.properties["col"])
    assert read.properties.get("title", "") == in_line(fault.rule).rstrip()
    assert read.data == "\n".join(filter(None, (in_line(fault.message), in_line(fault.hint))))


@settings(deadline=None)
@given(st.dictionaries(st.from_regex(r"\A[a-z]{4,8}\Z"), hostile), hostile)
def test_every_text_goes_through_a_command_unchanged(properties: dict[str, str], data: str) -> None:
    """But blanks at the end of the last property, which ours do not have."""
    line = command("error", data, **properties, end="x")
    assert "\n" not in line
    assert "\r" not in line
    (read,) = commands(line)
    assert (read.name, read.data) == ("error", data)
    assert read.properties == {key: value for key, value in properties.items() if value} | {"end": "x"}


@settings(deadline=None)
@given(hostile)
def test_what_is_visible_is_no_command(text: str) -> None:
    """Of any command of ours, on any line. It keeps its length, and is the same when it is shown again."""
    assert commands(visible(text)) == []
    assert commands(in_line(text)) == []
    assert len(visible(text)) == len(text)
    assert visible(visible(text)) == visible(text)


def test_what_only_looks_a_little_like_a_command_is_left_alone() -> None:
    for text in ("::1", "10.0.0.1, ::1", "2001:db8::1", "a::b::c", "# a [b]", "#[x]", "## title", "- #1 [x]"):
        assert visible(text) == text


places = st.integers(0, 3000)
edits = st.lists(
    st.tuples(st.just("put"), places, st.sampled_from(ORDERS).map(str.encode)), min_size=1, max_size=8
)


@settings(deadline=None)
@given(st.sampled_from(SEEDS), edits)
def test_no_file_says_anything_to_the_runner(seed: bytes, changes: list[tuple[str, int, bytes]]) -> None:
    """Through the reader of specs: the names, values and lines that its faults repeat."""
    read = sorted(read_file("specs/a.yaml", edited(seed, changes)).faults)
    (*_, last) = [one.name for one in commands(printed(found(read)))] or ["error"]
    assert last == "error"
    assert len(named(printed(found(read)), "error")) == min(len(read), 10)
    assert len(commands(printed(found(read)))) == min(len(read), 10) + (2 if read else 0)


@pytest.mark.parametrize("arguments", [["##[add-mask]x"], ["a\n::add-mask::x"], ["--##[add-mask]x"]])
def test_what_stands_in_arguments_is_not_obeyed(arguments: list[str], shop: Shop) -> None:
    """A pipeline passes the names of files that a pull request brings."""
    shop.spec(AUTH)
    ran = shop.run("validate", "--format", "github", *arguments)
    assert ran.code == 64
    assert commands(ran.out + ran.err) == []


# the limits


def test_up_to_ten_of_a_level_are_annotated_each() -> None:
    ten = [Fault("f", number, 1, "r", "m") for number in range(1, 11)]
    read = commands(printed(found(ten, ten)))
    assert [one.properties["line"] for one in read if one.name == "error"] == [str(n) for n in range(1, 11)]
    assert len([one for one in read if one.name == "warning"]) == 10


def test_of_more_the_worst_are_annotated_and_the_tenth_counts_the_rest() -> None:
    """10,001 faults: a secret at the end of the last file comes first. The log has them all."""
    many = [Fault(f"specs/{number % 7}.yaml", number, 1, "unknown-field", "m") for number in range(1, 10_001)]
    secret = Fault("specs/z.yaml", 9, 9, "secret.literal", "a secret")
    output = printed(found(sorted([*many, secret]), many[:11]))
    errors, warnings = named(output, "error"), named(output, "warning")
    assert (len(errors), len(warnings)) == (10, 10)
    assert errors[0].properties["title"] == "secret.literal"
    assert [one.properties["file"] for one in errors[1:9]] == ["specs/0.yaml"] * 8
    assert errors[9].data == "9992 faults more in 7 files: the log of this step has the list"
    assert errors[9].properties == {"title": "10,001 of them in all"}
    assert warnings[9].data == "2 warnings more in 2 files: the log of this step has the list"
    assert output.count("[unknown-field]") == 10_000 + 11
    assert output.count("[secret.literal]") == 1


def test_ten_thousand_faults_of_one_file_by_the_command_line(shop: Shop) -> None:
    fields = "".join(f"  field{number}: 1\n" for number in range(9_999))
    shop.spec(f"apiVersion: reconciler/v1\nkind: TokenAuth\nmetadata: {{}}\nspec:\n{fields}")
    ran = shop.run("validate", "--format", "github")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.startswith("::group::10001 faults, 0 warnings\nspecs/tokens.yaml:")
    assert ran.out.endswith("\n10001 faults in 1 file.\n")
    read = commands(ran.out)
    assert [one.name for one in read] == ["group", "endgroup"] + ["error"] * 10


def test_a_long_message_stays_below_what_a_runner_cuts() -> None:
    (read,) = named(printed(found([Fault("f", 1, 1, "r", "m" * 9_000, "h" * 9_000)])), "error")
    assert len(read.data) == 2_001
    assert "\nhhh" in read.data


# what it says


def test_the_whole_of_it(shop: Shop) -> None:
    """Golden: two faults and a warning, in a workspace in a folder of its repository."""
    (shop.root / ".git").mkdir()
    shop.write("plants: a, 100%/specs/a.yaml", AUTH.replace("name: ERP", "name: ERP, algorithm: HS265"))
    shop.write(
        "plants: a, 100%/specs/b.yaml", AUTH.replace("name: erp", "name: mes, titel: '😀 x', owner: 1")
    )
    ran = shop.run("-C", "plants: a, 100%", "validate", "--format", "github")
    assert ran.code == 1
    assert ran.err == ""
    assert ran.out == GOLDEN


GOLDEN = """\
::group::3 faults, 0 warnings
specs/a.yaml:4:30: algorithm is "HS265"; it can be HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384 … \
[tokenauth.algorithm]
   4 | spec: {name: ERP, algorithm: HS265, initroles: [SYS_Reader]}
     |                              ^^^^^ did you mean HS256?
specs/b.yaml:3:23: metadata has no field "titel" [unknown-field]
   3 | metadata: {name: mes, titel: '😀 x', owner: 1}
     |                       ^^^^^ did you mean title?
specs/b.yaml:3:44: owner is the number 1; it takes text [metadata.owner]
   3 | metadata: {name: mes, titel: '😀 x', owner: 1}
     |                                             ^ put it in quotes: "1"
::endgroup::
::error file=plants%3A a%2C 100%25/specs/b.yaml,line=3,endLine=3,col=23,endColumn=28,title=unknown-field::\
metadata has no field "titel"%0Adid you mean title?
::error file=plants%3A a%2C 100%25/specs/a.yaml,line=4,endLine=4,col=30,endColumn=35,\
title=tokenauth.algorithm::algorithm is "HS265"; it can be HS256, HS384, HS512, RS256, RS384, RS512, ES256, \
ES384 …%0Adid you mean HS256?
::error file=plants%3A a%2C 100%25/specs/b.yaml,line=3,endLine=3,col=45,endColumn=46,\
title=metadata.owner::owner is the number 1; it takes text%0Aput it in quotes: "1"
3 faults in 2 files.
"""


def test_columns_are_counted_as_a_browser_counts_them(shop: Shop) -> None:
    """😀 is one character and two units of UTF-16, before what is meant and in it."""
    shop.spec(JWT.replace("owner: team-mes", 'title: "😀😀", "😀wner": a').replace("users", "user"))
    read = named(shop.run("validate", "--format", "github").out, "error")
    places = [(one.properties["col"], one.properties["endColumn"]) for one in read]
    assert places == [("41", "49"), ("1", "5"), ("29", "33")]
    faults = shop.run("validate", "--format", "json").json["faults"]
    assert [fault["column"] for fault in faults] == [39, 1, 29]


def test_of_a_line_that_may_hold_a_secret_no_end_is_told() -> None:
    text = AUTH.replace("name: ERP", 'title: "😀", secret: CANARY-abcd')
    output = printed(found(sorted(read_file("f", text.encode()).faults)))
    first = named(output, "error")[0]
    assert first.properties["title"] == "secret.literal"
    assert first.properties["col"] == str(text.splitlines()[3].index("secret") + 2)
    assert "endColumn" not in first.properties
    assert "CANARY" not in output


def test_a_workspace_in_no_repository_is_its_own_top(shop: Shop) -> None:
    shop.spec("kind: 1\n")
    read = named(shop.run("validate", "--format", "github").out, "error")
    assert {one.properties["file"] for one in read} == {"specs/tokens.yaml"}


def test_the_top_of_a_worktree_is_the_worktree(shop: Shop, tmp_path: Path) -> None:
    """There `.git` is a file."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (
        ["init", "--quiet", "."],
        ["commit", "--quiet", "--allow-empty", "-m", "x"],
        ["worktree", "add", "--quiet", str(tmp_path / "tree")],
    ):
        subprocess.run([*git, *arguments], cwd=shop.root, check=True, capture_output=True)
    inner = tmp_path / "tree" / "acme" / "specs"
    inner.mkdir(parents=True)
    (inner / "a.yaml").write_text("kind: 1\n")
    read = named(shop.run("-C", str(inner.parent), "validate", "--format", "github").out, "error")
    assert {one.properties["file"] for one in read} == {"acme/specs/a.yaml"}


def test_no_fault_is_one_line(shop: Shop) -> None:
    shop.spec(AUTH)
    ran = shop.ok("validate", "--format", "github")
    assert (ran.out, ran.err) == ("1 spec, no faults.\n", "")
