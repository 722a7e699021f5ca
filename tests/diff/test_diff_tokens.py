"""`reconcile diff`: what an edit means for a token is what an apply would do, and no edit goes unseen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.kit import AUTH, JWT, LOGIN, RSA
from tests.diff.kit import CATALOG, Branch, rsa
from tests.kinds.odd_keys import rsa_pem

ALL = {"rsa": RSA, "jwt": JWT, "login": LOGIN, "auth": AUTH}

EDITS: dict[str, dict[str, str | None]] = {
    "a grant comes and one goes": {"rsa": RSA.replace("device.list", "telemetry.read")},
    "a grant that is signed": {"login": LOGIN.replace('api: "*"', "api: [orders]")},
    "an algorithm": {"auth": AUTH.replace("name: ERP,", "name: ERP, algorithm: HS512,")},
    "a key size": {"rsa": RSA.replace("2048", "3072")},
    "an end that is not signed": {"rsa": RSA + "lifecycle: {expires: 2098-01-01}\n"},
    "an end that is signed": {"login": LOGIN + "lifecycle: {expires: 2098-01-01}\n"},
    "no end any more": {"jwt": JWT.replace("lifecycle: {expires: 20d}\n", "")},
    "an interval": {"rsa": RSA + "lifecycle: {rotate: {every: 30d, overlap: 2d}}\n"},
    "a short interval": {"rsa": RSA + "lifecycle: {rotate: {every: 1h, overlap: 30m}}\n"},
    "off": {"jwt": JWT.replace("{expires: 20d}", "{expires: 20d, enabled: false}")},
    "off by its kind": {"auth": AUTH.replace("name: ERP,", "name: ERP, enable: false,")},
    "protected": {"rsa": RSA + "lifecycle: {protect: true}\n"},
    "asked for": {"rsa": RSA + 'lifecycle: {rotate: {asked: {at: "2026-01-01T00:00:00Z", reason: so}}}\n'},
    "leaked": {
        "rsa": RSA
        + 'lifecycle: {rotate: {asked: {at: "2026-01-01T00:00:00Z", reason: so, leaked: true}}}\n'
    },
    "another owner": {"rsa": RSA.replace("team-historian", "team-b")},
    "labels and a title": {"rsa": RSA.replace("env: prod", "env: test").replace("工厂", "厂")},
    "another format": {"rsa": RSA + "deliver: {format: json}\n"},
    "a kubernetes secret": {"rsa": RSA + "deliver: {format: kubernetes, kubernetes: {namespace: x}}\n"},
    "another name": {"rsa": RSA.replace("historian,", "history, previously: [historian],", 1)},
    "another name and algorithm": {
        "rsa": RSA.replace("historian,", "history, previously: [historian],", 1).replace("2048", "4096")
    },
    "another name without a word": {"rsa": RSA.replace("historian,", "history,", 1)},
    "a name before that nobody had": {"rsa": RSA.replace("historian,", "historian, previously: [x],", 1)},
    "another kind": {"rsa": JWT.replace("bridge", "historian")},
    "two swap their kinds": {
        "rsa": JWT.replace("bridge", "historian"),
        "jwt": RSA.replace("historian,", "bridge,", 1),
    },
    "gone": {"rsa": None, "login": None},
    "new": {"more": AUTH.replace("erp", "crm"), "past": rsa("late").replace("2099", "2020")},
    "all of it": {
        "rsa": None,
        "jwt": JWT.replace("20d", "30d"),
        "auth": AUTH.replace("ERP", "CRM"),
        "x": rsa("x"),
    },
    "another layout": {
        "w": "apiVersion: reconciler/v1\nkind: Workspace\nmetadata: {name: default}\n"
        'spec: {deliver: {path: "tokens/{kind}/{name}"}}\n'
    },
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_shows_as_the_plan_of_it_will(edit: str, branch: Branch) -> None:
    """With the base live, the plan and the comparison have the same changes, for the same reasons."""
    branch.commit(**ALL)
    branch.shop.ok("apply", "--yes")
    branch.repo.commit()
    for name, text in EDITS[edit].items():
        if text is None:
            branch.remove(name)
        else:
            branch.shop.spec(text, f"{name}.yaml")
    plan, diff = branch.plan(), branch.diff()
    assert plan["changes"]
    assert diff["summary"] == plan["summary"]
    for one, other in zip(diff["changes"], plan["changes"], strict=True):
        for part in ("action", "kind", "name", "previously"):
            assert one.get(part) == other.get(part), edit
        if one["action"] not in ("issue", "delete"):
            assert (one["reasons"], one["fields"]) == (other["reasons"], other["fields"])
    assert branch.diff("HEAD")["changes"] == diff["changes"]
    head = branch.repo.commit()
    assert branch.diff("HEAD~1..HEAD")["changes"] == diff["changes"]
    assert branch.diff(f"HEAD~1...{head}")["changes"] == diff["changes"]


def test_what_has_no_meaning_is_no_change(branch: Branch) -> None:
    """Moves, comments, order, quotes, ends of lines, and how a list or a default is written."""
    branch.commit(
        rsa=RSA.replace("historian,", "historian, previously: [p, q],", 1),
        jwt=JWT,
        auth=AUTH,
        catalog=CATALOG_ALL,
    )
    branch.remove("rsa", "jwt", "auth", "catalog")
    branch.write("specs/deep/er/x.yml", f"# said\n{AUTH}---\n{JWT}".replace("\n", "\r\n"))
    branch.write(
        "specs/z.yaml",
        """\
