"""`reconcile audit log`: a token's story as people, scripts and spreadsheets read it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.records.body import Body, Change
from reconciler.times import timestamp
from tests.audit.bodies import Runs, deleted, failed, given
from tests.audit.lines import DAY, Made, rsa, start
from tests.cli.kit import Shop

MERGE = "Merge the bridge\n\nReviewed-by: Rita <rita@example.org>\nApproved-by: Rob <rob@example.org>\n"
ROTATED = "lifecycle: {rotate: {every: 30d}}\n"


@pytest.fixture
def made(shop: Shop) -> Made:
    """A repository without a commit."""
    return start(shop.root)


def story(shop: Shop, *arguments: str) -> list[dict[str, Any]]:
    """The tokens of a story as JSON."""
    found: list[dict[str, Any]] = shop.ok("audit", "log", *arguments, "--format", "json").json["tokens"]
    return found


def events(shop: Shop, *arguments: str) -> list[str]:
    """What happened, in words of JSON, of one token."""
    (one,) = story(shop, *arguments)
    return [event["event"] for event in one["events"]]


def merged(made: Made, files: Mapping[str, str | bytes | None]) -> tuple[str, str]:
    """A branch of one commit, and the merge that brought it."""
    base = made.ids[-1:]
    asked = made.commit(files, parents=base, branch="work", who="Ann <ann@example.org>")
    files = dict(files)
    return asked, made.commit(files, parents=[*base, asked], message=MERGE, who="Mia <mia@example.org>")


def again(body: Body, runs: Runs) -> None:
    """Puts a record in the place of the last one."""
    runs.bodies.pop()
    last = runs.files.pop()
    from reconciler.records.chain import RecordFile
    from reconciler.records.envelope import envelope, statement

    runs.bodies.append(body)
    runs.files.append(RecordFile(last.path, envelope(statement(body))))


def test_a_merge_tells_who_asked_and_who_let_it_in(shop: Shop, made: Made) -> None:
    """The commit of the branch, the merge, and who the merge says had a part in it."""
    made.commit({"specs/a.yaml": rsa("a", "x")})
    asked, merge = merged(made, {"specs/a.yaml": rsa("a", "x", "y")})
    (one,) = story(shop, "a")
    told = one["events"][1]["asked"]
    assert [step["id"] for step in told["commits"]] == [asked]
    assert told["commits"][0]["author"] == {"name": "Ann", "email": "ann@example.org"}
    assert told["merge"]["id"] == merge
    assert told["merge"]["author"]["name"] == "Mia"
    assert told["trailers"] == [
        {"name": "Reviewed-by", "who": "Rita <rita@example.org>"},
        {"name": "Approved-by", "who": "Rob <rob@example.org>"},
    ]
    text = shop.ok("audit", "log", "a").out
    assert "  apis: + y\n" in text
    assert f"  asked by Ann <ann@example.org>, committed by Com <com@example.org> ({asked[:7]}): m\n" in text
    assert f"merged by Mia <mia@example.org>, committed by Com <com@example.org> ({merge[:7]})" in text
    assert "reviewed by Rita <rita@example.org>" in text
    assert "no records tell whether it is live" in text


def test_a_rename_is_followed_and_a_name_that_was_used_anew_is_another_story(shop: Shop, made: Made) -> None:
    """By each of its names, and by its id."""
    made.commit({"specs/a.yaml": rsa("a", "x")})
    made.commit({"specs/a.yaml": rsa("b", "x", meta=", previously: [a]")})
    made.commit({"specs/new.yaml": rsa("b2"), "specs/a.yaml": None})
    made.commit({"specs/again.yaml": rsa("a")})
    assert events(shop, "b") == ["declared", "renamed", "removed"]
    first, second = story(shop, "a")
    assert [one["event"] for one in first["events"]] == ["declared", "renamed", "removed"]
    assert first["events"][1]["previously"] == "a"
    assert [one["event"] for one in second["events"]] == ["declared"]


def test_what_runs_made_of_it_is_told_with_the_run(shop: Shop, made: Made) -> None:
    """Applied, not applied yet, and the tombstone."""
    runs = Runs()
    one = made.commit({"specs/a.yaml": rsa("a", "x")})
    body = runs.run(given("issue", "t1", rsa("a", "x")), commit=one)
    two = made.commit({**runs.as_files(), "specs/a.yaml": rsa("a", "y")})
    (found,) = story(shop, "a")
    assert [(event["event"], event.get("standing")) for event in found["events"]] == [
        ("declared", "applied"),
        ("issue", None),
        ("changed", "waiting"),
    ]
    assert found["ids"] == ["t1"]
    assert found["live"] is True
    run = found["events"][0]["run"]
    assert (run["run"], run["actor"], run["plan"]) == (body.run, "ci", body.plan)
    assert (run["commit"], run["recordCommit"], run["onLine"]) == (one, two, True)
    assert "  not applied yet\n" in shop.ok("audit", "log", "t1").out
    last = made.commit({"specs/a.yaml": None})
    runs.run(deleted("t1", "a"), commit=last)
    made.commit(runs.as_files())
    text = shop.ok("audit", "log", "a").out
    assert "a: RSAToken, id t1, no longer declared, deleted\n" in text
    assert "deleted: no credential of it works since" in text
    assert "never applied: it was the same, or something else again" not in text


def test_a_rotation_is_on_time_or_late_by_the_spec_of_its_time(shop: Shop, made: Made) -> None:
    """And one that no record tells of is told as overdue."""
    text, runs = rsa("a", more=ROTATED), Runs()
    commit = made.commit({"specs/a.yaml": text})
    issued = made.at
    again_ = given("rotate", "t1", text, known=True)
    runs.run(given("issue", "t1", text), commit=commit, at=issued)
    runs.run(again_, commit=commit, at=issued + 29 * DAY)
    runs.run(again_, commit=commit, at=issued + 62 * DAY)
    made.commit(runs.as_files())
    (one,) = story(shop, "a")
    on_time, late = (event["due"] for event in one["events"] if event["event"] == "rotate")
    assert on_time["by"] == timestamp(issued + 30 * DAY)
    assert (on_time["lateSeconds"], late["lateSeconds"]) == (0, 3 * DAY)
    assert one["overdueSince"] == timestamp(issued + 92 * DAY)
    text = shop.ok("audit", "log", "a").out
    assert f"  3 days late: it was due by {timestamp(issued + 59 * DAY)}\n" in text
    assert f"its rotation was due by {timestamp(issued + 92 * DAY)}, and no record tells of it" in text


@pytest.mark.parametrize(("apis", "standing"), [("x", "passed"), ("y", "waiting")])
def test_what_was_removed_and_declared_again_between_two_applies_is_live(
    shop: Shop, made: Made, apis: str, standing: str
) -> None:
    """No run had anything to do, or none has done it yet: what is live by the name is what is declared."""
    runs = Runs()
    commit = made.commit({"specs/a.yaml": rsa("a", "x")})
    runs.run(given("issue", "t1", rsa("a", "x")), commit=commit)
    made.commit({**runs.as_files(), "specs/a.yaml": None})
    made.commit({"specs/a.yaml": rsa("a", apis)})
    (one,) = story(shop, "a")
    assert (one["live"], one["declared"], one["ids"]) == (True, True, ["t1"])
    assert [(event["event"], event.get("standing")) for event in one["events"]] == [
        ("declared", "applied"),
        ("issue", None),
        ("removed", standing),
        ("declared", standing),
    ]


def test_a_token_that_is_off_rests_and_no_rotation_of_it_is_late(shop: Shop, made: Made) -> None:
    """The plan rotates none that is off; when it is on again, what it asks for is due from then on."""
    off, runs = rsa("a", more="lifecycle: {enabled: false, rotate: {every: 30d}}\n"), Runs()
    commit = made.commit({"specs/a.yaml": rsa("a", more=ROTATED)})
    runs.run(given("issue", "t1", rsa("a", more=ROTATED)), commit=commit, at=made.at)
    commit = made.commit({**runs.as_files(), "specs/a.yaml": off})
    runs.run(given("modify", "t1", off), commit=commit, at=made.at)
    made.commit(runs.as_files())
    (one,) = story(shop, "a")
    assert one["overdueSince"] is None
    commit = made.commit({"specs/a.yaml": rsa("a", more=ROTATED)}, at=made.at + 90 * DAY)
    runs.run(given("modify", "t1", rsa("a", more=ROTATED), known=True), commit=commit, at=made.at)
    made.commit(runs.as_files())
    (one,) = story(shop, "a")
    assert one["overdueSince"] == timestamp(runs.bodies[-1].at)


def test_a_run_from_a_commit_that_is_on_no_line_is_told_as_such(shop: Shop, made: Made) -> None:
    """One that this clone has, and one that it has not."""
    runs = Runs()
    base = made.commit({"specs/a.yaml": rsa("a", "x")})
    gone = made.commit({"specs/a.yaml": rsa("a", "z")}, parents=[base], branch="gone")
    runs.run(given("issue", "t1", rsa("a", "z")), commit=gone)
    runs.run(given("modify", "t1", rsa("a", "w")), commit="d" * 40)
    made.commit(runs.as_files())
    ran = shop.ok("audit", "log", "a")
    assert f"it applied a commit that is not on this line ({gone[:7]})\n" in ran.out
    assert f"it applied a commit that is not on this line ({'d' * 7}), nor in this clone\n" in ran.out
    assert "1 are not in this clone (ddddddd)" in ran.err
    assert "not applied yet" in ran.out


def test_what_failed_and_what_was_held_is_told(shop: Shop, made: Made) -> None:
    """With the brake, and with who let it go and why."""
    runs = Runs()
    commit = made.commit({"specs/a.yaml": rsa("a", "x")})
    body = runs.run(commit=commit)
    held = {"rule": "delete.count", "message": "too many\nat once"}
    again(Body.model_validate({**body.model_dump(by_alias=True), "outcome": "blocked", "held": [held]}), runs)
    runs.run(failed("issue", "", "a").model_copy(update={"token": None}), commit=commit, touched=())
    let = runs.run(given("issue", "t1", rsa("a", "x")), commit=commit)
    why = {"overrides": {"max-delete": 9}, "reason": "the plant closes"}
    again(Body.model_validate({**let.model_dump(by_alias=True), **why}), runs)
    made.commit(runs.as_files())
    assert events(shop, "a") == ["declared", "blocked", "issue", "issue"]
    text = shop.ok("audit", "log", "a").out
    assert "  held by delete.count: too many at once\n" in text
    assert "issue: failed (seal-failed)" in text
    assert "  brakes were let go: max-delete=9\n  because: the plant closes\n" in text
    assert [one.count("blocked") for one in shop.ok("audit", "log").out.splitlines()].count(1) == 1


def test_a_run_that_did_nothing_is_told_with_what_was_in_its_way(shop: Shop, made: Made) -> None:
    """It has no change that could tell."""
    runs = Runs()
    commit = made.commit({"specs/a.yaml": rsa("a", "x")})
    body = runs.run(commit=commit).model_copy(update={"outcome": "failed", "error": "store-unreadable"})
    again(body, runs)
    made.commit(runs.as_files())
    text = shop.ok("audit", "log").out
    assert "a run changed no token\n" in text
    assert "  the run ended as failed: store-unreadable\n" in text
    rows = csv.DictReader(io.StringIO(shop.ok("audit", "log", "--format", "csv").out))
    assert ("idle", "failed", "store-unreadable") in [
        (row["event"], row["outcome"], row["error"]) for row in rows
    ]


def test_hostile_text_of_history_orders_no_terminal_and_no_spreadsheet(shop: Shop, made: Made) -> None:
    """Names, subjects and trailers are anybody's to write."""
    subject = "\x1b[31mred\n\nReviewed-by: =cmd|' /C calc'!A0 <x>\n"
    made.commit({"specs/a.yaml": rsa("a")}, message=subject, who='=HYPERLINK("http://x") <@x>')
    for form in ("text", "csv"):
        out = shop.ok("audit", "log", "a", "--format", form).out
        assert "\x1b" not in out
    (_, row) = csv.reader(io.StringIO(shop.ok("audit", "log", "a", "--format", "csv").out))
    assert any("HYPERLINK" in cell for cell in row)
    assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert not [line for line in shop.ok("audit", "log").out.splitlines() if line.startswith("Reviewed")]
    json.loads(shop.ok("audit", "log", "--format", "json").out)


