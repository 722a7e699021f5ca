"""The catalog as a person meets it: the command, plans when a group changes, and what is deprecated."""

from __future__ import annotations

from tests.cli.kit import AUTH, JWT, LOGIN, RSA, Shop

CATALOG = """\
apiVersion: reconciler/v1
kind: Catalog
metadata: {name: platform}
spec:
  apis:
    - {name: device.read, description: State of devices}
    - device.list
    - device.admin
    - "*"
    - {name: "@device", members: [device.read, device.list]}
"""
GROUPED = RSA.replace("[device.read, device.list]", '["@device"]')
LOGIN_GROUPED = LOGIN.replace('api: "*"', 'api: "@device"')


def supplied(shop: Shop) -> Shop:
    """A workspace whose tokens are live by a group."""
    shop.ok("keygen")
    shop.spec(CATALOG, "catalog.yaml")
    shop.spec(f"{GROUPED}---\n{JWT}---\n{LOGIN_GROUPED}---\n{AUTH}")
    shop.ok("apply", "--yes")
    return shop


# a group that changes


def test_writing_a_group_for_its_names_changes_nothing_that_is_live(stocked: Shop) -> None:
    stocked.spec(CATALOG, "catalog.yaml")
    stocked.spec(f"{GROUPED}---\n{JWT}---\n{LOGIN}---\n{AUTH}")
    assert stocked.ok("plan", "--format", "json").json["changes"] == []


def test_a_new_member_modifies_every_token_of_the_group_and_rotates_where_names_are_signed(
    shop: Shop,
) -> None:
    shop = supplied(shop)
    assert shop.ok("plan", "--format", "json").json["changes"] == []
    shop.spec(
        CATALOG.replace("device.read, device.list]", "device.read, device.list, device.admin]"),
        "catalog.yaml",
    )
    changes = shop.ok("plan", "--format", "json").json["changes"]
    assert [(change["action"], change["name"]) for change in changes] == [
        ("rotate", "console"),
        ("modify", "historian"),
    ]
    assert changes[1]["fields"] == [{"field": "spec.apis", "added": ["device.admin"], "removed": []}]
    assert "@" not in str(changes)


def test_no_group_reaches_the_live_store_and_an_export_plans_nothing(shop: Shop) -> None:
    shop = supplied(shop)
    shown = shop.ok("show", "historian", "--format", "json").json["tokens"][0]
    assert shown["grants"]["apis"] == ["device.list", "device.read"]
    (shop.root / "specs").rename(shop.root / "lost")
    shop.ok("export")
    assert "@device" not in "".join(path.read_text() for path in (shop.root / "specs").rglob("*.yaml"))
    assert shop.ok("plan", "--format", "json").json["changes"] == []


def test_a_saved_plan_is_stale_when_a_group_changed_and_not_for_a_description(shop: Shop) -> None:
    shop = supplied(shop)
    shop.spec(CATALOG + '    - {name: "@x", members: [device.admin]}\n', "catalog.yaml")
    shop.ok("set", "bridge", "apis+=@x")
    shop.ok("plan", "--out", "a.plan")
    shop.spec(CATALOG + '    - {name: "@x", members: [device.list]}\n', "catalog.yaml")
    assert shop.run("apply", "a.plan", "--yes").code == 4
    shop.spec(CATALOG + '    - {name: "@x", members: [device.admin], description: y}\n', "catalog.yaml")
    shop.ok("apply", "a.plan", "--yes")


def test_a_group_that_no_planned_token_names_may_change_meanwhile(shop: Shop) -> None:
    shop = supplied(shop)
    shop.spec(CATALOG + '    - {name: "@x", members: [device.admin]}\n', "catalog.yaml")
    shop.ok("set", "bridge", "apis+=device.list")
    shop.ok("plan", "--out", "a.plan")
    shop.spec(CATALOG + '    - {name: "@x", members: [device.list]}\n', "catalog.yaml")
    assert "1 change applied" in shop.ok("apply", "a.plan", "--yes").out


