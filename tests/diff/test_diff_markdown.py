"""`diff --format markdown`: fits into a comment whatever changes, and nothing from outside is obeyed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.diff.kit import CATALOG, POLICY, WORKSPACE, Branch, rsa

LIMIT = 60_000
ROW = (
    "| **delete** | RSAToken | `two` | `team-a` | no spec declares it any more; `apis`: − `device.read`;"
    " `projects`: − `plant-a`; `lifecycle.expires`: `2099-01-01` → `none`; 1 more fields |"
)
CHANGED = (
    "| modify | RSAToken | `one` | `team-b`, `team-a` | `apis`: + `device.list`, − `device.read`;"
    " `metadata.owner`: `team-a` → `team-b` |"
)


def many(names: Sequence[str], owners: Sequence[str], apis: str = "device.read") -> dict[str, str]:
    """Files of tokens, each small enough to be read."""
    texts = [rsa(name, apis, owner=owner) for name, owner in zip(names, owners, strict=True)]
    return {
        f"{names[start][:8]}": "---\n".join(texts[start : start + 30]) for start in range(0, len(texts), 30)
    }


def test_a_comment_is_what_a_reviewer_needs(branch: Branch) -> None:
    base = branch.commit(w=WORKSPACE, one=rsa("one"), two=rsa("two"))
    branch.remove("two")
    branch.shop.spec(rsa("one", "device.list", owner="team-b"), "one.yaml")
    branch.shop.spec(WORKSPACE.replace("s: {delete: {count: 2", "s: {delete: {count: 9"), "w.yaml")
    branch.shop.spec(POLICY, "house.yaml")
    assert (
        branch.shop.ok("diff", "--format", "markdown").out
        == f"""\
<!-- reconciler: acme diff -->
### What changes in `acme` from `{base[:7]}` to the work tree

**1 to delete, 1 to modify.**

> [!CAUTION]
> **Rules are loosened.**
>
> - loosens: `Workspace brakes.delete.count: 2 → 9`

**Taken away**

|  | kind | token | owner | what and why |
| --- | --- | --- | --- | --- |
{ROW}

**Changed and issued**

|  | kind | token | owner | what and why |
| --- | --- | --- | --- | --- |
{CHANGED}

**Rules**

- tightens: `policy house rule no-admin: none → on spec, deny: "device.admin" in spec.spec.apis`

**Affected**

- `team-a`: 1 to delete, 1 to modify
- `team-b`: 1 to modify

From the specs alone: what is live, lost or due, plan tells.

<details><summary>Every field that changes</summary>

- delete `two`
  - `lifecycle.expires`: `2099-01-01` → `none`
  - `metadata.owner`: `team-a` → `none`
  - `apis`: − `device.read`
  - `projects`: − `plant-a`
- modify `one`
  - `metadata.owner`: `team-a` → `team-b`
  - `apis`: + `device.list`, − `device.read`

</details>
"""
    )


def test_no_change_is_one_sentence(branch: Branch) -> None:
    branch.commit(one=rsa("one"))
    lines = branch.shop.ok("diff", "--format", "markdown").out.splitlines()
    assert lines[-1] == "Nothing changes in meaning."
    assert len(lines) == 5
    assert lines[1] == "<!-- updates a comment, adds none -->"


def test_however_much_changes_it_fits_and_what_is_left_out_is_counted(branch: Branch) -> None:
    """What is loosened and what is destroyed stands there first."""
    wide = "名" * 60
    names = ", ".join(f"a{number:03}-{'x' * 100}" for number in range(200))
    tokens = [f"t{number:04}-{'n' * 50}" for number in range(1000)]
    owners = [f"team-{number}-{wide}" for number in range(1000)]
    rules = [f"    - {{id: r{number}, deny: 'owner == \"{wide}\"', message: m}}\n" for number in range(99)]
    gone = many([f"g{name}" for name in tokens[:500]], owners[:500])
    big = many(tokens[:60], owners[:60], names)
    branch.commit(w=WORKSPACE, p=POLICY + "".join(rules), **gone, **big)
    branch.remove("p", *gone, *big)
    for name, text in many(tokens[60:], owners[60:]).items():
        branch.shop.spec(text, f"{name}.yaml")
    first = branch.shop.ok("diff", "--format", "markdown").out
    assert len(first.encode()) <= LIMIT
    assert first == branch.shop.ok("diff", "--format", "markdown").out
    assert first.index("Rules are loosened") < first.index("Taken away")
    last = first.strip().splitlines()[-1]
    left = re.fullmatch(
        r"\*\*Not shown here, for want of room:\*\* ([\d,]+) tokens; ([\d,]+) changes of rules;"
        r" ([\d,]+) owners; ([\d,]+) lists of fields\. See all: `reconcile diff`",
        last,
    )
    assert left is not None
    shown = first.count("\n| **delete** |") + first.count("\n| issue |")
    assert shown + int(left[1].replace(",", "")) == 500 + 60 + 940
    assert first.count("\n| **delete** |") > 50


def test_text_from_specs_is_code_and_begins_no_line(branch: Branch) -> None:
    harm = "@everyone <img src=x> ![x](http://x) | --> ## a"
    branch.commit(one=rsa("one"), catalog=CATALOG)
    branch.shop.spec(
        rsa("one", owner=f'"{harm}"').replace("{name: one", f'{{title: "{harm} `", name: one'), "one.yaml"
    )
    branch.shop.spec(
        CATALOG.replace("- device.list", f'- {{name: device.list, deprecated: "/approve {harm}"}}'),
        "catalog.yaml",
    )
    branch.write(".sops.yaml", 'creation_rules: [{path_regex: "a\\n/approve\\n<b>`@x", age: x}]\n')
    out = branch.shop.ok("diff", "--format", "markdown").out
    outside = re.sub(r"`[^`\n]*`", "", out)
    assert "everyone" in out
    for sign in ("@", "<img", "http", "## a", "/approve", "<b>"):
        assert sign not in outside, sign
    assert not [line for line in out.splitlines() if line.startswith("/")]