def test_without_a_name_all_of_it_is_told_newest_first(shop: Shop, made: Made) -> None:
    """As much of it as is asked for."""
    for number in range(5):
        made.commit({f"specs/{number}.yaml": rsa(f"token-{number}")})
    found = shop.ok("audit", "log", "--format", "json").json["events"]
    assert [one["name"] for one in found] == [f"token-{number}" for number in (4, 3, 2, 1, 0)]
    newest = shop.ok("audit", "log", "--limit", "2", "--format", "json").json["events"]
    assert newest == found[:2]
    day = found[2]["time"][:10]
    that = shop.ok("audit", "log", "--since", day, "--until", day, "--format", "json").json["events"]
    assert that == found[2:3]
    assert shop.ok("audit", "log", "--until", "1999-01-01").out == ""


def test_a_shallow_clone_tells_what_it_has_and_exits_1(shop: Shop, made: Made) -> None:
    """It says where its history begins, and how to get the rest."""
    for number in range(5):
        made.commit({"specs/a.yaml": rsa("a", f"x{number}")})
    clone = made.repo.clone(shop.root.parent / "clone", "--depth", "2")
    ran = shop.run("-C", str(clone.root), "audit", "log", "a", "--format", "json")
    assert ran.code == 1
    assert "git fetch --unshallow" in ran.err
    (one,) = ran.json["tokens"]
    assert ran.json["whole"] is False
    assert [event["event"] for event in one["events"]] == ["found", "changed"]
    assert one["complete"] is False