def test_policies_look_at_what_is_granted(shop: Shop) -> None:
    shop.spec(CATALOG, "catalog.yaml")
    shop.spec(GROUPED)
    policy = "apiVersion: reconciler/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  rules:\n"
    rule = "    - {id: r, deny: 'spec.spec.apis.exists(a, a == \"device.list\")', message: no lists}\n"
    shop.spec(policy + rule, "policy.yaml")
    assert "historian: no lists" in shop.run("validate").out


# editing


def test_set_and_new_take_groups_and_check_them(shop: Shop) -> None:
    shop.spec(CATALOG, "catalog.yaml")
    shop.spec(JWT)
    assert '+spec: {apis: [device.read, "@device"]' in shop.ok("set", "bridge", "apis+=@device").out
    ran = shop.run("set", "bridge", "apis=@devices")
    assert ran.code == 1
    assert "did you mean @device?" in ran.err
    shop.ok("new", "RSAToken", "more", "apis=@device", "projects=p")
    assert shop.run("new", "RSAToken", "less", "apis=@nothing", "projects=p").code == 1
    assert shop.ok("validate").err == ""


def test_set_refuses_a_star_that_the_catalog_does_not_let(shop: Shop) -> None:
    shop.spec(CATALOG.replace('    - "*"\n', ""), "catalog.yaml")
    shop.spec(JWT)
    ran = shop.run("set", "bridge", "apis=*")
    assert ran.code == 1
    assert 'list "*" under apis of the catalog' in ran.err


def test_set_tells_when_what_is_taken_away_comes_with_a_group(shop: Shop) -> None:
    shop.spec(CATALOG, "catalog.yaml")
    shop.spec(GROUPED)
    note = "note: device.list still comes with @device: take that away, and name what is to stay"
    assert note in shop.ok("set", "historian", "apis-=device.list").err
    assert "note" not in shop.ok("set", "historian", "apis=@device,device.list").err
    assert "note" not in shop.ok("set", "historian", "apis-=@device").err


# deprecation

DEPRECATED = CATALOG.replace(
    "description: State of devices", "description: State, deprecated: use device.state"
)
WARNING = "warning: device.read of apis is deprecated, and 2 tokens name it: bridge, historian"


def test_what_is_deprecated_is_warned_of_and_is_no_fault(shop: Shop) -> None:
    shop.spec(DEPRECATED, "catalog.yaml")
    shop.spec(f"{GROUPED}---\n{JWT}")
    ran = shop.ok("validate")
    assert ran.out == "2 specs, no faults.\n"
    assert ran.err.count("[catalog.deprecated]") == ran.err.count(" use device.state\n") == 2
    shop.ok("keygen")
    ran = shop.ok("plan")
    assert f"{WARNING} [catalog.deprecated]\nhint:    use device.state\n" in ran.out
    assert shop.ok("plan", "--format", "json").json["warnings"][-1]["rule"] == "catalog.deprecated"
    shop.ok("apply", "--yes")
    assert WARNING in shop.ok("plan").out


def test_validate_of_paths_warns_of_the_tokens_there(shop: Shop) -> None:
    shop.spec(DEPRECATED, "catalog.yaml")
    shop.spec(GROUPED)
    shop.spec(JWT, "jwt.yaml")
    err = shop.ok("validate", "specs/jwt.yaml").err
    assert err.startswith("specs/jwt.yaml:")
    assert err.count("warning: ") == 1
    assert shop.ok("validate", "specs/catalog.yaml").err == ""


# the command


def test_the_table_shows_every_entry_and_names_that_are_in_no_catalog(shop: Shop) -> None:
    shop.spec(DEPRECATED, "catalog.yaml")
    shop.spec(f"{GROUPED}---\n{JWT}")
    rows = [line.split() for line in shop.ok("catalog").out.splitlines()]
    assert rows[0] == ["SECTION", "NAME", "TOKENS", "OWNERS", "DEPRECATED", "DESCRIPTION"]
    assert ["apis", "device.admin", "0", "0"] in rows
    assert ["apis", "device.read", "2", "2", "use", "device.state", "State"] in rows
    assert ["apis", "@device", "1", "1", "device.list,", "device.read"] in rows
    assert ["projects", "plant-a", "1", "1", "(in", "no", "catalog)"] in rows
    assert shop.ok("catalog", "--section", "users").out.count("\n") == 2


