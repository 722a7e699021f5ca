"""rotate and rename: edits of specs, and what apply makes of them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from reconciler.artifacts.program import ProgramSealer
from reconciler.errors import SealFailed
from reconciler.records.envelope import body_of
from tests.cli.kit import AUTH, JWT, RSA, Ran, Shop

SECRET = "AGE-SECRET-KEY"


@pytest.fixture
def live(shop: Shop) -> Shop:
    """Two tokens that are live."""
    shop.ok("keygen")
    shop.spec(JWT, "tokens/bridge.yaml")
    shop.spec(AUTH + "---\n" + JWT.replace("bridge", "other"), "tokens/many.yaml")
    shop.ok("apply", "--yes")
    return shop


def at(monkeypatch: pytest.MonkeyPatch, now: int) -> None:
    """Lets the clock of the machine stand at a time."""
    monkeypatch.setattr(time, "time", lambda: float(now))


def actions(ran: Ran) -> list[tuple[str, str]]:
    return [(one["action"], one["name"]) for one in ran.json["changes"]]


def token(shop: Shop, name: str) -> dict[str, object]:
    (found,) = shop.ok("show", name, "--format", "json").json["tokens"]
    return dict(found)


def test_rotate_edits_the_spec_and_says_so(live: Shop) -> None:
    """At, reason, and nothing that is not asked for; the live token is as it was."""
    before = live.tree()
    ran = live.ok("rotate", "bridge", "--reason", "the laptop was lost: again")
    text = (live.root / "specs/tokens/bridge.yaml").read_text()
    assert text.startswith(JWT.split("lifecycle")[0])
    assert "+" in ran.out
    assert 'reason: "the laptop was lost: again"' in text
    assert "leaked" not in text
    assert {name for name, data in live.tree().items() if before.get(name) != data} == {
        "specs/tokens/bridge.yaml"
    }
    assert actions(live.ok("plan", "--format", "json")) == [("rotate", "bridge")]


def test_a_rotation_happens_once_for_each_time_that_it_is_asked_for(live: Shop) -> None:
    """Twice in the same second as well."""
    for generation in (2, 3):
        live.ok("rotate", "bridge", "--reason", "again")
        live.ok("apply", "--yes")
        assert token(live, "bridge")["generation"] == generation
        assert live.ok("plan", "--format", "json").json["changes"] == []


def test_a_leak_ends_the_old_credential_with_the_same_apply(live: Shop) -> None:
    """No overlap: one credential is left, and the reviewer reads why."""
    ran = live.ok("rotate", "bridge", "--reason", "in a log", "--leaked")
    assert "the credential that bridge has is refused at once" in ran.err
    shown = live.ok("plan").out
    assert "x retire  JWTToken  bridge  generation 1 leaked, so it ends at once" in shown
    assert "it leaked: in a log" in shown
    live.ok("apply", "--yes")
    assert [one["generation"] for one in token(live, "bridge")["credentials"]] == [2]  # type: ignore[attr-defined]
    live.ok("rotate", "bridge", "--reason", "and for good measure")
    live.ok("apply", "--yes")
    assert len(token(live, "bridge")["credentials"]) == 2  # type: ignore[arg-type]


def test_rotate_keeps_the_schedule_and_the_comments(live: Shop) -> None:
    """In a flow mapping and in a block."""
    for lifecycle in (
        "lifecycle: {rotate: {every: 90d, overlap: 3d}}  # keep\n",
        "lifecycle:\n  # keep\n  rotate:\n    every: 90d\n    overlap: 3d\n",
    ):
        live.spec(JWT.split("lifecycle")[0] + lifecycle, "tokens/bridge.yaml")
        live.ok("rotate", "bridge", "--reason", "test")
        text = (live.root / "specs/tokens/bridge.yaml").read_text()
        assert "# keep" in text
        assert "every: 90d" in text
        live.ok("validate")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("rotate", "bridge"), 64, "--reason"),
        (("rotate", "brigde", "--reason", "x"), 64, "did you mean bridge?"),
        (("rotate", "bridge", "--reason", ""), 1, "reason"),
        (("rotate", "bridge", "--reason", "a\nb"), 1, "reason"),
        (("rename", "bridge"), 64, "Missing argument"),
        (("rename", "brigde", "x"), 64, "did you mean bridge?"),
        (("rename", "bridge", "bridge"), 64, "called so already"),
        (("rename", "bridge", "erp"), 64, "erp is taken, in specs/tokens/many.yaml:"),
        (("rename", "bridge", "Bad_Name"), 1, "1 to 63 of a-z, 0-9 and -"),
        (("set", "bridge", "name=x"), 64, "reconcile rename OLD NEW"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    live: Shop, arguments: tuple[str, ...], code: int, says: str
) -> None:
    """One sentence on what is wrong and one on what to do; no traceback; the tree stays."""
    before = live.tree()
    ran = live.run(*arguments)
    assert ran.code == code
    assert says in ran.err
    assert "Traceback" not in ran.err
    assert live.tree() == before


def test_rename_keeps_id_and_credential_and_moves_file_and_artifact(live: Shop) -> None:
    """Nobody who uses it notices: what the owner holds is the same to the byte."""
    before, sealed = token(live, "bridge"), (live.root / "artifacts/JWTToken/bridge.yaml").read_bytes()
    ran = live.ok("rename", "bridge", "mes-bridge")
    assert "specs/tokens/bridge.yaml is called specs/tokens/mes-bridge.yaml now" in ran.err
    assert actions(live.ok("plan", "--format", "json")) == [("rename", "mes-bridge")]
    live.ok("apply", "--yes")
    after = token(live, "mes-bridge")
    assert (after["id"], after["credentials"]) == (before["id"], before["credentials"])
    assert after["previously"] == ["bridge"]
    assert (live.root / "artifacts/JWTToken/mes-bridge.yaml").read_bytes() == sealed
    assert not (live.root / "artifacts/JWTToken/bridge.yaml").exists()
    assert live.ok("plan", "--format", "json").json["changes"] == []
    assert live.ok("drift").code == 0
    last = body_of(max((live.root / "artifacts/records").iterdir()).read_text())
    assert [(one.action, one.name, one.previously) for one in last.changes] == [
        ("rename", "mes-bridge", "bridge")
    ]
    assert [one["name"] for one in live.ok("list", "bridge", "--format", "json").json["tokens"]] == [
        "mes-bridge"
    ]
    missing = live.run("download", "bridge", "--stdout")
    assert "it is called mes-bridge now" in missing.err


def test_a_renamed_token_is_opened_in_a_clone_without_the_live_store(live: Shop) -> None:
    """The records tell whose artifact it is, under the name that it had when it was sealed."""
    live.ok("rename", "bridge", "one")
    live.ok("apply", "--yes")
    live.ok("rename", "one", "two")
    live.ok("apply", "--yes")
    with_store = live.ok("download", "two", "--stdout").out
    (live.root / ".reconciler").rename(live.root.parent / "store")
    assert live.ok("download", "two", "--stdout").out == with_store


def test_a_file_of_several_specs_keeps_its_name(live: Shop) -> None:
    live.ok("rename", "other", "another")
    assert (live.root / "specs/tokens/many.yaml").exists()
    live.ok("apply", "--yes")
    assert token(live, "another")["state"] == "active"


def test_a_file_that_is_in_the_way_stays(live: Shop) -> None:
    """Nothing is overwritten."""
    live.spec(RSA, "tokens/new.yaml")
    ran = live.ok("rename", "bridge", "new")
    assert "keeps its name" in ran.err
    assert "historian" in (live.root / "specs/tokens/new.yaml").read_text()


def test_a_secret_of_kubernetes_keeps_the_name_that_it_is_mounted_by(live: Shop) -> None:
    """Another one would need a new credential; so rename writes down the one that it has."""
    live.spec(JWT + "deliver: {format: kubernetes}\n", "tokens/bridge.yaml")
    live.ok("apply", "--yes")
    live.ok("rename", "bridge", "two")
    assert actions(live.ok("plan", "--format", "json")) == [("rename", "two")]
    live.ok("apply", "--yes")
    assert "name: bridge\n" in (live.root / "artifacts/JWTToken/two.yaml").read_text()


def test_a_name_that_a_token_had_is_not_given_away(live: Shop) -> None:
    """Not by new, and not by a spec that is written by hand."""
    live.ok("rename", "bridge", "two")
    ran = live.run("new", "JWTToken", "bridge", "apis=a", "users=b")
    assert (ran.code, "two was called bridge" in ran.err) == (64, True)
    live.spec(JWT, "tokens/bridge.yaml")
    faults = live.run("validate", "--format", "json").json["faults"]
    assert [(one["rule"], one["file"]) for one in faults] == [
        ("metadata.previously", "specs/tokens/two.yaml")
    ]


def test_two_tokens_cannot_have_had_one_name(live: Shop) -> None:
    live.spec(JWT.replace("name: bridge", "name: x, previously: [old]"), "tokens/x.yaml")
    live.spec(JWT.replace("name: bridge", "name: y, previously: [old]"), "tokens/y.yaml")
    (fault,) = live.run("validate", "--format", "json").json["faults"]
    assert fault["rule"] == "metadata.previously"
    assert "both say that they were called old" in fault["message"]


def test_a_name_is_not_taken_over_from_a_token_that_lives(live: Shop) -> None:
    """A pull request that drops one spec and claims its name for another live token is blocked."""
    live.spec(JWT.replace("name: bridge", "name: bridge, previously: [other]"), "tokens/bridge.yaml")
    live.spec(AUTH, "tokens/many.yaml")
    ran = live.run("plan", "--max-delete", "9")
    assert ran.code == 3
    assert "bridge says that it was called other, and cannot be the same token" in ran.out
    assert live.run("apply", "--yes", "--max-delete", "9").code == 3


def test_an_exception_of_a_policy_is_not_forgotten(live: Shop) -> None:
    """It names the token; whoever renames it is told."""
    live.spec(
        "apiVersion: reconciler/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n"
        "  rules: [{id: r, deny: 'false', message: no}]\n"
        "  exceptions: [{token: bridge, rule: r, reason: why, until: 2099-01-01}]\n",
        "policy.yaml",
    )
    assert "policy p makes an exception for bridge" in live.ok("rename", "bridge", "two").err


def test_what_cannot_be_sealed_is_told_and_tried_again(live: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is done, exit 6; then a warning, exit 0; then --retry does it."""
    rule = "creation_rules:\n  - path_regex: bridge\n    pgp: 85D77543B3D624B63CEA9E6DBC17301B491B3F21\n"
    sops = live.root / ".sops.yaml"
    recipient = sops.read_text().split("age: ")[1].split()[0]
    sops.write_text(f"{rule}  - age: {recipient}\n")

    def down(*_: object) -> bytes:
        raise SealFailed("the key server is down", hint="start it")

    with monkeypatch.context() as patched:
        patched.setattr(ProgramSealer, "seal", down)
        live.ok("rotate", "other", "--reason", "x")
        ran = live.run("apply", "--yes", "--max-rotate", "9")
    assert ran.code == 6
    place = "artifacts/JWTToken/bridge.yaml"
    assert f"failed  rotate  JWTToken  bridge  {place}: the key server is down" in ran.out
    assert "1 change could not be carried out (bridge)" in ran.err
    assert SECRET not in ran.out + ran.err
    again = live.run("apply", "--yes")
    assert (again.code, again.out) == (6, "Nothing to do now: the rest waits for its next try.\n")
    assert live.run("plan", "--detailed-exitcode").code == 2
    assert "recipients-added" not in again.err
    assert "1 rotation failed and will be tried again: bridge" in again.err
    assert "a new credential could not be made" in live.ok("show", "bridge").out
    sops.write_text(f"creation_rules:\n  - age: {recipient}\n")
    assert live.ok("plan").out.count("rotation-waits") == 0
    assert token(live, "bridge")["generation"] == 1


