"""`reconcile diff`: what changes in settings, policies, catalog and creation rules, and what that loosens."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.artifacts.identities import generate
from reconciler.kinds.keys import generate as generate_key
from reconciler.kinds.keys import public_pem
from reconciler.kinds.ownkeys import fingerprint
from tests.diff.kit import CATALOG, POLICY, WORKSPACE, Branch, rsa

Said = list[tuple[str, str, Any, Any, str]]


def said(found: list[dict[str, Any]]) -> Said:
    """(what, field, before or what came, after or what went, effect)."""
    return [
        (
            one["what"],
            one["field"],
            one.get("before", one.get("added")),
            one.get("after", one.get("removed")),
            one["effect"],
        )
        for one in found
    ]


def between(branch: Branch, part: str, before: str, after: str) -> Said:
    """What is said of a part where one file of specs becomes another."""
    branch.commit(rules=before, token=rsa("one"))
    branch.shop.spec(after, "rules.yaml")
    found = branch.diff()
    assert found["changes"] == []
    others = {"settings", "policies", "catalog", "rules"} - {part}
    assert not any(found[one] for one in others)
    return said(found[part])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "brakes: {delete: {count: 2",
            "brakes: {delete: {count: 100",
            ("brakes.delete.count", 2, 100, "loosens"),
        ),
        (
            "brakes: {delete: {count: 2",
            "brakes: {delete: {count: 0",
            ("brakes.delete.count", 2, 0, "tightens"),
        ),
        ("policies: [recommended]", "policies: []", ("policies", [], ["recommended"], "loosens")),
        ("policies:", "planValidFor: 30d\n  policies:", ("planValidFor", "1h", "30d", "loosens")),
        ("policies:", "planValidFor: 30m\n  policies:", ("planValidFor", "1h", "30m", "tightens")),
        ("name: acme", "name: acme-prod", ("metadata.name", "acme", "acme-prod", "changes")),
        (
            "policies:",
            "store: postgresql://h/d\n  policies:",
            ("store", "sqlite:///.reconciler/live.db", "postgresql://h/d", "changes"),
        ),
        ("policies:", "publish: git\n  policies:", ("publish", "folder", "git", "changes")),
        (
            "policies:",
            "audit: {records: signed}\n  policies:",
            ("audit.records", "any", "signed", "tightens"),
        ),
        (
            "policies:",
            "audit: {commitsSince: 2027-01-01}\n  policies:",
            ("audit.commitsSince", None, "2027-01-01T00:00:00Z", "loosens"),
        ),
    ],
)
def test_a_setting_that_changes_is_told_with_its_effect(
    before: str, after: str, expected: tuple[object, ...], branch: Branch
) -> None:
    assert between(branch, "settings", WORKSPACE, WORKSPACE.replace(before, after)) == [
        ("Workspace", *expected)
    ]


def test_recipients_of_the_verifier_are_told_by_who_comes_and_goes(branch: Branch) -> None:
    one, two = generate()[0], generate()[0]
    text = WORKSPACE + "  verifier: {recipients: [%s]}\n"
    assert between(branch, "settings", text % one, text % two) == [
        ("Workspace", "verifier.recipients", [two], [one], "changes")
    ]


def test_a_key_that_signs_records_is_told_as_it_comes_and_as_it_goes(branch: Branch) -> None:
    """One more may sign, or what one signed is vouched for by nobody; a PEM is told by its fingerprint."""
    pem = public_pem(generate_key("EdDSA"))
    lines = "".join(f"      {line}\n" for line in pem.splitlines())
    keyed = f"{WORKSPACE}  audit:\n    records: signed\n    keys:\n    - |\n{lines}"
    told: Said = [("Workspace", "audit.keys", [fingerprint(pem)], [], "loosens")]
    told.append(("Workspace", "audit.records", "any", "signed", "tightens"))
    assert between(branch, "settings", WORKSPACE, keyed) == told


def test_taking_the_demand_for_signatures_back_loosens(branch: Branch) -> None:
    """Of records and of commits."""
    asked = f"{WORKSPACE}  audit: {{records: signed, commits: signed, commitsSince: 2027-01-01}}\n"
    less = f"{WORKSPACE}  audit: {{commitsSince: 2026-01-01}}\n"
    assert between(branch, "settings", asked, less) == [
        ("Workspace", "audit.commits", "signed", "any", "loosens"),
        ("Workspace", "audit.commitsSince", "2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "tightens"),
        ("Workspace", "audit.records", "signed", "any", "loosens"),
    ]


def test_settings_written_in_another_way_are_the_same(branch: Branch) -> None:
    other = (
        WORKSPACE.replace("[recommended]", "[recommended, recommended]")
        + "  planValidFor: 60m\n  artifacts: artifacts\n"
    )
    assert between(branch, "settings", WORKSPACE, other) == []


WARNING = POLICY.replace("deny:", "warn:")
EXCEPTED = POLICY + "  exceptions: [{token: one, rule: no-admin, reason: so, until: 2098-01-01}]\n"
TOLD = 'on spec, deny: "device.admin" in spec.spec.apis'


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("# none", POLICY, ("policy house", "rule no-admin", None, TOLD, "tightens")),
        (POLICY, "# none", ("policy house", "rule no-admin", TOLD, None, "loosens")),
        (POLICY, WARNING, ("policy house rule no-admin", "does", "deny", "warn", "loosens")),
        (WARNING, POLICY, ("policy house rule no-admin", "does", "warn", "deny", "tightens")),
        (POLICY, EXCEPTED, ("exception of one from house.no-admin", "until", None, "2098-01-01", "loosens")),
        (EXCEPTED, POLICY, ("exception of one from house.no-admin", "until", "2098-01-01", None, "tightens")),
        (
            EXCEPTED,
            EXCEPTED.replace("2098", "2099"),
            ("exception of one from house.no-admin", "until", "2098-01-01", "2099-01-01", "loosens"),
        ),
        (
            POLICY,
            POLICY.replace('"device.admin" in', '"device.own" in'),
            (
                "policy house rule no-admin",
                "expression",
                '"device.admin" in spec.spec.apis',
                '"device.own" in spec.spec.apis',
                "changes",
            ),
        ),
        (
            POLICY,
            POLICY.replace("spec:\n", "spec:\n  match: {owners: [team-b]}\n"),
            ("policy house match", "owners", ["team-b"], [], "loosens"),
        ),
    ],
)
def test_a_policy_that_changes_is_told_with_its_effect(
    before: str, after: str, expected: tuple[object, ...], branch: Branch
) -> None:
    assert between(branch, "policies", before, after) == [expected]


def test_an_exception_that_moves_to_another_policy_is_the_same(branch: Branch) -> None:
    moved = (
        POLICY + "---\napiVersion: reconciler/v1\nkind: Policy\nmetadata: {name: exceptions}\n"
        "spec:\n  exceptions: [{token: one, rule: house.no-admin, reason: other, until: 2098-01-01}]\n"
    )
    assert between(branch, "policies", EXCEPTED, moved) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("- device.list", "- device.add", ("apis", "names", ["device.add"], ["device.list"], "changes")),
        ("- device.list", '- "*"', ("apis", "names", ["*"], ["device.list"], "loosens")),
        (
            "members: [telemetry.read]",
            "members: [telemetry.read, device.list]",
            ("apis @telemetry", "members", ["device.list"], [], "loosens"),
        ),
        (
            "- device.admin",
            "- {name: device.admin, deprecated: use read}",
            ("apis device.admin", "deprecated", None, "use read", "changes"),
        ),
        (
            "- device.admin",
            "- {name: device.admin, routes: [GET /x]}",
            ("apis device.admin", "routes", ["GET /x"], [], "changes"),
        ),
    ],
)
def test_a_catalog_that_changes_is_told_with_its_effect(
    before: str, after: str, expected: tuple[object, ...], branch: Branch
) -> None:
    assert between(branch, "catalog", CATALOG, CATALOG.replace(before, after)) == [expected]


def test_a_section_that_is_not_checked_any_more_is_told(branch: Branch) -> None:
    assert between(branch, "catalog", CATALOG, "# none")[0] == ("apis", "checked", True, False, "loosens")


def test_a_first_catalog_only_tightens(branch: Branch) -> None:
    """Before it everything could be named, `*` too: what it lists is nothing that it lets through."""
    everything = CATALOG.replace("    - device.list\n", '    - device.list\n    - "*"\n')
    found = between(branch, "catalog", "# none", everything)
    assert found[0] == ("apis", "checked", False, True, "tightens")
    assert {shift[-1] for shift in found[1:]} == {"changes"}


class Rules:
    """Creation rules, and keys to seal to."""

    def __init__(self, branch: Branch) -> None:
        self.branch = branch
        self.one, self.two, self.three = (generate()[0] for _ in range(3))

    def write(self, *rules: str) -> None:
        lines = "".join(f"  - {{{rule}}}\n" for rule in rules)
        self.branch.write(".sops.yaml", f"creation_rules:\n{lines}")


def test_a_recipient_who_comes_is_told_with_the_tokens(branch: Branch) -> None:
    rules = Rules(branch)
    rules.write(f"age: {rules.one}")
    branch.commit(one=rsa("one"), two=rsa("two"))
    rules.write(f"age: '{rules.one},{rules.two}'")
    found = branch.diff()
    assert found["changes"] == []
    assert said(found["rules"]) == [
        ("rule of every path", "recipients", [rules.two], [], "loosens"),
        ("artifacts", "recipients", [rules.two], [], "loosens"),
    ]
    assert found["rules"][1]["tokens"] == ["one", "two"]


def test_a_recipient_who_goes_has_seen_the_secret_so_the_tokens_rotate(branch: Branch) -> None:
    rules = Rules(branch)
    rules.write(f"age: '{rules.one},{rules.two}'")
    branch.commit(one=rsa("one"))
    rules.write(f"age: {rules.one}")
    found = branch.diff()
    assert [(one["action"], one["name"]) for one in found["changes"]] == [("rotate", "one")]
    assert "whom no creation rule names for it any more" in found["changes"][0]["reasons"][0]
    assert said(found["rules"])[0] == ("rule of every path", "recipients", [], [rules.two], "tightens")


def test_an_owner_who_changes_brings_the_recipients_of_another_rule(branch: Branch) -> None:
    rules = Rules(branch)
    rules.write(f"path_regex: ^artifacts/team-a/, age: {rules.one}", f"age: {rules.two}")
    branch.commit(w=WORKSPACE + '  deliver: {path: "{owner}/{kind}/{name}"}\n', one=rsa("one"))
    branch.shop.spec(rsa("one", owner="team-b"), "one.yaml")
    found = branch.diff()
    (change,) = found["changes"]
    assert change["action"] == "rotate"
    assert f"it was sealed to {rules.one[:32]}" in change["reasons"][0]
    assert found["owners"] == [
        {"owner": "team-a", "summary": {"rotate": 1}},
        {"owner": "team-b", "summary": {"rotate": 1}},
    ]


def test_rules_that_trade_places_or_are_added_are_told(branch: Branch) -> None:
    rules = Rules(branch)
    special, every = f"path_regex: ^artifacts/RSAToken/, age: {rules.one}", f"age: {rules.two}"
    rules.write(special, every)
    branch.commit(one=rsa("one"))
    rules.write(every, special)
    found = branch.diff()
    assert said(found["rules"])[0][:2] == ("order of the rules", "order")
    assert found["changes"][0]["action"] == "rotate"
    rules.write(special, f"path_regex: ^other/, age: {rules.three}", every)
    found = branch.diff()
    assert found["changes"] == []
    assert said(found["rules"]) == [("new rule ^other/", "recipients", [rules.three], [], "loosens")]


def test_rules_written_in_another_way_are_the_same(branch: Branch) -> None:
    rules = Rules(branch)
    rules.write(f"age: '{rules.one},{rules.two}'")
    branch.commit(one=rsa("one"))
    branch.write(
        ".sops.yaml",
        f"# said\ncreation_rules:\n- age: |-\n    {rules.two},\n    {rules.one}\n"
        "stores: {json: {indent: 2}}\n",
    )
    assert branch.diff()["rules"] == []


def test_more_keys_that_it_takes_to_open_are_told(branch: Branch) -> None:
    rules = Rules(branch)
    groups = ", ".join(f"{{age: [{one}]}}" for one in (rules.one, rules.two, rules.three))
    rules.write(f"shamir_threshold: 2, key_groups: [{groups}]")
    branch.commit(one=rsa("one"))
    rules.write(f"shamir_threshold: 3, key_groups: [{groups}]")
    assert said(branch.diff()["rules"]) == [("rule of every path", "shamir_threshold", 2, 3, "tightens")]


@pytest.mark.parametrize("text", ["creation_rules: [", "creation_rules: []", "- x", "\x00", "a: &a [*a]"])
def test_rules_that_cannot_be_read_are_noted_and_stop_nothing(text: str, branch: Branch) -> None:
    branch.commit(one=rsa("one"))
    branch.write(".sops.yaml", text)
    ran = branch.shop.ok("diff", "--format", "json")
    assert ran.json["changes"] == []
    assert ran.json["rules"]
    assert ran.err.startswith("note: here: ")


def test_rules_of_a_folder_above_count_as_far_as_the_repository_goes(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = Rules(branch)
    rules.write(f"path_regex: ^sub/artifacts/, age: {rules.one}")
    branch.write("sub/specs/one.yaml", rsa("one"))
    branch.commit()
    rules.write(f"path_regex: ^sub/artifacts/, age: '{rules.one},{rules.two}'")
    monkeypatch.chdir(branch.shop.root / "sub")
    assert branch.diff()["rules"][1]["tokens"] == ["one"]
    branch.write("sub/.sops.yaml", f"creation_rules: [{{age: {rules.one}}}]\n")
    assert [one["what"] for one in branch.diff()["rules"]] == [
        "removed rule ^sub/artifacts/",
        "new rule of every path",
    ]


def test_rules_that_are_a_link_are_read_where_it_leads_inside_the_commit(branch: Branch) -> None:
    rules = Rules(branch)
    rules.write(f"age: {rules.one}")
    (branch.shop.root / ".sops.yaml").rename(branch.shop.root / "rules.yaml")
    (branch.shop.root / ".sops.yaml").symlink_to("rules.yaml")
    branch.commit(one=rsa("one"))
    assert branch.diff()["rules"] == []
    assert branch.diff("HEAD..HEAD")["rules"] == []
    (branch.shop.root / ".sops.yaml").unlink()
    (branch.shop.root / ".sops.yaml").symlink_to("/etc/hostname")
    branch.commit()
    ran = branch.shop.ok("diff", "HEAD~1..HEAD")
    assert "is a link to what is not in the commit" in ran.err
