"""`reconcile audit report`: from a clone to a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.times import day, timestamp
from tests.audit.bodies import Runs, given
from tests.audit.lines import DAY, START, Made, rsa, start
from tests.cli.kit import Shop
from tests.git.kit import Repo, made


@pytest.fixture
def repo(stocked: Shop) -> Repo:
    """A workspace whose apply and its record were committed."""
    found = made(stocked.root)
    stocked.write(".gitignore", ".reconciler/\n")
    found.commit(message="all of it")
    return found


def test_a_page_is_written_and_said_so(stocked: Shop, repo: Repo) -> None:
    ran = stocked.ok("audit", "report", "--out", "review.html")
    head = repo.git("rev-parse", "HEAD")[:7]
    assert ran.out == f"review.html: default at {head}, 1 finding.\n"
    text = (stocked.root / "review.html").read_text()
    assert "<code>commit-unknown</code>" in text  # it was applied before there was a repository
    for name in ("historian", "bridge", "console", "erp"):
        assert f"<bdi>{name}</bdi>" in text
    assert "device.read" in text
    assert "rcn_" not in text


def test_a_commit_and_a_time_give_the_same_bytes_whenever_they_are_asked(stocked: Shop, repo: Repo) -> None:
    first = repo.git("rev-parse", "HEAD")
    stocked.ok("audit", "report", "--at", first, "--out", "one.html")
    repo.commit(("specs/more.yaml", ""), message="later")
    stocked.ok("audit", "report", "--at", first, "--out", "two.html")
    assert (stocked.root / "one.html").read_bytes() == (stocked.root / "two.html").read_bytes()


def test_a_time_before_there_was_anything_is_an_error(stocked: Shop, repo: Repo) -> None:
    ran = stocked.run("audit", "report", "--at", "1999-01-01", "--out", "review.html")
    assert (ran.code, ran.out) == (1, "")
    assert "by 1999-01-01T23:59:59Z there was no commit yet" in ran.err
    assert not (stocked.root / "review.html").exists()


def test_a_file_is_replaced_as_a_whole_and_no_link_of_the_workspace_is_followed(
    stocked: Shop, repo: Repo, tmp_path: Path
) -> None:
    stocked.write("review.html", "old")
    stocked.ok("audit", "report", "--out", "review.html")
    assert (stocked.root / "review.html").read_text().startswith("<!DOCTYPE html>")
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (stocked.root / "link.html").symlink_to(precious)
    (stocked.root / "out").symlink_to(tmp_path)
    for out in ("link.html", "out/precious"):
        ran = stocked.run("audit", "report", "--out", out)
        assert ran.code == 1
        assert "a link of the workspace" in ran.err
    assert precious.read_text() == "precious"
    ran = stocked.run("audit", "report", "--out", "nowhere/review.html")
    assert ran.code == 1
    assert "cannot be written" in ran.err


@pytest.fixture
def night(shop: Shop) -> tuple[str, str]:
    """A run shortly before midnight whose record was committed after it: the day before, and that day."""
    made, runs = start(shop.root), Runs()
    midnight = made.at - made.at % DAY + 10 * DAY
    commit = made.commit({"specs/a.yaml": rsa("a", "x")}, at=midnight - 2 * DAY)
    runs.run(given("issue", "t1", rsa("a", "x")), commit=commit, at=midnight - 600)
    made.commit(runs.as_files(), at=midnight + 600)
    made.repo.git("reset", "--quiet", "--hard")
    return day(midnight - 2 * DAY), day(midnight - DAY)


def test_a_run_counts_for_its_day_although_its_record_was_committed_on_the_next(
    shop: Shop, night: tuple[str, str]
) -> None:
    """The page of the last day of a quarter and `audit access` tell the same; of the day before, nothing."""
    for asked, expected in zip(night, ([], ["a"]), strict=True):
        told = shop.ok("audit", "report", "--at", asked, "--format", "json").json
        access = shop.ok("audit", "access", "--at", told["at"], "--format", "json").json
        assert (told["source"], access["source"]) == ("records", "records")
        assert [one["name"] for one in told["figures"]["inventory"]["tokens"]] == expected
        assert [one["name"] for one in access["tokens"]] == expected
        assert told["line"] == access["commit"] != told["commit"]
        shop.ok("audit", "report", "--at", asked, "--out", "one.html")
        again = ("--line", told["line"], "--at", told["at"], "--out", "two.html")
        shop.ok("audit", "report", *again)
        assert (shop.root / "one.html").read_bytes() == (shop.root / "two.html").read_bytes()
        assert f"as commit <code>{told['line'][:12]}</code> has them" in (shop.root / "one.html").read_text()


def test_out_must_be_named(stocked: Shop) -> None:
    assert stocked.run("audit", "report").code == 64


def test_records_that_do_not_fit_together_are_told_and_specs_still_make_a_page(
    stocked: Shop, repo: Repo
) -> None:
    (record,) = (stocked.root / "artifacts" / "records").glob("*.json")
    record.write_text(record.read_text()[:-9])
    repo.commit(message="edited")
    ran = stocked.run("audit", "report", "--out", "review.html")
    assert (ran.code, ran.out) == (1, "")
    assert "ask with --declared" in ran.err
    stocked.ok("audit", "report", "--out", "review.html", "--declared")
    text = (stocked.root / "review.html").read_text()
    assert "what specs declared, applied or not" in text
    assert "<code>record-unreadable</code>" in text


def test_options_that_do_not_go_together_are_refused_and_figures_of_records_need_records(
    stocked: Shop, repo: Repo
) -> None:
    json = ("audit", "report", "--format", "json")
    for wrong in (
        ("audit", "report", "--out", "review.html", "--figure", "ends"),
        (*json, "--out", "review.json"),
        (*json, "--line", "HEAD", "--at", "HEAD"),
    ):
        ran = stocked.run(*wrong)
        assert (ran.code, ran.out) == (64, "")
    ran = stocked.run(*json, "--declared", "--figure", "rotations")
    assert (ran.code, ran.out) == (64, "")
    assert "only records tell: rotations" in ran.err
    told = stocked.ok(*json, "--figure", "rotations", "--figure", "ends").json
    assert list(told["figures"]) == ["ends", "rotations"]


def policy(*exceptions: str, name: str = "house") -> str:
    """A Policy document with a rule, and these exceptions."""
    return (
        f"apiVersion: reconciler/v1\nkind: Policy\nmetadata: {{name: {name}}}\nspec:\n"
        "  rules: [{id: owner, deny: 'owner == \"\"', message: who answers for it}]\n"
        f"  exceptions: [{', '.join(exceptions)}]\n"
    )


@pytest.fixture
def excepted(shop: Shop) -> Made:
    """The shop as a repository: two exceptions, one declared a day before the other, and both moved."""
    found = start(shop.root)
    first = "{token: a, rule: owner, reason: it is <old>, until: 2023-11-20}"
    other = "{token: b, rule: recommended.owner, reason: nobody yet, until: 2030-01-31}"
    found.commit({"specs/a.yaml": rsa("a"), "specs/b.yaml": rsa("b"), "specs/p.yaml": policy()})
    found.commit({"specs/p.yaml": policy(first)})
    found.commit({"specs/p.yaml": policy(first, other)})
    found.commit({"specs/p.yaml": None, "specs/policies/p.yaml": policy(other, first)})
    found.repo.git("reset", "--quiet", "--hard")
    return found


def test_the_exceptions_of_policies_are_told_with_the_commit_that_declared_each(
    shop: Shop, excepted: Made
) -> None:
    """Those that are over stand behind, and do not count at a glance."""
    ids = excepted.ids
    asked = ("audit", "report", "--format", "json", "--figure", "policy-exceptions", "--figure", "summary")
    figures = shop.ok(*asked).json["figures"]
    declared = [timestamp(START + days * DAY) for days in (2, 3)]
    assert figures["policy-exceptions"] == [
        {"token": "b", "policy": "house", "rule": "recommended.owner", "reason": "nobody yet",
         "until": "2030-01-31", "over": False, "since": declared[1], "commit": ids[2]},
        {"token": "a", "policy": "house", "rule": "house.owner", "reason": "it is <old>",
         "until": "2023-11-20", "over": True, "since": declared[0], "commit": ids[1]},
    ]  # fmt: skip
    assert figures["summary"]["overrides and exceptions"] == 1
    shop.ok("audit", "report", "--out", "review.html")
    text = (shop.root / "review.html").read_text()
    assert "it is &lt;old&gt;" in text
    assert "nobody yet" in text
    assert "2023-11-20</time> (over)" in text


def test_as_of_a_day_the_exceptions_of_that_day_are_told(shop: Shop, excepted: Made) -> None:
    """What was declared later is not there, and what is over by now was not."""
    asked = ("audit", "report", "--format", "json", "--figure", "policy-exceptions", "--at", excepted.ids[1])
    (one,) = shop.ok(*asked).json["figures"]["policy-exceptions"]
    assert (one["token"], one["over"]) == ("a", False)