def test_rotation_and_retirement_as_time_passes(live: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A schedule, run by run: due, overlap, over."""
    live.spec(AUTH + "lifecycle: {rotate: {every: 30d, overlap: 2d}}\n", "tokens/many.yaml")
    live.ok("apply", "--yes")
    seen, start = [], int(time.time())
    for days in (26, 31, 34):
        at(monkeypatch, start + days * 86_400)
        seen.append([one for one in actions(live.ok("plan", "--format", "json")) if one[1] == "erp"])
        live.ok("apply", "--yes", "--max-delete", "9")
    assert seen == [[], [("rotate", "erp")], [("retire", "erp")]]


def test_the_store_is_not_needed_to_edit(shop: Shop, tmp_path: Path) -> None:
    """rotate and rename are for whoever has a clone."""
    shop.spec(JWT, "tokens/bridge.yaml")
    shop.ok("rotate", "bridge", "--reason", "x")
    shop.ok("rename", "bridge", "two")
    assert not (shop.root / ".reconciler").exists()


def test_a_saved_plan_takes_no_flags_that_let_brakes_go(live: Shop) -> None:
    """What was allowed was approved with it."""
    live.ok("rotate", "bridge", "--reason", "x")
    live.ok("plan", "--out", "a.plan")
    ran = live.run("apply", "a.plan", "--yes", "--retry")
    assert (ran.code, "says what was allowed when it was planned" in ran.err) == (64, True)
    live.ok("apply", "a.plan", "--yes")


def test_an_id_that_is_another_tokens_name_is_told(live: Shop) -> None:
    """Nobody passes off a token as another by calling it by that one's id."""
    theirs = token(live, "bridge")["id"]
    if not str(theirs)[0].isalpha():
        return
    live.spec(JWT.replace("name: bridge", f"name: {theirs}"), "tokens/x.yaml")
    live.ok("apply", "--yes")
    ran = live.ok("show", str(theirs))
    assert f"{theirs} is also the id of another token, bridge" in ran.err


def test_a_name_that_a_deleted_token_had_once_is_still_answered(live: Shop) -> None:
    """What was this token, years later, by any name that it had."""
    live.ok("rename", "bridge", "two")
    live.ok("apply", "--yes")
    live.ok("remove", "two")
    live.ok("apply", "--yes", "--max-delete", "1")
    assert "previously" in live.ok("show", "bridge").out
    assert [
        one["name"]
        for one in live.ok("list", "bridge", "--state", "deleted", "--format", "json").json["tokens"]
    ] == ["two"]


def test_a_policy_holds_for_a_change_that_takes_a_token_out_of_it(live: Shop) -> None:
    """Another owner in the same change does not dodge the rule of the owner who loses it."""
    live.spec(
        "apiVersion: reconciler/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n"
        "  match: {owners: [team-mes]}\n"
        "  rules: [{id: r, on: change, deny: 'change.action == \"rotate\"', message: ask first}]\n",
        "policy.yaml",
    )
    live.ok("rotate", "bridge", "--reason", "x")
    live.ok("set", "bridge", "owner=evil")
    ran = live.run("plan")
    assert (ran.code, "ask first" in ran.out) == (3, True)


def test_owners_that_look_alike_are_refused(live: Shop) -> None:
    """A blank at the end, or one that is no blank, would be another owner that nobody can tell apart."""
    for owner in ("team ", "\u00a0team", "a\u2003b"):
        live.spec(JWT.replace("team-mes", f'"{owner}"'), "tokens/bridge.yaml")
        assert "with plain blanks between words only" in live.run("validate").out
