"""`reconcile audit access`, run in clones with and without records."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audit.audited import Signer
from tests.audit.bodies import Runs, deleted, given
from tests.audit.lines import DAY, START, Made, catalog, rsa, start
from tests.cli.kit import Ran, Shop


@pytest.fixture
def made(shop: Shop) -> Made:
    """The shop as a repository: a token that gains and loses, one renamed, one with a group."""
    made = start(shop.root)
    made.commit({"specs/a.yaml": rsa("a", "x", meta=", owner: ops"), "specs/c.yaml": catalog(g=["x", "y"])})
    made.commit({"specs/a.yaml": rsa("a", "x", "y", meta=", owner: ops"), "specs/b.yaml": rsa("b", "@g")})
    made.commit({"specs/c.yaml": catalog(g=["x"])})
    made.commit({"specs/a.yaml": None})
    made.repo.git("reset", "--quiet", "--hard")
    return made


def when(days: int) -> str:
    """A time some days after the start, as an option takes it."""
    from reconciler.times import timestamp

    return timestamp(START + days * DAY)


def workspace(settings: str) -> str:
    """A Workspace document."""
    return f"apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {{name: w}}\nspec: {{{settings}}}\n"


def told(shop: Shop, *arguments: str) -> list[tuple[str, str, str | None]]:
    """Name, and the days since when and until when, of each token in the answer."""
    found = shop.ok("audit", "access", *arguments, "--format", "json").json
    assert found["schema"] == "reconciler/audit-access/v1"
    assert found["whole"]
    return [(one["name"], one["since"]["commit"], one["over"]) for one in found["tokens"]]


def test_without_records_what_specs_declared_is_told_and_said(shop: Shop, made: Made) -> None:
    """Now; at a time; on a day; between two; as of a commit."""
    ran = shop.ok("audit", "access", "--api", "x")
    assert ran.err == (
        f"note: {made.ids[-1][:7]} has no records in artifacts/records/: what specs declared is told,"
        " applied or not\n"
    )
    ids = made.ids
    assert told(shop, "--api", "x") == [("b", ids[1], None)]
    assert told(shop, "--api", "y", "--at", when(2)) == [("a", ids[1], when(4)), ("b", ids[1], when(3))]
    assert told(shop, "--api", "y", "--at", when(3)) == [("a", ids[1], when(4))]
    assert told(shop, "--api", "y", "--at", when(3)[:10]) == [("a", ids[1], when(4)), ("b", ids[1], when(3))]
    assert told(shop, "--api", "x", "--between", when(0), when(1)) == [("a", ids[0], when(4))]
    assert told(shop, "--api", "x", "--at", when(0)) == []


def test_a_revision_is_what_that_commit_declares(shop: Shop, made: Made) -> None:
    """What came later has not happened there; between two commits, all of the line between them counts."""
    ids = made.ids
    assert told(shop, "--at", "HEAD~3") == [("a", ids[0], None)]
    assert told(shop, "--api", "y", "--at", ids[1]) == [("a", ids[1], None), ("b", ids[1], None)]
    assert told(shop, "--api", "y", "--between", ids[2], ids[3]) == [("a", ids[1], when(4))]
    assert told(shop, "--api", "y", "--between", ids[0], when(9)) == [
        ("a", ids[1], when(4)),
        ("b", ids[1], when(3)),
    ]


def test_a_commit_of_a_branch_counts_from_the_merge_that_brought_it(shop: Shop, made: Made) -> None:
    side = made.commit({"specs/s.yaml": rsa("s")}, parents=[made.ids[0]], branch="side")
    made.at += DAY
    made.commit({"specs/s.yaml": rsa("s")}, parents=[made.ids[-1], side])
    made.repo.git("reset", "--quiet", "--hard")
    found = shop.ok("audit", "access", "--between", side, "HEAD", "--format", "json").json
    assert found["since"] == when(7)
    elsewhere = made.commit({"specs/z.yaml": rsa("z")}, parents=[made.ids[0]], branch="other")
    ran = shop.run("audit", "access", "--between", elsewhere, "HEAD")
    assert (ran.code, ran.out) == (1, "")
    assert "is not in the history of" in ran.err


@pytest.mark.parametrize("declared", [(), ("--declared",)])
def test_a_commit_of_another_line_is_refused(shop: Shop, made: Made, declared: tuple[str, ...]) -> None:
    """Whichever source is asked, and for one time as for two."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a", "x")), commit=made.ids[0])
    elsewhere = made.commit(runs.as_files(), parents=[made.ids[0]], branch="other")
    made.commit(runs.as_files())
    for asked in (("--between", elsewhere, "HEAD"), ("--line", "HEAD", "--at", elsewhere)):
        made.repo.git("reset", "--quiet", "--hard")
        ran = shop.run("audit", "access", *asked, *declared)
        assert (ran.code, ran.out) == (1, ""), asked
        assert f"{elsewhere[:7]} is not in the history of {made.ids[-1][:7]}" in ran.err