def test_a_name_shows_who_would_be_affected_and_through_which_group(shop: Shop) -> None:
    shop.spec(CATALOG, "catalog.yaml")
    shop.spec(f"{GROUPED}---\n{JWT}---\n{LOGIN}")
    out = shop.ok("catalog", "device.read").out
    assert "description  State of devices" in out
    assert "member of    @device" in out
    assert "historian  RSAToken  team-historian  @device" in out
    assert "bridge     JWTToken  team-mes        its own spec" in out
    assert out.endswith("2 tokens of 2 owners would be affected. 1 token has all apis by *.\n")
    assert shop.ok("catalog", "apis:device.read").out == out
    assert "No token names it." in shop.ok("catalog", "device.admin").out
    assert "plant-a  (in no catalog)" in shop.ok("catalog", "plant-a").out


def test_json_tells_the_same(shop: Shop) -> None:
    shop.spec(CATALOG, "catalog.yaml")
    shop.spec(f"{GROUPED}---\n{JWT}---\n{LOGIN}")
    document = shop.ok("catalog", "device.read", "--format", "json").json
    assert document["schema"] == "reconciler/catalog/v1"
    (entry,) = document["entries"]
    assert entry == {
        "section": "apis",
        "name": "device.read",
        "listed": True,
        "description": "State of devices",
        "deprecated": None,
        "members": None,
        "routes": None,
        "groups": ["@device"],
        "tokens": 2,
        "owners": ["team-historian", "team-mes"],
        "uses": [
            {"token": "bridge", "kind": "JWTToken", "owner": "team-mes", "direct": True, "through": []},
            {
                "token": "historian",
                "kind": "RSAToken",
                "owner": "team-historian",
                "direct": False,
                "through": ["@device"],
            },
        ],
        "all": 1,
    }
    table = shop.ok("catalog", "--format", "json").json["entries"]
    assert all("uses" not in one for one in table)
    assert {one["name"] for one in table if not one["tokens"]} == {"device.admin"}


def test_an_unknown_name_gets_a_guess_and_a_name_of_two_sections_both(shop: Shop) -> None:
    shop.spec(CATALOG + "  users: [device.read]\n", "catalog.yaml")
    ran = shop.run("catalog", "device.raed")
    assert (ran.code, ran.out) == (64, "")
    assert "did you mean device.read?" in ran.err
    assert "did you mean device.read?" in shop.run("catalog", "users:device.raed").err
    assert shop.run("catalog", "--section", "apps", "device.read").code == 64
    assert shop.ok("catalog", "device.read").out.count("section      ") == 2
    assert shop.ok("catalog", "--section", "users", "device.read").out.count("section      ") == 1


def test_a_workspace_without_names_says_so(shop: Shop) -> None:
    (shop.root / "specs").mkdir()
    ran = shop.ok("catalog")
    assert (ran.out, ran.err) == ("", "no catalog lists anything, and no spec names anything.\n")
    assert shop.ok("catalog", "--format", "json").json["entries"] == []


def test_a_description_cannot_break_the_table(shop: Shop) -> None:
    text = 'description: "a\\n\\e[31mb' + " long" * 50 + '"'
    shop.spec(CATALOG.replace("description: State of devices", text), "catalog.yaml")
    shop.spec(JWT)
    out = shop.ok("catalog").out
    assert "\x1b" not in out
    assert "…" in out
    assert "\x1b" not in shop.ok("catalog", "device.read").out


# routes


def test_an_entry_shows_its_routes(shop: Shop) -> None:
    routes = ["GET /v1/projects/{project}/devices", "* /v1/devices/{rest...}"]
    shop.spec(
        CATALOG.replace("- device.list", f"- {{name: device.list, routes: {routes}}}", 1), "catalog.yaml"
    )
    shown = shop.ok("catalog", "device.list").out
    assert [line.split(maxsplit=1)[1] for line in shown.splitlines() if line.startswith("route ")] == routes
    entries = shop.ok("catalog", "--section", "apis", "--format", "json").json["entries"]
    assert {one["name"]: one["routes"] for one in entries if one["routes"]} == {"device.list": routes}
