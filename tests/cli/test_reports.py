"""What holds for `validate` in every format, and how a person sees a fault."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from rich.cells import cell_len

from reconciler.cli.faults import fault_text
from reconciler.cli.reports import all_reports
from reconciler.specs.faults import Fault
from tests.cli.kit import AUTH, JWT, RSA, Shop, on_terminal

FORMATS = list(all_reports())
CATALOG = """\
apiVersion: reconciler/v1
kind: Catalog
metadata: {name: all}
spec:
  apis: [device.list, {name: device.read, deprecated: use device.list}, {name: "@g", members: [device.read]}]
"""

# every format


def test_the_formats_are_those_of_the_design() -> None:
    assert FORMATS == ["github", "json", "sarif", "text"]


@pytest.mark.parametrize("form", FORMATS)
def test_exit_codes_say_whether_there_are_faults(form: str, shop: Shop) -> None:
    shop.spec(AUTH)
    assert shop.run("validate", "--format", form).code == 0
    shop.spec("kind: 1\n", "b.yaml")
    assert shop.run("validate", "--format", form).code == 1
    assert shop.run("validate", "--format", form, "specs/tokens.yaml").code == 0
    assert shop.run("validate", "--format", form, "specs/none.yaml").code == 64


@pytest.mark.parametrize("form", FORMATS)
def test_paths_and_another_folder_are_minded(form: str, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.spec("kind: 1\n", "a.yaml")
    shop.spec("kind: 2\n", "b.yaml")
    assert "specs/a.yaml" in shop.run("validate", "--format", form).out
    out = shop.run("validate", "--format", form, "specs/b.yaml").out
    assert "specs/b.yaml" in out
    assert "specs/a.yaml" not in out
    monkeypatch.chdir("/")
    assert "specs/a.yaml" in shop.run("-C", str(shop.root), "validate", "--format", form).out


@pytest.mark.parametrize("form", FORMATS)
def test_there_is_no_colour_where_nobody_wants_it(form: str, shop: Shop) -> None:
    shop.spec("kind: 1\n")
    assert "\x1b" not in shop.run("validate", "--format", form).out
    code, shown = on_terminal(["validate", "--format", form], environ={"NO_COLOR": "1", "TERM": "xterm"})
    assert code == 1
    assert "\x1b" not in shown
    _, shown = on_terminal(["validate", "--format", form], environ={"NO_COLOR": "", "TERM": "xterm"})
    assert ("\x1b[" in shown) == (form == "text")


@pytest.mark.parametrize("form", FORMATS)
def test_whether_there_are_faults_is_told_to_a_reader_that_goes_away(form: str, shop: Shop) -> None:
    """`reconcile validate | head -1`, with more to print than a pipe holds: errors say how many."""
    fields = "".join(f"  field{number}: 1\n" for number in range(2_000))
    shop.spec(f"apiVersion: reconciler/v1\nkind: TokenAuth\nmetadata: {{}}\nspec:\n{fields}")
    command = (
        f"{sys.executable} -m reconciler.cli validate --format {form} | head -1; exit ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "2002 faults in 1 file.\n" if form == "text" else "")
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("form", FORMATS)
def test_no_format_shows_what_may_be_a_secret(form: str, shop: Shop) -> None:
    shop.spec(AUTH.replace("name: ERP", "name: ERP, secret: CANARY-abcd, algorithm: HS265"))
    shop.spec(JWT + "  # token: CANARY-efgh\n  foo: 1\n", "b.yaml")
    ran = shop.run("validate", "--format", form)
    assert ran.code == 1
    assert "secret.literal" in ran.out
    assert "CANARY" not in ran.out + ran.err


@pytest.mark.parametrize("form", FORMATS)
def test_what_the_reader_cannot_encode_is_no_crash(form: str, shop: Shop) -> None:
    shop.spec(AUTH.replace("erp}", "erp, titel: 工厂 😀}"))
    command = [sys.executable, "-m", "reconciler.cli", "validate", "--format", form]
    environ = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=60, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)


def test_who_was_shown_every_fault_is_not_sent_to_see_them(shop: Shop) -> None:
    """Other commands than validate print them all as well."""
    for number in range(3):
        shop.spec("kind: 1\n", f"{number}.yaml")
    ran = shop.run("plan")
    assert all(f"specs/{number}.yaml:1:7: " in ran.err for number in range(3))
    assert "see them" not in ran.err
    assert "hint:  correct them; reconcile validate says when none is left  [specs-invalid" in ran.err


def test_a_workspace_in_a_folder_that_is_no_utf_8_is_reported(shop: Shop) -> None:
    """The way to it is part of what `github` and `sarif` print."""
    folder = os.fsencode(shop.root) + b"/caf\xe9"
    os.makedirs(folder + b"/specs")  # noqa: PTH103 - a Path has no bytes
    with open(folder + b"/specs/a.yaml", "w") as file:  # noqa: PTH123 - nor here
        file.write("kind: 1\n")
    (shop.root / ".git").mkdir()
    for form in FORMATS:
        command = [
            sys.executable,
            "-m",
            "reconciler.cli",
            "-C",
            os.fsdecode(folder),
            "validate",
            "--format",
            form,
        ]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert (done.returncode, done.stderr.count(b"\n")) == (1, 1 if form == "text" else 0), done.stderr
        if form == "sarif":
            assert b'"uri": "caf%E9/specs/a.yaml"' in done.stdout


# warnings


@pytest.fixture
def outdated(shop: Shop) -> Shop:
    """Two specs that name what is deprecated: one by itself, one by a group too."""
    shop.spec(CATALOG, "catalog.yaml")
    shop.spec(f"{RSA}---\n{JWT}".replace("[device.read]", '["@g",\n  device.read]'))
    return shop


def test_warnings_stand_where_the_name_stands_and_are_no_faults(outdated: Shop) -> None:
    ran = outdated.ok("validate")
    assert ran.out == "2 specs, no faults.\n"
    assert ran.err == WARNED
    document = outdated.ok("validate", "--format", "json").json
    assert document["faults"] == []
    assert [(one["file"], one["line"], one["column"]) for one in document["warnings"]] == [
        ("specs/tokens.yaml", 4, 15),
        ("specs/tokens.yaml", 9, 15),
        ("specs/tokens.yaml", 10, 3),
    ]
    assert outdated.ok("validate", "--format", "json").err == ""


WARNED = """\
specs/tokens.yaml:4:15: warning: apis names "device.read", which is deprecated [catalog.deprecated]
   4 | spec: {apis: [device.read, device.list], projects: [plant-a], keySize: 2048}
     |               ^^^^^^^^^^^ use device.list
