"""Names that the catalog deprecates, at each place where a file has one."""

from __future__ import annotations

from pathlib import Path

from reconciler.specs.faults import Fault
from reconciler.specs.files import Folder
from reconciler.specs.load import Specs, load
from reconciler.specs.outdated import outdated

HEAD = "apiVersion: reconciler/v1\n"
CATALOG = f"""{HEAD}kind: Catalog
metadata: {{name: c}}
spec:
  apis:
    - new
    - {{name: old, deprecated: use new}}
    - {{name: older, deprecated: use new}}
    - {{name: "*", deprecated: name them}}
    - {{name: "@one", members: [new, old]}}
    - {{name: "@both", members: ["@one", older]}}
    - {{name: "@gone", members: [new], deprecated: use new}}
  roles: [{{name: old, deprecated: ask}}, "*"]
  shops: ["*"]
  apps: ["*", A]
"""


def loaded(root: Path, apis: str, more: str = "") -> tuple[Folder, Specs]:
    (root / "specs").mkdir(exist_ok=True)
    (root / "specs/catalog.yaml").write_text(CATALOG)
    spec = f"{HEAD}kind: RSAToken\nmetadata: {{name: a}}\nspec:\n  apis: {apis}\n  projects: [old]\n"
    (root / "specs/a.yaml").write_text(f"{spec}{more}")
    return Folder(root), load(root)


def found(root: Path, apis: str, more: str = "") -> list[Fault]:
    tree, specs = loaded(root, apis, more)
    return outdated(tree, specs.tokens, specs.catalog)


def test_a_name_is_warned_of_where_it_stands_with_its_line(tmp_path: Path) -> None:
    """Only in fields that its section is for: a project of the same name is none."""
    (one,) = found(tmp_path, "[new, old]")
    assert one == Fault(
        "specs/a.yaml", 5, 15, "catalog.deprecated", 'apis names "old", which is deprecated', "use new",
        "  apis: [new, old]", 3,
    )  # fmt: skip


def test_a_group_is_warned_of_for_what_it_holds_at_any_depth(tmp_path: Path) -> None:
    assert [(one.column, one.message, one.hint) for one in found(tmp_path, '["@one", "@both", "@gone"]')] == [
        (10, 'apis names the group "@one", in which "old" is deprecated', "use new"),
        (
            18,
            'apis names the group "@both", in which "old", "older" are deprecated',
            "see what to use with: reconcile catalog",
        ),
        (27, 'apis names "@gone", which is deprecated', "use new"),
    ]


def test_a_star_that_is_deprecated_is_a_name_like_any_other(tmp_path: Path) -> None:
    assert [one.message for one in found(tmp_path, '["*"]')] == ['apis names "*", which is deprecated']


def test_every_document_and_every_field_is_looked_at(tmp_path: Path) -> None:
    login = f"""---
{HEAD}kind: LoginToken
metadata: {{name: l}}
spec: {{aud: A, sap: "*", jti: "1", api: [old], shop: "*", role: old, rule: "*"}}
"""
    assert [(one.line, one.message[:16]) for one in found(tmp_path, "[old]", login)] == [
        (5, 'apis names "old"'),
        (11, 'api names "old",'),
        (11, 'role names "old"'),
    ]


def test_only_files_of_the_tokens_asked_for_are_read(tmp_path: Path) -> None:
    tree, specs = loaded(tmp_path, "[old]")
    assert outdated(tree, [], specs.catalog) == []
    assert outdated(tree, specs.tokens, {}) == []


def test_a_file_that_went_away_meanwhile_has_no_warning(tmp_path: Path) -> None:
    tree, specs = loaded(tmp_path, "[old]")
    (tmp_path / "specs/a.yaml").unlink()
    assert outdated(tree, specs.tokens, specs.catalog) == []
    (tmp_path / "specs/a.yaml").write_bytes(b"\xff")
    assert outdated(tree, specs.tokens, specs.catalog) == []


def test_a_line_that_may_hold_a_secret_is_not_shown(tmp_path: Path) -> None:
    (one,) = found(tmp_path, "[old] # password: CANARY")
    assert (one.source, one.message) == ("", 'apis names "old", which is deprecated')