def test_a_name_that_no_token_had_is_an_error_with_a_guess(shop: Shop, made: Made) -> None:
    """Of all names that there ever were."""
    made.commit({"specs/a.yaml": rsa("historian")})
    ran = shop.run("audit", "log", "historain")
    assert (ran.code, ran.out) == (1, "")
    assert "did you mean historian?" in ran.err


def test_records_that_do_not_fit_together_tell_nothing(shop: Shop, made: Made) -> None:
    """Unless records are left out."""
    runs = Runs()
    commit = made.commit({"specs/a.yaml": rsa("a")})
    runs.run(given("issue", "t1", rsa("a")), commit=commit)
    made.commit(dict.fromkeys(runs.as_files(), b"{}"))
    ran = shop.run("audit", "log", "a")
    assert (ran.code, ran.out) == (1, "")
    assert "the records of this clone do not fit together" in ran.err
    assert events(shop, "a", "--declared") == ["declared"]


def test_a_fault_hides_a_token_and_its_mending_is_told(shop: Shop, made: Made) -> None:
    """It is the same token afterwards."""
    made.commit({"specs/a.yaml": rsa("a")})
    made.commit({"specs/a.yaml": "kind: [\n"})
    made.commit({"specs/a.yaml": rsa("a", "other")})
    assert events(shop, "a") == ["declared", "hidden", "mended"]
    made.commit({"specs/a.yaml": "kind: [\n"})
    assert events(shop, "a")[-1] == "hidden"


