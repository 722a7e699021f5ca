"""What was this token? The answer of show and list about tokens that were deleted."""

from __future__ import annotations

import pytest

from tests.cli.kit import AUTH, JWT, LOGIN, RSA, Shop, on_terminal

TOKENS = f"{RSA}---\n{JWT}---\n{LOGIN}---\n"


def ids(shop: Shop, *arguments: str) -> list[str]:
    return [token["id"] for token in shop.ok(*arguments, "--format", "json").json["tokens"]]


@pytest.fixture
def reused(stocked: Shop) -> tuple[Shop, str, str, str]:
    """The name erp was used three times, the last time by a token of another kind that lives."""
    (first,) = ids(stocked, "show", "erp")
    stocked.ok("remove", "erp")
    stocked.ok("apply", "--yes")
    stocked.spec(TOKENS + AUTH.replace("SYS_Reader", "SYS_Writer"))
    stocked.ok("apply", "--yes")
    (second,) = ids(stocked, "show", "erp")
    stocked.spec(TOKENS + JWT.replace("bridge", "erp"))
    stocked.ok("apply", "--yes")
    (third,) = ids(stocked, "show", "erp")
    assert len({first, second, third}) == 3
    return stocked, first, second, third


def test_show_of_a_name_tells_who_had_it_before(reused: tuple[Shop, str, str, str]) -> None:
    """Newest first, with the dates of each; in JSON all of what they were."""
    shop, first, second, third = reused
    text = shop.ok("show", "erp").out
    assert f"id            {third}" in text
    before = [line for line in text.splitlines() if line.startswith("earlier ")]
    assert [line.split()[1:4] for line in before] == [
        [f"{second},", "TokenAuth,", "issued"],
        [f"{first},", "TokenAuth,", "issued"],
    ]
    assert all("deleted 20" in line for line in before)
    document = shop.ok("show", "erp", "--format", "json").json
    assert [token["id"] for token in document["tokens"]] == [third]
    assert [token["id"] for token in document["earlier"]] == [second, first]
    assert document["earlier"][1]["grants"]["initroles"] == ["SYS_Reader"]


def test_show_of_an_id_is_of_that_token_and_no_other(reused: tuple[Shop, str, str, str]) -> None:
    """Deleted or live."""
    shop, first, second, third = reused
    text = shop.ok("show", first).out
    assert "deleted since 20" in text
    assert "SYS_Reader" in text
    assert "retired" in text
    assert "earlier" not in text
    assert "SYS_Writer" in shop.ok("show", second).out
    assert "state         active" in shop.ok("show", third).out
    assert "there is no token nobody" in shop.run("show", "nobody").err


def test_show_of_a_name_that_nobody_has_any_more(reused: tuple[Shop, str, str, str]) -> None:
    """The last that had it, and those before it."""
    shop, first, second, third = reused
    shop.ok("remove", "erp")
    shop.ok("apply", "--yes")
    document = shop.ok("show", "erp", "--format", "json").json
    assert [token["id"] for token in document["tokens"]] == [third]
    assert [token["id"] for token in document["earlier"]] == [second, first]


def test_list_of_what_was_deleted(reused: tuple[Shop, str, str, str]) -> None:
    """By name, newest first; with the search and the filters that live tokens have."""
    shop, first, second, _ = reused
    shop.ok("remove", "bridge")
    shop.ok("apply", "--yes")
    (bridge,) = ids(shop, "show", "bridge")
    assert ids(shop, "list", "--state", "deleted") == [bridge, second, first]
    assert ids(shop, "list", "brigde", "--state", "deleted") == [bridge]
    assert ids(shop, "list", first, "--state", "deleted") == [first]
    assert ids(shop, "list", "--state", "deleted", "--kind", "tokenauth") == [second, first]
    assert ids(shop, "list", "--state", "deleted", "--owner", "team-mes") == [bridge]
    assert {first, second, bridge} & set(ids(shop, "list")) == set()
    heading, line, *_ = shop.ok("list", "--state", "deleted").out.splitlines()
    assert heading.split() == ["NAME", "KIND", "ID", "STATE", "GEN", "OWNER", "DELETED", "TITLE"]
    assert line.split()[3] == "deleted"
    shown = shop.ok("list", "--state", "deleted", "--format", "json").json
    assert shown["schema"] == "reconciler/tokens/v1"
    assert all(token["deleted"] and token["state"] == "deleted" for token in shown["tokens"])


def test_list_of_no_deleted_token_says_so(stocked: Shop) -> None:
    """And a deleted token has no end to come."""
    assert stocked.ok("list", "--state", "deleted").err == "no token was deleted yet.\n"
    assert stocked.ok("list", "x", "--state", "deleted").err == "no deleted token fits that.\n"
    ran = stocked.run("list", "--state", "deleted", "--expiring", "3d")
    assert ran.code == 64
    assert "leave out --expiring" in ran.err


def test_a_reused_name_gives_the_owner_another_secret(stocked: Shop) -> None:
    """The old artifact is gone with the old token, and opens as nothing that is live."""
    old = (stocked.root / "artifacts/TokenAuth/erp.yaml").read_bytes()
    stocked.ok("remove", "erp")
    stocked.ok("apply", "--yes")
    stocked.spec(TOKENS + AUTH)
    stocked.ok("apply", "--yes")
    (stocked.root / "artifacts/TokenAuth/erp.yaml").write_bytes(old)
    ran = stocked.run("download", "erp", "--stdout")
    assert ran.code == 1
    assert "± rotate  TokenAuth" in stocked.ok("plan").out


def test_deleting_warns_before_it_is_agreed_to(stocked: Shop) -> None:
    """When the spec is removed, in the plan, and when apply asks."""
    final = "That cannot be undone: whoever still uses it is refused from then on."
    assert f"erp is deleted. {final}" in stocked.ok("remove", "erp").err
    assert "this cannot be undone" in stocked.ok("plan").out
    code, shown = on_terminal(["apply"], "n\n", {"COLUMNS": "200"})
    assert code != 0
    assert shown.index(f"This deletes 1 token. {final}") < shown.index("Apply this plan? [y/N]")
    assert "erp" in [token["name"] for token in stocked.ok("list", "--format", "json").json["tokens"]]
    stocked.ok("remove", "bridge")
    _, shown = on_terminal(["apply", "--max-delete", "2"], "n\n", {"COLUMNS": "200"})
    assert "This deletes 2 tokens. That cannot be undone: whoever still uses one of them is refused" in shown


def test_apply_says_nothing_of_deleting_where_it_deletes_nothing(stocked: Shop) -> None:
    stocked.ok("set", "erp", "expire=60")
    _, shown = on_terminal(["apply"], "n\n")
    assert "[y/N]" in shown
    assert "undone" not in shown
