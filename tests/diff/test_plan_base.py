"""`plan --base`: no pull request loosens the rules that judge it, and what it tries is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.artifacts.identities import generate
from tests.cli.kit import Shop
from tests.diff.kit import CATALOG, POLICY, WORKSPACE, Branch, rsa

FLEET = ("one", "two", "three", "four")
LOOSER = WORKSPACE.replace("count: 2", "count: 100").replace("policies: [recommended]", "planValidFor: 30d")


@pytest.fixture
def live(branch: Branch) -> Branch:
    """A fleet of four tokens that is live on `main`, with rules; and `side`, a branch of it."""
    branch.commit(
        w=WORKSPACE,
        house=POLICY,
        catalog=CATALOG,
        **{name: rsa(name) for name in FLEET},
        group=rsa("group", '"@telemetry"'),
    )
    branch.shop.ok("apply", "--yes")
    branch.repo.commit()
    branch.repo.git("checkout", "--quiet", "-b", "side")
    return branch


def rules_of(plan: dict[str, Any], part: str = "blocked") -> set[str]:
    """The rules that block or warn."""
    return {one["rule"] for one in plan[part]}


def told(plan: dict[str, Any]) -> list[str]:
    """What is said of rules that differ."""
    return [one["message"] for one in plan["warnings"] if one["rule"].startswith("base-")]


def changed(plan: dict[str, Any]) -> list[tuple[str, str]]:
    """(action, name) of every change."""
    return [(one["action"], one["name"]) for one in plan["changes"]]


def merged(branch: Branch) -> dict[str, Any]:
    """The plan that `main` makes once the branch is merged."""
    branch.repo.commit()
    branch.repo.git("checkout", "--quiet", "main")
    branch.repo.git("merge", "--quiet", "--no-ff", "-m", "merge", "side")
    return branch.plan()


KEPT: dict[str, dict[str, str]] = {
    "a token changes": {"one": rsa("one", "device.list")},
    "tokens come, by groups and by name": {
        "new": rsa("new"),
        "more": rsa("more", '"@telemetry", device.list'),
    },
    "an API is added and used at once": {
        "catalog": CATALOG.replace("- device.list", "- device.list\n    - device.new"),
        "new": rsa("new", "device.new"),
    },
    "a group is added and used at once": {
        "catalog": CATALOG + '    - {name: "@new", members: [device.list, "@telemetry"]}\n',
        "new": rsa("new", '"@new"'),
    },
    "an API is described and marked": {
        "catalog": CATALOG.replace("- device.admin", "- {name: device.admin, description: x, deprecated: y}"),
        "one": rsa("one", "device.list"),
    },
    "another layout": {"w": WORKSPACE + '  deliver: {path: "{owner}/{name}"}\n'},
    "nothing": {},
}  # fmt: skip


@pytest.mark.parametrize("edit", KEPT)
def test_what_changes_no_rule_is_planned_as_on_main(edit: str, live: Branch) -> None:
    """The digest is that of the plan after the merge: so what was approved can be applied."""
    for name, text in KEPT[edit].items():
        live.shop.spec(text, f"{name}.yaml")
    plan = live.plan("--base", "main")
    assert not plan["blocked"]
    after = merged(live)
    assert plan["digest"] == after["digest"]
    assert plan["changes"] == after["changes"]


def test_moved_files_and_creation_rules_change_no_digest(live: Branch) -> None:
    live.shop.spec(WORKSPACE, "deep/settings.yaml")
    live.remove("w")
    rules = live.shop.root / ".sops.yaml"
    key = generate()[0]
    rules.write_text(rules.read_text().replace("age: ", f"age: {key},"))
    plan = live.plan("--base", "main")
    assert [one for one in told(plan) if key in one and "of four, group, one, three, two: " in one]
    assert plan["digest"] == merged(live)["digest"]


def test_a_brake_that_is_raised_is_judged_as_it_was(live: Branch) -> None:
    live.remove("one", "two", "three")
    live.shop.spec(LOOSER, "w.yaml")
    assert not live.plan()["blocked"], "the branch itself would let it through"
    plan = live.plan("--base", "main")
    assert {"brake-delete", "brake-owner-delete"} <= rules_of(plan)
    name = f"main ({live.repo.git('rev-parse', 'main')[:7]})"
    assert set(told(plan)) == {
        f"Workspace brakes.delete.count: 2 → 100, which loosens it: judged by 2, as at {name}",
        f"Workspace brakes.perOwner.delete.count: 2 → 100, which loosens it: judged by 2, as at {name}",
        f"Workspace planValidFor: 1h → 30d, which loosens it: judged by 1h, as at {name}",
        f"Workspace policies: - recommended, which loosens it: judged as at {name}",
    }
    assert live.run("plan", "--base", "main").code == 3


@pytest.mark.parametrize(
    "loosened",
    [
        {"house": "# gone"},
        {"house": POLICY.replace("deny:", "warn:")},
        {"house": POLICY + "  exceptions: [{token: one, rule: no-admin, reason: so, until: 2098-01-01}]\n"},
        {"more": POLICY.replace("house", "more").partition("  rules:")[0]
            + "  exceptions: [{token: one, rule: house.no-admin, reason: so, until: 2098-01-01}]\n"},
        {"house": POLICY.replace("spec:\n", "spec:\n  match: {owners: [nobody]}\n")},
        {"house": POLICY.replace("device.admin", "device.none")},
    ],
)  # fmt: skip
def test_a_policy_that_is_weakened_in_any_way_is_judged_as_it_was(
    loosened: dict[str, str], live: Branch
) -> None:
    live.shop.spec(rsa("one", "device.admin"), "one.yaml")
    assert rules_of(live.plan("--base", "main")) == {"policy.house.no-admin"}
    for name, text in loosened.items():
        live.shop.spec(text, f"{name}.yaml")
    assert not live.plan()["blocked"]
    plan = live.plan("--base", "main")
    assert rules_of(plan) == {"policy.house.no-admin"}
    assert told(plan)


def test_a_set_of_policies_that_is_switched_off_judges_on(live: Branch) -> None:
    live.shop.spec(WORKSPACE.replace("[recommended]", "[]"), "w.yaml")
    live.shop.spec(rsa("new").replace("{name: new, owner: team-a}", "{name: new}"), "new.yaml")
    assert not live.plan()["blocked"]
    assert rules_of(live.plan("--base", "main")) == {"policy.recommended.owner"}


def test_rules_that_are_only_tightened_are_judged_as_they_were_and_that_is_said(live: Branch) -> None:
    live.shop.spec(WORKSPACE.replace("count: 2", "count: 0"), "w.yaml")
    live.shop.spec(POLICY.replace("device.admin", "device.read"), "house.yaml")
    live.remove("one")
    assert live.plan()["blocked"]
    plan = live.plan("--base", "main")
    assert not plan["blocked"]
    assert [one for one in told(plan) if "2 → 0, which tightens it: judged by 2" in one]
    assert plan["digest"] != merged(live)["digest"]


def test_a_group_that_is_widened_stands_for_what_it_did_and_that_is_said(live: Branch) -> None:
    live.shop.spec(CATALOG.replace("[telemetry.read]", "[telemetry.read, device.admin]"), "catalog.yaml")
    assert changed(live.plan()) == [("modify", "group")]
    plan = live.plan("--base", "main")
    assert changed(plan) == []
    (said,) = told(plan)
    assert said.startswith(
        "apis @telemetry members: + device.admin (named by group), which loosens it: judged"
    )
    assert plan["digest"] != merged(live)["digest"]


def test_a_group_in_a_new_group_stands_for_what_it_did(live: Branch) -> None:
    """Else a new group would bring what the old one must not."""
    wider = CATALOG.replace("[telemetry.read]", "[telemetry.read, device.admin]")
    live.shop.spec(wider + '    - {name: "@new", members: ["@telemetry", device.list]}\n', "catalog.yaml")
    live.shop.spec(rsa("new", '"@new"'), "new.yaml")
    assert rules_of(live.plan()) == {"policy.house.no-admin"}
    plan = live.plan("--base", "main", "--out", "p.json")
    assert changed(plan) == [("issue", "new")]
    assert not plan["blocked"]


def test_a_catalog_that_is_dropped_checks_on(live: Branch) -> None:
    live.remove("catalog")
    live.shop.spec(rsa("group", "telemetry.read"), "group.yaml")
    live.shop.spec(rsa("one", "device.misspelled"), "one.yaml")
    assert not live.plan()["blocked"]
    plan = live.plan("--base", "main")
    assert rules_of(plan) == {"catalog.apis"}
    assert "one names device.misspelled" in plan["blocked"][0]["message"]


def test_another_store_or_workspace_name_leads_to_no_other_live_tokens(live: Branch) -> None:
    """An empty store would have nothing to delete."""
    live.remove(*FLEET)
    live.shop.spec(WORKSPACE.replace("name: acme", "name: other") + "  store: sqlite:///new.db\n", "w.yaml")
    plan = live.plan("--base", "main")
    assert plan["bound"]["workspace"] == "acme"
    assert plan["summary"] == {"delete": 4}
    assert "brake-delete" in rules_of(plan)
    assert not (live.shop.root / "new.db").exists()


def test_a_second_workspace_and_links_are_faults(live: Branch) -> None:
    live.shop.spec(LOOSER, "another.yaml")
    ran = live.run("plan", "--base", "main")
    assert (ran.code, ran.out) == (1, "")
    assert "this is a second Workspace document" in ran.err
    live.remove("another")
    (live.shop.root / "specs").rename(live.shop.root / "elsewhere")
    (live.shop.root / "specs").symlink_to("elsewhere")
    assert "the spec folder is a link" in live.run("plan", "--base", "main").err


def test_a_base_with_faults_is_an_error_that_names_the_commit(live: Branch) -> None:
    live.repo.git("checkout", "--quiet", "main")
    broken = live.commit(one="kind: x\n", w=WORKSPACE + "  nonsense: 1\n")
    live.repo.git("checkout", "--quiet", "side")
    ran = live.run("plan", "--base", "main")
    assert (ran.code, ran.out) == (1, "")
    assert f"{broken[:7]}:specs/one.yaml:1:7: " in ran.err
    assert f"{broken[:7]}:specs/w.yaml:7:3: " in ran.err


def test_a_base_that_is_a_link_or_a_submodule_is_an_error_and_not_a_first_time(live: Branch) -> None:
    """Else the defaults would judge."""
    for mode, one in (("120000", live.repo.blob(b"elsewhere")), ("160000", "a" * 40)):
        tree = live.repo.tree((mode, "blob" if mode == "120000" else "commit", one, "specs"))
        commit = live.repo.commit_of(tree)
        ran = live.run("plan", "--base", commit)
        assert ran.code == 1
        assert f"{commit[:7]}:specs:1:1: " in ran.err


@pytest.mark.parametrize("name", ["nope", "-x", "HEAD:specs", "--", ""])
def test_a_base_that_names_no_commit_is_an_error(name: str, live: Branch) -> None:
    ran = live.run("plan", f"--base={name}")
    assert (ran.code, ran.out) == (1, "")
    assert f"{name!r} names no commit" in ran.err


def test_a_tag_called_like_the_base_is_told(live: Branch) -> None:
    loose = live.commit(w=LOOSER)
    live.repo.git("tag", "main", loose)
    ran = live.run("plan", "--base", "main")
    assert ran.code == 1
    assert "refs/heads/main" in ran.err


def test_a_replacement_and_a_graft_make_no_other_base(live: Branch) -> None:
    base = live.repo.git("rev-parse", "main")
    live.remove("one", "two", "three")
    loose = live.commit(w=LOOSER)
    live.repo.git("replace", base, loose)
    live.repo.git(
        "replace", live.repo.git("rev-parse", f"{base}:specs/w.yaml"), live.repo.blob(LOOSER.encode())
    )
    live.repo.write(".git/info/grafts", f"{base} {loose}\n")
    assert "brake-delete" in rules_of(live.plan("--base", "main"))
    assert "brake-delete" in rules_of(live.plan("--base", base))


def test_attributes_and_filters_make_no_other_base(live: Branch) -> None:
    live.remove("one", "two", "three")
    live.write("loose", LOOSER)
    live.repo.git("config", "filter.other.smudge", f"cat '{live.shop.root}/loose'")
    live.repo.git("config", "diff.other.textconv", f"cat '{live.shop.root}/loose' #")
    live.commit(w=LOOSER)
    live.write(".gitattributes", "*.yaml filter=other diff=other export-subst working-tree-encoding=UTF-16\n")
    assert "brake-delete" in rules_of(live.plan("--base", "main"))


def test_the_first_pull_request_is_judged_by_the_defaults(branch: Branch) -> None:
    branch.write("README", "x")
    first = branch.repo.commit()
    branch.repo.git("checkout", "--quiet", "-b", "side")
    for name, text in (("w", LOOSER), ("house", POLICY), ("one", rsa("one"))):
        branch.shop.spec(text, f"{name}.yaml")
    ran = branch.shop.ok("plan", "--base", "main", "--format", "json")
    assert f"main ({first[:7]}) has no specs/ here: judged by the default brakes, and by no policy" in ran.err
    assert changed(ran.json) == [("issue", "one")]
    assert ran.json["bound"]["workspace"] == "acme"
    assert [one for one in told(ran.json) if "brakes.delete.count: 10 → 100" in one]
    branch.remove("w", "house")
    plan = branch.plan("--base", "main")
    assert plan["digest"] == branch.plan()["digest"]


def test_a_branch_behind_its_base_is_told(live: Branch) -> None:
    """Its plan would take back what was merged since."""
    live.repo.git("checkout", "--quiet", "main")
    live.commit(five=rsa("five"))
    live.shop.ok("apply", "--yes")
    live.repo.git("checkout", "--quiet", "side")
    plan = live.plan("--base", "main")
    assert changed(plan) == [("delete", "five")]
    assert "base-ahead" in rules_of(plan, "warnings")
    live.repo.git("merge", "--quiet", "main")
    assert "base-ahead" not in rules_of(live.plan("--base", "main"), "warnings")


def test_protection_that_is_dropped_in_the_same_change_holds(live: Branch) -> None:
    """It is live, whatever the base and the branch say."""
    live.repo.git("checkout", "--quiet", "main")
    live.commit(one=rsa("one", more=", protect: true"))
    live.shop.ok("apply", "--yes")
    live.repo.commit()
    live.repo.git("checkout", "--quiet", "-B", "side")
    live.remove("one")
    assert rules_of(live.plan("--base", "main")) == {"protect"}


def test_a_saved_plan_of_rules_that_changed_is_stale_after_the_merge(live: Branch, tmp_path: Path) -> None:
    """Rules that nobody was judged by yet are approved first, and what they let through after that."""
    live.shop.spec(LOOSER, "w.yaml")
    live.shop.spec(rsa("one", "device.list"), "one.yaml")
    saved = str(tmp_path / "p.plan")
    live.shop.ok("plan", "--base", "main", "--out", saved)
    merged(live)
    ran = live.run("apply", saved, "--yes")
    assert ran.code == 4


def test_a_saved_plan_of_tokens_is_applied_after_the_merge(live: Branch, tmp_path: Path) -> None:
    live.shop.spec(rsa("one", "device.list"), "one.yaml")
    saved = str(tmp_path / "p.plan")
    live.shop.ok("plan", "--base", "main", "--out", saved)
    merged(live)
    assert "1 change applied" in live.shop.ok("apply", saved, "--yes").out


def test_what_was_approved_on_the_pull_request_is_applied_after_the_merge_by_its_digest(live: Branch) -> None:
    live.shop.spec(rsa("one", "device.list"), "one.yaml")
    digest = live.plan("--base", "main")["digest"]
    merged(live)
    assert "1 change applied" in live.shop.ok("apply", "--expect", digest, "--yes").out


def test_what_was_approved_under_rules_that_changed_with_it_is_not(live: Branch) -> None:
    live.shop.spec(LOOSER, "w.yaml")
    live.shop.spec(rsa("one", "device.list"), "one.yaml")
    digest = live.plan("--base", "main")["digest"]
    merged(live)
    assert live.run("apply", "--expect", digest, "--yes").code == 4


def test_a_folder_in_no_repository_has_no_base(shop: Shop) -> None:
    shop.spec(rsa("one"))
    ran = shop.run("plan", "--base", "main")
    assert ran.code == 1
    assert "is in no git repository" in ran.err


def test_many_differences_are_counted(live: Branch) -> None:
    rules = "".join(f"    - {{id: r{number}, deny: 'owner == \"x\"', message: m}}\n" for number in range(80))
    live.shop.spec(POLICY + rules, "house.yaml")
    said = told(live.plan("--base", "main"))
    assert len(said) == 51
    assert said[-1].startswith("and 30 more differences from the rules of main")


def test_no_number_of_harmless_differences_hides_who_can_open_what(live: Branch) -> None:
    """Of the warnings, who is added to the rules comes first: in the plan, and in the comment on it."""
    mallory, _ = generate()
    rules = live.shop.root / ".sops.yaml"
    rules.write_text(rules.read_text().replace("age1", f"{mallory},age1", 1))
    for number in range(60):
        text = POLICY.replace("name: house", f"name: p{number}").replace("deny: '", "warn: 'false && ")
        live.shop.spec(text, f"p{number}.yaml")
    found = live.plan("--base", "main")
    assert found["warnings"][0]["rule"] == "base-recipients"
    assert mallory in found["warnings"][0]["message"]
    comment = live.run("plan", "--base", "main", "--format", "markdown").out
    assert mallory in comment
    assert "more differences from the rules" in found["warnings"][50]["message"]
    assert "base-tightens" in found["warnings"][50]["message"]


def test_how_to_apply_exactly_a_plan_says_what_made_it(live: Branch) -> None:
    live.commit(one=rsa("one", "device.list"))
    assert (
        "reconcile plan --base main --no-due --out FILE" in live.run("plan", "--base", "main", "--no-due").out
    )
    live.commit(w=LOOSER)
    for form in ("text", "markdown"):
        out = live.run("plan", "--base", "main", "--format", form).out
        assert "Apply exactly this" not in out
        assert "once what it changes in them is merged, plan again" in out