@pytest.mark.parametrize("declared", [(), ("--declared",)])
def test_the_line_of_another_revision_can_be_asked(shop: Shop, made: Made, declared: tuple[str, ...]) -> None:
    """At a time, and at a commit of that line: what is checked out has no part in it."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("s", "x")), commit=made.ids[0], at=START + 2 * DAY)
    specs = {"specs/s.yaml": rsa("s", "x"), "specs/a.yaml": None, "specs/c.yaml": None}
    side = made.commit({**runs.as_files(), **specs}, parents=[made.ids[0]], branch="side", at=START + 2 * DAY)
    after = made.commit({"n": "1"}, parents=[side], branch="side", at=START + 3 * DAY)
    assert "s" not in [name for name, *_ in told(shop, "--declared")]
    for asked in (("--line", after), ("--line", "side", "--at", when(2)), ("--line", after, "--at", side)):
        assert [name for name, *_ in told(shop, *asked, *declared)] == ["s"], asked
    assert told(shop, "--line", "side", "--at", when(1), "--api", "none", *declared) == []


def test_tokens_that_are_off_or_have_ended_are_told_where_all_are_asked_for(shop: Shop, made: Made) -> None:
    """With their state; without it they are left out, and so is the column."""
    made.commit(
        {
            "specs/d.yaml": rsa("d", "x", more="lifecycle: {enabled: false}\n"),
            "specs/e.yaml": rsa("e", "x", more="lifecycle: {expires: 1d}\n"),
        }
    )
    asked = ("--api", "x", "--at", when(7))
    assert [name for name, *_ in told(shop, *asked)] == ["b"]
    assert "STATE" not in shop.ok("audit", "access", *asked).out
    assert "STATE" in shop.ok("audit", "access", *asked, "--state", "all").out
    rows = csv.DictReader(
        io.StringIO(shop.ok("audit", "access", *asked, "--state", "all", "--format", "csv").out)
    )
    assert [(row["name"], row["state"], row["since"], row["expires"]) for row in rows] == [
        ("b", "active", when(2), ""),
        ("d", "disabled", when(5), ""),
        ("e", "expired", when(6), when(6)),
    ]


@pytest.mark.parametrize("command", ["access", "log"])
def test_where_records_are_to_be_signed_only_signed_ones_are_believed(
    shop: Shop, made: Made, command: str
) -> None:
    """One without a signature, with that of another record, or by another key, is named, and nothing told."""
    ours, theirs = Signer(), Signer()
    settings = workspace(f"audit: {{records: signed, keys: [{ours.line}]}}")

    def run(sign: Callable[[bytes], tuple[tuple[str, bytes], ...]] | None) -> Ran:
        runs = Runs(sign=sign)
        runs.run(given("issue", "t1", rsa("a", "x")), commit=made.ids[0])
        made.commit({**runs.as_files(), "specs/w.yaml": settings})
        return shop.run("audit", command)

    assert run(ours.sign).code == 0
    for sign, why in (
        (None, "by nobody"),
        (theirs.sign, "by none of the keys"),
        (lambda payload: ours.sign(payload + b" "), "by none of the keys"),
    ):
        ran = run(sign)
        assert (ran.code, ran.out) == (1, ""), why
        assert f"{1:08d}-{1:016x}.json is signed {why}" in ran.err
        assert "audit verify" in ran.err
        assert shop.run("audit", command, "--declared").code == 0


def test_with_records_what_was_live_is_told(shop: Shop, made: Made) -> None:
    """By which run, asked for by which commit, run by whom; --declared tells what specs said."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a", "x", meta=", owner: ops")), commit=made.ids[0], at=START + 5 * DAY)
    made.commit(runs.as_files())
    runs.run(deleted("t1", "a"), given("issue", "t2", rsa("b", "x")), commit=made.ids[3], at=START + 8 * DAY)
    made.commit(runs.as_files())
    made.repo.git("reset", "--quiet", "--hard")
    assert told(shop, "--api", "x", "--at", when(2)) == []
    assert told(shop, "--api", "x", "--at", when(6)) == [("a", made.ids[0], when(8))]
    assert told(shop, "--at", "HEAD~1") == [("a", made.ids[0], None)]
    assert told(shop, "--between", "HEAD~1", "HEAD") == [
        ("a", made.ids[0], when(8)),
        ("b", made.ids[3], None),
    ]
    ran = shop.ok("audit", "access")
    assert ran.err == ""
    assert f"{when(8)}, run {2:016x} of {made.ids[3][:7]} by ci" in ran.out
    assert told(shop, "--api", "x", "--at", when(2), "--declared")[0][0] == "a"
    assert shop.ok("audit", "access", "--at", "HEAD~2").err.startswith("note: ")