specs/tokens.yaml:9:15: warning: apis names the group "@g", in which "device.read" is deprecated \
[catalog.deprecated]
   9 | spec: {apis: ["@g",
     |               ^^^^ use device.list
specs/tokens.yaml:10:3: warning: apis names "device.read", which is deprecated [catalog.deprecated]
  10 |   device.read], users: [svc-mes]}
     |   ^^^^^^^^^^^ use device.list
"""


def test_a_workflow_gets_warnings_as_annotations(outdated: Shop) -> None:
    lines = outdated.ok("validate", "--format", "github").out.splitlines()
    assert lines[0] == "::group::0 faults, 3 warnings"
    assert (
        "::warning file=specs/tokens.yaml,line=10,endLine=10,col=3,endColumn=14,title=catalog.deprecated::"
        in (lines[-2])
    )
    assert lines[-1] == "2 specs, no faults."


def test_code_scanning_gets_warnings_as_results(outdated: Shop) -> None:
    (run,) = outdated.ok("validate", "--format", "sarif").json["runs"]
    assert [one["level"] for one in run["results"]] == ["warning"] * 3
    assert run["tool"]["driver"]["rules"][0]["defaultConfiguration"]["level"] == "warning"


def test_a_person_gets_fifty_warnings_and_a_count_of_the_others(shop: Shop) -> None:
    shop.spec(CATALOG, "catalog.yaml")
    shop.spec("---\n".join(JWT.replace("bridge", f"b{number}") for number in range(60)))
    err = shop.ok("validate").err
    assert err.count("[catalog.deprecated]") == 50
    assert err.endswith("\nand 10 warnings more: see them all with --format json\n")


def test_a_fault_that_is_found_over_several_files_shows_its_line_too(shop: Shop) -> None:
    shop.spec(AUTH, "a.yaml")
    shop.spec(JWT.replace("bridge", "erp"), "b.yaml")
    assert shop.run("validate").out.splitlines()[1:] == [
        "   3 | metadata: {name: erp, owner: team-mes}",
        "     |                  ^^^ a name is unique over the whole workspace, all kinds: choose another",
    ]


# the caret


def shown(source: str, meant: str, columns: int | None = None) -> tuple[str, str]:
    """What stands above the carets, and all of the line that is shown, in cells."""
    start = source.index(meant)
    fault = Fault("f", 1, start + 1, "r", "m", "h", source, len(meant))
    _, line, caret = fault_text(fault, columns=columns).splitlines()
    first, last = caret.index("^"), caret.rindex("^") + 1
    cells = "".join(one * max(0, cell_len(one)) for one in line)
    return cells[first:last], line


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("a: HS265", "HS265"),
        ("title: 工厂 A 历史库, owner: x", "x"),
        ("title: 😀, owner: x", "x"),
        ("title: e\u0301e\u0301, owner: x", "x"),
        ("\tapis:\t[x]", "[x]"),
        ("a: x ##[error] y", "y"),
        ("a: \u200b\u202e y", "y"),
    ],
)
def test_the_caret_points_at_what_is_meant(source: str, meant: str) -> None:
    """Below wide letters, below marks that take no room, behind tabs, and behind what is not shown."""
    above, _ = shown(source, meant)
    assert above == meant


def test_wide_letters_that_are_meant_have_two_carets_each() -> None:
    assert shown("title: 工厂", "工厂")[0] == "工工厂厂"


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_line_wider_than_the_terminal_is_cut_around_what_is_meant(columns: int) -> None:
    """A caret below a line that was wrapped points anywhere."""
    for before in ("a" * 150, "工" * 75, "", "b" * 20):
        for after in ("c" * 150, "厂" * 60):
            above, line = shown(f"{before}: HERE{after}", "HERE", columns)
            assert above == "HERE"
            assert cell_len(line) <= max(columns, 67)
            assert line.endswith("…")
            assert line.startswith("   1 | …") == (cell_len(before) > 28)


def test_on_a_terminal_a_line_is_as_wide_as_that(shop: Shop) -> None:
    shop.spec(
        AUTH.replace("name: ERP", f"name: ERP, token_name: {'a' * 60}, algorithm: HS265, x-{'b' * 20}: 1")
    )
    environ = {"NO_COLOR": "1", "COLUMNS": "80"}
    _, terminal = on_terminal(["validate", "specs"], environ=environ)
    lines = [line for line in terminal.splitlines() if line.startswith("   4 | ")]
    assert lines
    assert all(len(line) <= 80 for line in lines)
    assert "…" in lines[0]
    assert "…" not in "".join(
        line for line in shop.run("validate").out.splitlines() if line.startswith("   4 | ")
    )


def test_json_is_one_document(shop: Shop) -> None:
    shop.spec("kind: 1\n")
    ran = shop.run("validate", "--format", "json")
    assert list(json.loads(ran.out)) == ["schema", "faults", "warnings"]
    assert ran.err == ""