kind: "RSAToken"
spec:
  keySize: 2048   # small
  projects:
    - 'plant-a'
  apis:
  - "device.list"
  - device.read
metadata:
  labels: {"env": "prod"}
  previously: [q, p]
  owner: team-historian
  name: historian
  title: "工厂 A 历史库"
lifecycle: {enabled: true, protect: false}
deliver: {format: yaml}
apiVersion: "reconciler/v1"
""",
    )
    one, other = CATALOG_ALL.split("  roles:")
    branch.write("specs/b.yaml", one.replace("platform", "first").replace("device.list", DESCRIBED))
    branch.write("specs/a.yaml", CATALOG_HEAD.replace("platform", "second") + "  roles:" + other)
    ran = branch.shop.ok("diff")
    assert ran.out.startswith("Nothing changes in meaning from ")
    found = branch.diff()
    assert not any(found[part] for part in ("changes", "owners", "settings", "policies", "catalog", "rules"))


CATALOG_HEAD = "apiVersion: reconciler/v1\nkind: Catalog\nmetadata: {name: platform}\nspec:\n"
CATALOG_ALL = f"""\
{CATALOG_HEAD}\
  apis: [device.read, device.list]
  projects: [plant-a]
  users: [svc-mes]
  roles: ["*", SYS_Reader]
"""
DESCRIBED = "{name: device.list, description: all of them}"


def test_the_document_says_who_gains_what_and_whom_it_affects(branch: Branch) -> None:
    branch.commit(one=rsa("one"), two=rsa("two", owner="team-b"), nobody=AUTH)
    branch.remove("nobody")
    branch.shop.spec(rsa("one", "device.read, device.list", owner="team-b"), "one.yaml")
    branch.shop.spec(rsa("two", "device.list", owner="team-b"), "two.yaml")
    branch.shop.spec(rsa("three"), "three.yaml")
    found = branch.diff()
    assert list(found) == [
        "schema", "base", "head", "summary", "changes", "owners", "settings", "policies", "catalog", "rules"
    ]  # fmt: skip
    assert found["schema"] == "reconciler/diff/v1"
    assert (found["base"], found["head"]) == (branch.repo.git("rev-parse", "HEAD"), None)
    assert found["summary"] == {"delete": 1, "modify": 2, "issue": 1}
    gone, one, two, three = found["changes"]
    assert (gone["name"], gone["reasons"]) == ("erp", ["no spec declares it any more"])
    assert one["gains"] == {"apis": ["device.list"]}
    assert one["loses"] == {}
    assert (one["owner"], one["file"]) == ("team-b", "specs/one.yaml")
    assert (two["gains"], two["loses"]) == ({"apis": ["device.list"]}, {"apis": ["device.read"]})
    assert three["gains"] == {"apis": ["device.read"], "projects": ["plant-a"]}
    assert three["reasons"] == []
    assert found["owners"] == [
        {"owner": "team-a", "summary": {"modify": 1, "issue": 1}},
        {"owner": "team-b", "summary": {"modify": 2}},
        {"owner": None, "summary": {"delete": 1}},
    ]


def test_the_text_says_the_same(branch: Branch) -> None:
    base = branch.commit(one=rsa("one"), two=rsa("two"))
    branch.remove("two")
    branch.commit(one=rsa("one", "device.list", ", protect: true"), three=rsa("three", owner="team-b"))
    assert (
        branch.shop.ok("diff", "HEAD~1..HEAD").out
        == f"""\