def test_a_run_that_was_blocked_changed_nothing_and_tells_until_when(shop: Shop, made: Made) -> None:
    """Where it is the only one, nothing was ever live. Where it is the newest, what is live stays so, and its
    commit stands for its time: what had ended by itself until then is over.
    """
    runs, first = Runs(), made.ids[0]
    runs.blocked(commit=first, at=START + 5 * DAY)
    made.commit(runs.as_files())
    for asked in (("access",), ("report",)):
        found = shop.ok("audit", *asked, "--format", "json").json
        assert found["source"] == "records"
    assert told(shop) == []
    ending = rsa("b", "x", more="lifecycle: {expires: 2d}\n")
    runs.run(
        given("issue", "t1", rsa("a", "x")), given("issue", "t2", ending), commit=first, at=START + 6 * DAY
    )
    before = made.commit(runs.as_files())
    runs.blocked(commit=first, at=START + 9 * DAY)
    made.commit(runs.as_files())
    made.repo.git("reset", "--quiet", "--hard")
    assert [name for name, *_ in told(shop, "--at", before)] == ["a", "b"]
    assert [name for name, *_ in told(shop, "--at", "HEAD")] == ["a"]
    report = shop.ok("audit", "report", "--format", "json", "--at", "HEAD").json
    assert report["at"] == when(9)
    assert {one["name"]: one["state"] for one in report["figures"]["inventory"]["tokens"]} == {
        "a": "active", "b": "expired",
    }  # fmt: skip


