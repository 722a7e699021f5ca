"""Every command that a page of `audit report` shows is run here: it prints the numbers that stand there."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest

from tests.audit.bodies import Runs, given
from tests.audit.lines import DAY, rsa, start
from tests.audit.test_report_page import printed
from tests.cli.kit import Shop
from tests.cli.test_audit_log import again

EXPIRING = "lifecycle: {expires: 20d}\n"
OFF = "lifecycle: {enabled: false}\n"
ROTATED = "lifecycle: {rotate: {every: 30d}}\n"
OF_TEAM = ", owner: ops"


@dataclass
class Page:
    """One that was written, and what its commands print."""

    text: str
    commands: list[str]
    shop: Shop

    def rows(self, label: str) -> list[list[str]]:
        """The cells of a table, without its heading."""
        (table,) = re.findall(
            rf'aria-label="{re.escape(label)}"[^>]*>\s*<table.*?<tbody>(.*?)</tbody>', self.text, re.DOTALL
        )
        found = []
        for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL):
            cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
            found.append([unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in cells])
        return found

    def figure(self, name: str) -> Any:
        """What the command of a figure prints."""
        (command,) = (one for one in self.commands if f"--figure {name} " in one)
        found = self.shop.ok(*shlex.split(command)[1:]).json
        assert found["schema"] == "reconciler/audit-report/v1"
        (told,) = found["figures"].values()
        return told

    def asked(self, question: str) -> list[str]:
        """The commands that ask further."""
        return [one for one in self.commands if one.startswith(f"reconcile audit {question} ")]


@pytest.fixture(params=["records", "declared"])
def page(request: pytest.FixtureRequest, shop: Shop) -> Page:
    """Of a branch that is not checked out, as of a time that is long past."""
    made, runs = start(shop.root), Runs()
    specs = {
        "late": rsa("late", "x", more=ROTATED, meta=OF_TEAM),
        "off": rsa("off", "x", more=OFF, meta=OF_TEAM),
        "over": rsa("over", "y", more=EXPIRING),
        "all": rsa("all", "*"),
        "most": rsa("most", "x", "y"),
    }
    files = {f"specs/{name}.yaml": text for name, text in specs.items()}
    commit = made.commit(files, branch="reviewed", parents=[])
    issued = made.at
    runs.run(*(given("issue", f"t{name}", text) for name, text in specs.items()), commit=commit, at=issued)
    rotation = given("rotate", "tlate", specs["late"], known=True)
    again(
        runs.run(rotation, commit=commit, at=issued + 40 * DAY).model_copy(
            update={"overrides": {"max_delete": 10}, "reason": "the old plant is shut down"}
        ),
        runs,
    )
    made.commit(runs.as_files(), parents=[commit], branch="reviewed", at=issued + 90 * DAY)
    made.commit({"specs/z.yaml": rsa("elsewhere")})
    made.repo.git("reset", "--quiet", "--hard")
    declared = () if request.param == "records" else ("--declared",)
    shop.ok("audit", "report", "--at", "reviewed", "--out", "review.html", *declared)
    data = (shop.root / "review.html").read_bytes()
    return Page(data.decode(), printed(data), shop)


def test_counts_of_tokens_are_those_of_the_inventory_and_of_access(page: Page) -> None:
    told = page.figure("inventory")
    for what, label in (("kinds", "Tokens by kind"), ("owners", "Tokens by owner")):
        rows = [[name, *map(str, states.values())] for name, states in told[what].items()]
        assert page.rows(label) == rows
    assert [row[:4] for row in page.rows("All tokens")] == [
        [one["name"], one["kind"], one["owner"], one["state"]] for one in told["tokens"]
    ]
    assert {one["name"]: one["state"] for one in told["tokens"]} == {
        "all": "active",
        "late": "active",
        "most": "active",
        "off": "disabled",
        "over": "expired",
    }
    (command,) = (one for one in page.asked("access") if "--state all" in one)
    listed = page.shop.ok(*shlex.split(command)[1:], "--format", "json").json["tokens"]
    assert sorted(one["name"] for one in listed) == [one["name"] for one in told["tokens"]]


def test_cells_of_a_matrix_are_those_of_grants_and_of_access(page: Page) -> None:
    grants = page.figure("grants")
    assert [one["field"] for one in grants] == ["apis", "projects"]
    for matrix in grants:
        wanted = [
            [row["owner"], str(row["tokens"]), *(str(cell or "·") for cell in row["cells"][:-1])]
            for row in matrix["rows"]
        ]
        assert page.rows(f"Owners and {matrix['field']}") == wanted
        everything: list[str] = next((one["names"] for one in matrix["values"] if one["value"] == "*"), [])
        for one in matrix["values"]:
            named = shlex.quote(f"{matrix['field']}={one['value']}")
            (command,) = (asked for asked in page.asked("access") if f"--grant {named} " in asked)
            listed = page.shop.ok(*shlex.split(command)[1:], "--format", "json").json["tokens"]
            assert {held["name"] for held in listed} == {*one["names"], *everything}
            assert one["holders"] == len(one["names"])


def test_columns_of_charts_are_those_of_their_figures(page: Page) -> None:
    charts = re.findall(r'<figure id="figure-(.*?)">', page.text)
    assert len(charts) in (5, 3)
    for name in charts:
        told = page.figure(name)
        parts = list(told["parts"].values())
        wanted = [
            [label, *(str(part[label]) for part in parts)]
            + ([str(sum(part[label] for part in parts))] if len(parts) > 1 else [])
            for label in parts[0]
        ]
        assert page.rows(f"Numbers: {told['title']}") == wanted
        assert sum(sum(part.values()) for part in parts) > 0


def test_the_summary_and_the_findings_are_those_of_their_figures_and_of_verify(page: Page) -> None:
    found = re.findall(r"<strong>([\d,]+)</strong> <span>(.*?)</span>", page.text)
    assert {label: int(number) for number, label in found} == page.figure("summary")
    told = page.figure("findings")
    (command,) = page.asked("verify")
    verified = page.shop.run(*shlex.split(command)[1:], "--format", "json").json
    for part, label in (("findings", "What should not be so"), ("notes", "What somebody should have seen")):
        assert told[part] == verified[part]
        if told[part]:
            assert [row[0] for row in page.rows(label)] == [one["where"] for one in told[part]]
    assert len(told["findings"]) == page.figure("summary")["findings"] > 0


def test_late_rotations_and_exceptions_are_those_of_their_figures_and_of_log(page: Page) -> None:
    if not any("--figure exceptions" in one for one in page.commands):
        assert page.text.count("Only records tell") == 2
        return
    rows, late = page.rows("Late rotations"), page.figure("late-rotations")
    assert [(row[0], int(row[3])) for row in rows] == [(one["name"], one["days"]) for one in late]
    assert [one["days"] for one in late] == [20, 10]
    rows, told = page.rows("Table of exceptions"), page.figure("exceptions")
    assert [row[3] for row in rows] == ["overridden: max_delete=10"]
    assert [(row[0], row[4]) for row in rows] == [(one["time"], one["reason"]) for one in told]
    (story, *_) = (one for one in page.asked("log") if " log late " in one)
    (token,) = page.shop.ok(*shlex.split(story)[1:], "--format", "json").json["tokens"]
    rotated = [event["due"]["lateSeconds"] for event in token["events"] if event["event"] == "rotate"]
    assert rotated == [10 * DAY]


def test_every_command_runs(page: Page) -> None:
    """Of those that are not looked at above, too: they end well, or verify has found something."""
    for command in page.commands:
        ran = page.shop.run(*shlex.split(command)[1:])
        assert (ran.code, bool(ran.out)) in ((0, True), (1, "verify" in command)), (command, ran.err)
    again_ = (page.shop.root / "report.html").read_text()
    assert again_ == page.text
