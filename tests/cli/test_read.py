"""list, show, validate, schema."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.kit import AUTH, JWT, RSA, Shop


def test_list_shows_what_is_live_and_no_more(stocked: Shop) -> None:
    stocked.spec(AUTH.replace("erp", "later"), "later.yaml")
    document = stocked.ok("list", "--format", "json").json
    assert document["schema"] == "reconciler/tokens/v1"
    names = [token["name"] for token in document["tokens"]]
    assert names == ["bridge", "console", "erp", "historian"]
    historian = document["tokens"][3]
    assert historian["kind"] == "RSAToken"
    assert historian["state"] == "active"
    assert historian["generation"] == 1
    assert historian["owner"] == "team-historian"
    assert historian["artifact"] == "artifacts/RSAToken/historian.yaml"
    assert historian["grants"] == {"apis": ["device.list", "device.read"], "projects": ["plant-a"]}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("hist", ["historian"]),
        ("历史", ["historian"]),
        ("team-mes", ["bridge"]),
        ("prod", ["historian"]),
        ("histroian", ["historian"]),
        ("ADMIN", ["console"]),
        ("zzzz", []),
    ],
)
def test_list_searches_name_title_owner_and_labels_roughly(
    query: str, found: list[str], stocked: Shop
) -> None:
    tokens = stocked.ok("list", query, "--format", "json").json["tokens"]
    assert [token["name"] for token in tokens] == found


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--kind", "rsatoken"), ["historian"]),
        (("--owner", "team-mes"), ["bridge"]),
        (("--state", "active"), ["bridge", "console", "erp", "historian"]),
        (("--state", "expired"), []),
        (("--expiring", "30d"), ["bridge"]),
        (("--expiring", "10d"), []),
    ],
)
def test_list_narrows(options: tuple[str, ...], found: list[str], stocked: Shop) -> None:
    tokens = stocked.ok("list", *options, "--format", "json").json["tokens"]
    assert [token["name"] for token in tokens] == found


def test_list_lines_up_scripts_of_any_width(stocked: Shop) -> None:
    lines = stocked.ok("list").out.splitlines()
    assert lines[0].split() == ["NAME", "KIND", "ID", "STATE", "GEN", "OWNER", "EXPIRES", "TITLE"]
    assert "工厂 A 历史库" in lines[4]


def test_list_of_nothing_says_so(shop: Shop) -> None:
    shop.spec(AUTH)
    ran = shop.ok("list")
    assert (ran.out, ran.err) == ("", "no token is live yet.\n")
    assert shop.ok("list", "x").err == "no live token fits that.\n"


def test_show_tells_grants_credentials_and_dates(stocked: Shop) -> None:
    text = stocked.ok("show", "historian").out
    assert "apis          device.list, device.read" in text
    assert "generation 1  RS256, active, from 20" in text
    token = stocked.ok("show", "bridge", "--format", "json").json["tokens"][0]
    assert token["credentials"][0]["until"] == token["expires"]


def test_show_of_a_deleted_token_shows_what_it_was(stocked: Shop) -> None:
    stocked.ok("remove", "erp")
    stocked.ok("apply", "--yes", "--max-delete", "1")
    text = stocked.ok("show", "erp").out
    assert "deleted since 20" in text
    assert "SYS_Reader" in text


def test_show_of_no_token_names_the_next_step(stocked: Shop) -> None:
    ran = stocked.run("show", "nobody")
    assert ran.code == 1
    assert "there is no token nobody" in ran.err
    stocked.spec(AUTH.replace("erp", "later"), "later.yaml")
    assert "later is declared and not live yet" in stocked.run("show", "later").err


def test_validate_reports_every_fault_of_every_file_with_its_line_and_a_caret(shop: Shop) -> None:
    shop.spec(AUTH.replace("name: ERP", "name: ERP, algorithm: HS265"), "a.yaml")
    shop.spec(JWT.replace("users", "user"), "b.yaml")
    ran = shop.run("validate")
    assert ran.code == 1
    assert 'specs/a.yaml:4:30: algorithm is "HS265"; it can be HS256' in ran.out
    assert "[tokenauth.algorithm]" in ran.out
    assert "   4 | spec: {name: ERP, algorithm: HS265, initroles: [SYS_Reader]}" in ran.out
    assert "     |                              ^^^^^ did you mean HS256?" in ran.out
    assert "specs/b.yaml:4:29" in ran.out
    assert "3 faults in 2 files." in ran.err


def test_validate_json_has_every_part_of_a_fault(shop: Shop) -> None:
    shop.spec(JWT.replace("users", "user"), "b.yaml")
    document = shop.run("validate", "--format", "json").json
    assert document["schema"] == "reconciler/faults/v1"
    assert {"file", "line", "column", "rule", "message", "hint"} == set(document["faults"][0])
    assert [fault["rule"] for fault in document["faults"]] == ["missing-field", "unknown-field"]


def test_validate_of_paths_reports_only_their_faults(shop: Shop) -> None:
    shop.spec("kind: 1\n", "a.yaml")
    shop.spec(RSA, "b.yaml")
    assert shop.ok("validate", "specs/b.yaml").out == "no faults there.\n"
    assert shop.run("validate", "specs/a.yaml").code == 1
    assert shop.run("validate", ".").code == 64


def test_validate_shows_no_line_that_may_hold_a_secret(shop: Shop) -> None:
    shop.spec(AUTH.replace("name: ERP", "name: ERP, secret: CANARY-abcd, algorithm: HS265"))
    ran = shop.run("validate")
    assert ran.code == 1
    assert "[secret.literal]" in ran.out
    assert "CANARY" not in ran.out + ran.err


def test_validate_without_a_spec_folder_says_what_to_do(shop: Shop) -> None:
    ran = shop.run("validate")
    assert ran.code == 1
    assert "there is no such folder" in ran.out


def test_schema_is_json_and_can_be_written(shop: Shop) -> None:
    assert json.loads(shop.ok("schema").out)["title"] == "reconciler spec"
    shop.ok("schema", "TokenAuth", "--out", "one.json")
    assert json.loads((shop.root / "one.json").read_text())["title"] == "TokenAuth"
    assert shop.run("schema", "--out", "/proc/none/x").code == 1


@pytest.mark.parametrize("command", ["validate", "fmt"])
@pytest.mark.parametrize(
    "path", ["none.yaml", "specs/none.yaml", "other.yaml", "specs/a.txt", "specs/.b.yaml", "."]
)
def test_a_path_that_is_no_spec_is_wrong_usage(command: str, path: str, shop: Shop) -> None:
    shop.spec(AUTH)
    for file in ("other.yaml", "specs/a.txt", "specs/.b.yaml"):
        shop.write(file, AUTH)
    ran = shop.run(command, path)
    assert (ran.code, ran.out) == (64, "")
    assert "[usage, exit 64]" in ran.err


def test_no_fault_shows_a_letter_that_a_terminal_obeys(shop: Shop) -> None:
    shop.spec(AUTH.replace("kind: TokenAuth", "kind: TokenAuth # \u202eevil\u200b\ntitel: a"))
    shop.spec(AUTH + "  # a\u202eb\nfoo: a\u2066b # \u061c\n", "b.yaml")
    ran = shop.run("validate")
    assert ran.code == 1
    assert all(letter.isprintable() or letter == "\n" for letter in ran.out)


def test_a_plan_that_is_saved_to_a_device_or_through_a_link_leaves_that_as_it_is(stocked: Shop) -> None:
    """`--out /dev/stdout` is such a link."""
    link = stocked.root.parent / "link"
    link.symlink_to(stocked.root / "kept.plan")
    stocked.ok("plan", "--out", str(link))
    assert link.is_symlink()
    assert json.loads((stocked.root / "kept.plan").read_bytes())["schema"] == "reconciler/plan/v1"
    stocked.ok("plan", "--out", os.devnull)
    assert not Path(os.devnull).is_file()


def test_a_user_without_a_home_can_validate_and_plan(stocked: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user stands in no list."""

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", staticmethod(homeless))
    assert "4 specs, no faults." in stocked.ok("validate").out
    assert "Nothing to do" in stocked.ok("plan").out