def test_records_that_do_not_fit_together_answer_nothing(shop: Shop, made: Made) -> None:
    """And it is said how to find out, and how to be told what was declared."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a", "x")))
    runs.run(deleted("t1", "a"))
    made.commit(runs.as_files(runs.files[1:]))
    ran = shop.run("audit", "access")
    assert (ran.code, ran.out) == (1, "")
    assert "the record before it is not there" in ran.err
    assert "audit verify" in ran.err


def test_records_are_where_the_settings_of_the_commit_say(shop: Shop, made: Made) -> None:
    runs = Runs(folder="sealed/records")
    runs.run(given("issue", "t1", rsa("z", "x")), commit=made.ids[0])
    made.commit({**runs.as_files(), "specs/w.yaml": workspace("artifacts: sealed")})
    assert [name for name, *_ in told(shop)] == ["z"]


def test_a_spec_that_no_record_tells_leaves_the_answer_not_whole(shop: Shop, made: Made) -> None:
    """It is printed, it says so, and a pipeline sees it."""
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a"), known=True), given("issue", "t2", rsa("b")))
    made.commit(runs.as_files())
    ran = shop.run("audit", "access", "--format", "json")
    assert (ran.code, ran.json["whole"], [one["name"] for one in ran.json["tokens"]]) == (1, False, ["b"])
    assert "all that could be done by: a" in ran.err


def test_commits_that_are_not_here_are_named(shop: Shop, made: Made) -> None:
    """A record may name a commit of a branch that was never fetched, or was thrown away: the answer is not
    whole. One that names a blob names no commit.
    """
    for number, commit in enumerate(("1" * 40, made.repo.git("rev-parse", "HEAD~3:specs/a.yaml"), "main")):
        runs = Runs()
        runs.run(given("issue", "t1", rsa("a")), commit=commit)
        made.commit({**runs.as_files(), "n": str(number)})
        ran = shop.run("audit", "access", "--format", "json")
        assert (ran.code, ran.json["whole"], len(ran.json["tokens"])) == (1, False, 1)
        assert f"not in this clone ({commit[:7]})" in ran.err


def test_a_shallow_clone_answers_what_it_can_and_refuses_the_rest(
    shop: Shop, made: Made, tmp_path: Path
) -> None:
    """Of before its oldest commit it tells nothing; of now it says that the beginning may be older."""
    made.repo.clone(tmp_path / "shallow", "--depth", "2")
    where = ("-C", str(tmp_path / "shallow"))
    for asked in (("--at", when(2)), ("--between", when(2), when(9)), ("--at", when(3)[:10])):
        ran = shop.run(*where, "audit", "access", *asked)
        assert (ran.code, ran.out) == (1, "")
        assert "this clone is shallow" in ran.err
        assert "git fetch --unshallow" in ran.err
    ran = shop.run(*where, "audit", "access")
    assert ran.code == 1
    assert f"{when(3)} ({made.ids[2][:7]}) or before" in ran.out
    assert "may have begun before" in ran.err
    assert "names no commit" in shop.run(*where, "audit", "access", "--at", made.ids[0]).err


def test_what_no_spec_ever_named_is_said_and_the_rest_is_answered(shop: Shop, made: Made) -> None:
    """Nobody is the right answer to a slip of the pen, and still misleads."""
    made.commit({"specs/d.yaml": rsa("d", "device.write")})
    ran = shop.ok("audit", "access", "--api", "device.wrte", "--owner", "opps")
    assert "no spec ever had the name in apis device.wrte; did you mean device.write?" in ran.err
    assert "no spec ever had the owner opps; did you mean ops?" in ran.err
    assert ran.out.startswith("0 tokens declared")
    assert shop.ok("audit", "access", "--owner", "opps", "--format", "json").json["unknown"] == [
        {"what": "owner", "value": "opps", "near": "ops", "group": False}
    ]


def test_faults_that_declared_nothing_at_that_time_are_told(shop: Shop, made: Made) -> None:
    """What they would have declared nobody knows: the answer is not whole. At other times it is."""
    made.commit({"specs/b.yaml": "kind: ["})
    ran = shop.run("audit", "access", "--format", "json")
    assert (ran.code, ran.json["whole"]) == (1, False)
    assert "declared nothing since" in ran.err
    assert "declared nothing since" not in shop.ok("audit", "access", "--at", when(3)).err


def test_commits_that_are_dated_back_and_times_ahead_are_told(shop: Shop, made: Made) -> None:
    made.commit({"specs/d.yaml": rsa("d")}, at=START)
    ran = shop.ok("audit", "access", "--at", "2100-01-01")
    assert "1 commit says that it was made before what came before" in ran.err
    assert "2100-01-01 is ahead" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--at", "HEAD", "--between", "HEAD", "HEAD"),
        ("--between", "HEAD"),
        ("--between", when(2), when(1)),
        ("--at", "2023-13-01"),
        ("--at", "2023-01-01T12:00"),
        ("--grant", "role"),
        ("--grant", "roel=admin"),
        ("--kind", "NoSuchToken"),
        ("--format", "html"),
    ],
)
def test_wrong_usage_exits_64(arguments: tuple[str, ...], shop: Shop, made: Made) -> None:
    ran = shop.run("audit", "access", *arguments)
    assert (ran.code, ran.out) == (64, "")


def test_outside_of_git_it_says_so(shop: Shop) -> None:
    ran = shop.run("audit", "access")
    assert ran.code == 1
    assert "is in no git repository" in ran.err
    shop.root.joinpath("specs").mkdir()
    start(shop.root)
    assert "there is no commit here yet" in shop.run("audit", "access").err


def test_a_spreadsheet_gets_no_formula(shop: Shop, made: Made) -> None:
    """An owner is free text, and so is who runs a pipeline."""
    made.commit(
        {
            "specs/e.yaml": rsa("e", meta=", owner: \"=HYPERLINK('http://x')\""),
            "specs/f.yaml": rsa("f", meta=', owner: "@SUM(1), \\"q\\""'),
        }
    )
    ran = shop.ok("audit", "access", "--format", "csv", "--api", "a.read")
    heading, *rows = csv.reader(io.StringIO(ran.out))
    owners = [row[heading.index("owner")] for row in rows]
    assert owners == ["'=HYPERLINK('http://x')", '\'@SUM(1), "q"']
    assert {len(row) for row in rows} == {len(heading)}
    assert rows[0][heading.index("since_commit")] == made.ids[-1]


def test_what_others_wrote_moves_no_terminal_and_starts_no_line(shop: Shop, made: Made) -> None:
    """The actor of a record is whatever the environment of a pipeline said."""
    runs = Runs()
    body = runs.run(given("issue", "t1", rsa("a")), commit=made.ids[0])
    from reconciler.records.envelope import envelope, statement

    hostile = body.model_copy(update={"actor": "\x1b[2J\nfake line ::error::x"})
    path = runs.files[0].path
    made.commit({path: envelope(statement(hostile))})
    for form in ("text", "csv", "json"):
        out = shop.ok("audit", "access", "--format", form).out
        assert "\x1b" not in out
        assert "\nfake" not in out


def test_a_partial_clone_asks_its_remote_once_for_the_history(shop: Shop, made: Made, tmp_path: Path) -> None:
    """It lacks what specs said; a remote that is gone is an error, and no answer without them."""
    partial = made.repo.clone(tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    asked, serve = tmp_path / "asked", tmp_path / "serve"
    serve.write_text(f'#!/bin/sh\necho asked >>{asked}\nexec git upload-pack "$@"\n')
    serve.chmod(0o755)
    partial.git("config", "remote.origin.uploadpack", str(serve))
    (tmp_path / "partial" / "specs").mkdir()
    whole = told(shop, "--between", when(0), when(9), "--declared")
    where = ("-C", str(tmp_path / "partial"), "audit", "access", "--between", when(0), when(9), "--declared")
    found = shop.ok(*where, "--format", "json").json
    assert [(one["name"], one["since"]["commit"], one["over"]) for one in found["tokens"]] == whole
    assert asked.read_text() == "asked\n"
    gone = made.repo.clone(tmp_path / "gone", "--filter=blob:none", "--no-checkout")
    gone.git("remote", "set-url", "origin", f"file://{tmp_path}/nowhere")
    (tmp_path / "gone" / "specs").mkdir()
    ran = shop.run("-C", str(tmp_path / "gone"), "audit", "access", "--declared")
    assert (ran.code, ran.out) == (1, "")
    assert "git does not give the content of" in ran.err