@pytest.mark.parametrize(
    "wrong", [("--since", "yesterday"), ("--limit", "0"), ("--since", "2026-02-01", "--until", "2026-01-01")]
)
def test_wrong_usage_exits_64(shop: Shop, made: Made, wrong: tuple[str, ...]) -> None:
    """And prints no result."""
    made.commit({"specs/a.yaml": rsa("a")})
    ran = shop.run("audit", "log", *wrong)
    assert (ran.code, ran.out) == (64, "")


def test_another_line_is_read_where_it_is_named(shop: Shop, made: Made) -> None:
    """The line of a branch that was not merged."""
    base = made.commit({"specs/a.yaml": rsa("a")})
    made.commit({"specs/b.yaml": rsa("b")}, parents=[base], branch="other")
    assert shop.run("audit", "log", "b").code == 1
    assert events(shop, "b", "--line", "other") == ["declared"]


def change_of(action: str) -> Change:
    """A change of an action that no version knows."""
    return Change(action=action, kind="RSAToken", name="a", token="t1", generation=1, outcome="done")


def test_an_action_of_a_newer_version_is_told_by_its_name(shop: Shop, made: Made) -> None:
    """A record of another version is no reason to tell nothing."""
    runs = Runs()
    commit = made.commit({"specs/a.yaml": rsa("a")})
    runs.run(given("issue", "t1", rsa("a")), commit=commit)
    runs.run(change_of("sparkle"), commit=commit)
    made.commit(runs.as_files())
    assert "  sparkle\n" in shop.ok("audit", "log", "a").out


@pytest.mark.parametrize("command", [("log", "a"), ("access",)])
def test_a_run_whose_clock_was_ahead_is_told_of_and_counts_with_the_next(
    shop: Shop, made: Made, command: tuple[str, ...]
) -> None:
    """What `access` says began is what `log` says happened, and both say why the record's time is not."""
    runs = Runs()
    commit = made.commit({"specs/a.yaml": rsa("a")})
    issued = made.at + DAY
    runs.run(given("issue", "t1", rsa("a")), commit=commit, at=issued + 99_999 * DAY)
    runs.run(commit=commit, at=issued)
    made.commit(runs.as_files())
    ran = shop.ok("audit", *command)
    assert (
        "note: 1 record says that it is of later than now (1): taken as made with what came next" in ran.err
    )
    assert timestamp(issued) in ran.out
    assert timestamp(issued + 99_999 * DAY) not in ran.out


def test_what_a_run_applied_from_a_commit_off_the_line_belongs_to_what_the_line_declared_then(
    shop: Shop, made: Made
) -> None:
    """One story, and the run stands in it after the commit that declared the token."""
    one = made.commit({"specs/a.yaml": rsa("a", "x")})
    off = made.commit({"specs/n.yaml": rsa("n", "x")}, parents=[one], branch="off")
    runs = Runs()
    runs.run(given("issue", "t1", rsa("a", "x")), commit=off, at=made.at + DAY)
    made.commit(runs.as_files())
    (found,) = story(shop, "a")
    assert found["ids"] == ["t1"]
    assert [event["event"] for event in found["events"]] == ["declared", "issue"]
    assert found["events"][1]["run"]["onLine"] is False