From {base[:7]} to {branch.repo.git("rev-parse", "HEAD")[:7]}:

  - delete  RSAToken  two    no spec declares it any more
                             apis: device.read
                             projects: plant-a
                             lifecycle.expires: 2099-01-01
                             owner: team-a
  ~ modify  RSAToken  one    apis: + device.list, - device.read
                             lifecycle.protect: false → true
  + issue   RSAToken  three  apis: device.read
                             projects: plant-a
                             lifecycle.expires: 2099-01-01
                             owner: team-b

1 to delete, 1 to modify, 1 to issue. From the specs alone: what is live, lost or due, plan tells.
Affected: team-a (1 to delete, 1 to modify); team-b (1 to issue)
"""
    )


def test_a_group_that_gains_a_member_changes_every_token_that_names_it(branch: Branch) -> None:
    """And names the group: their own files did not change."""
    branch.commit(
        catalog=CATALOG,
        one=rsa("one", '"@telemetry"'),
        two=rsa("two", '"@telemetry", device.list'),
        three=rsa("three", "telemetry.read"),
    )
    branch.shop.spec(
        CATALOG.replace("members: [telemetry.read]", "members: [device.list, device.read]"), "catalog.yaml"
    )
    found = branch.diff()
    assert [(one["name"], one["action"], one["through"]) for one in found["changes"]] == [
        ("one", "modify", ["@telemetry"]),
        ("two", "modify", ["@telemetry"]),
    ]
    assert found["changes"][0]["gains"] == {"apis": ["device.list", "device.read"]}
    assert found["changes"][0]["loses"] == {"apis": ["telemetry.read"]}
    assert found["catalog"] == [
        {
            "what": "apis @telemetry",
            "field": "members",
            "added": ["device.list", "device.read"],
            "removed": ["telemetry.read"],
            "effect": "loosens",
            "tokens": ["one", "two"],
        }
    ]
    assert "through @telemetry of the catalog" in branch.shop.ok("diff").out


def test_a_public_key_is_told_by_its_fingerprint(branch: Branch) -> None:
    text = rsa("one").replace("projects: [plant-a]", "projects: [plant-a], keySize: 2048, publicKey: %s")
    keys = [json.dumps(rsa_pem(number)) for number in (0, 1)]
    branch.commit(one=text % keys[0])
    branch.shop.spec(text % keys[1], "one.yaml")
    (change,) = branch.diff()["changes"]
    assert change["action"] == "rotate"
    (field,) = change["fields"]
    assert field["before"].startswith("sha256:")
    assert "BEGIN" not in branch.shop.ok("diff").out


def test_only_what_is_tracked_or_there_counts_and_nothing_live_is_asked(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fork has no access: the store that is named is out of reach, and no home and no key are there."""
    branch.commit(one=rsa("one"))
    branch.shop.spec(rsa("two"), "new/two.yaml")
    monkeypatch.setenv("RECONCILER_STORE", "postgresql://nowhere.invalid/db")
    monkeypatch.setenv("HOME", "/nonexistent")
    assert branch.actions() == [("issue", "two")]
    assert not (branch.shop.root / ".reconciler").exists()


def test_a_branch_shows_what_it_changes_and_not_what_its_base_got_since(branch: Branch) -> None:
    branch.commit(one=rsa("one"))
    branch.repo.git("checkout", "--quiet", "-b", "side")
    branch.commit(two=rsa("two"))
    branch.repo.git("checkout", "--quiet", "main")
    branch.commit(three=rsa("three"))
    branch.repo.git("checkout", "--quiet", "side")
    branch.shop.spec(rsa("four"), "four.yaml")
    assert branch.actions("main") == [("issue", "four"), ("issue", "two")]
    assert branch.actions("main..side") == [("delete", "three"), ("issue", "two")]
    assert branch.actions("main...side") == [("issue", "two")]


def test_a_workspace_in_a_subfolder_is_compared_by_itself(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch.write("sub/specs/one.yaml", rsa("one"))
    branch.commit(top=rsa("top"))
    branch.remove("top")
    branch.write("sub/specs/one.yaml", rsa("one", "device.list"))
    monkeypatch.chdir(branch.shop.root / "sub")
    assert branch.actions() == [("modify", "one")]
    assert branch.actions("HEAD..HEAD") == []
    monkeypatch.chdir(Path("specs"))
    assert branch.actions() == [("modify", "one")]
