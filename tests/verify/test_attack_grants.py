"""A good token that asks for what it was not granted: names are compared whole, as they are written."""

from __future__ import annotations

import ipaddress
import unicodedata

import pytest

from reconciler.kinds.checking import Reason
from tests.verify.attacks import keyed, proper, refused, token, with_own_grants
from tests.verify.kit import Desk, Owned

DIMENSIONS = {
    "api": ("RSAToken", "apis", Reason.API),
    "project": ("RSAToken", "projects", Reason.PROJECT),
    "user": ("JWTToken", "users", Reason.USER_DENIED),
    "app": ("LoginToken", "sap", Reason.APP),
    "shop": ("LoginToken", "shop", Reason.SHOP),
    "device": ("LoginToken", "dvm", Reason.DEVICE),
}
NAME = "device.read"


def granting(dimension: str, *names: str) -> tuple[Owned, str]:
    """A token that is granted these names in one dimension and all in every other, and what to present."""
    kind, key, _ = DIMENSIONS[dimension]
    of = token("RSAToken") if kind == "RSAToken" else keyed(kind)
    everything = dict.fromkeys(of.live.grants, ("*",))
    own = {"aud": ("AdmManHu",)} if kind == "LoginToken" else {}
    of = with_own_grants(of, **{**everything, **own, key: names})
    claims = {} if kind == "RSAToken" else proper(of)
    return of, of.signed({**claims, **({"sap": "*"} if kind == "LoginToken" else {})})


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_a_name_that_is_granted_is_accepted_and_another_is_not(dimension: str) -> None:
    of, text = granting(dimension, "another", NAME)
    desk = Desk([of])
    assert desk.check(text, **{dimension: NAME}).reason is Reason.ACCEPTED
    refused(desk.check(text, **{dimension: "device.write"}), DIMENSIONS[dimension][2], proven=True)


UNLIKE = [
    "",
    " ",
    "*",
    "device",
    "device.",
    "device.rea",
    "device.readx",
    "xdevice.read",
    "DEVICE.READ",
    "Device.Read",
    "device.read ",
    " device.read",
    "device.read\n",
    "device.read\0",
    "device.read/",
    "device/read",
    "device,read",
    "device.read,another",
    "device.read another",
    "another device.read",
    "('another', 'device.read')",
    "devicexread",
    "device.*",
    ".*",
    "dev%69ce.read",
    "ｄｅｖｉｃｅ．ｒｅａｄ",
    "dеvice.read",
    "device\u2024read",
    "device\u200b.read",
    "device.read\u0301",
    "deviceſ.read",
]


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("name", UNLIKE)
def test_a_name_that_only_looks_like_a_granted_one_is_refused(name: str, dimension: str) -> None:
    """Part, case, blank, separator, pattern, encoding, look-alike letter; and `*`, which is no name."""
    of, text = granting(dimension, "another", NAME)
    refused(Desk([of]).check(text, **{dimension: name}), DIMENSIONS[dimension][2], proven=True)


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("pattern", ["device.*", "*.read", "d*", "**", "* ", " *", "＊", "?", ".*", "%"])
def test_a_star_inside_a_name_is_no_wildcard(pattern: str, dimension: str) -> None:
    of, text = granting(dimension, pattern)
    refused(Desk([of]).check(text, **{dimension: NAME}), DIMENSIONS[dimension][2], proven=True)


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("names", [("*", "another"), ("another", "*"), ("*", "*")])
def test_a_star_beside_other_names_is_no_wildcard(names: tuple[str, ...], dimension: str) -> None:
    """No spec gives that; a record that says it anyway grants the least that it can mean."""
    of, text = granting(dimension, *names)
    refused(Desk([of]).check(text, **{dimension: NAME}), DIMENSIONS[dimension][2], proven=True)


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("name", [NAME, "", "*", "何か"])
def test_a_star_alone_is_every_name(name: str, dimension: str) -> None:
    of, text = granting(dimension, "*")
    assert Desk([of]).check(text, **{dimension: name}).active


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_nothing_granted_is_nothing_allowed(dimension: str) -> None:
    of, text = granting(dimension)
    refused(Desk([of]).check(text, **{dimension: NAME}), DIMENSIONS[dimension][2], proven=True)
    refused(Desk([of]).check(text, **{dimension: ""}), DIMENSIONS[dimension][2], proven=True)


def test_a_letter_composed_otherwise_is_another_name() -> None:
    composed, apart = (unicodedata.normalize(form, "plant-é") for form in ("NFC", "NFD"))
    of, text = granting("project", composed)
    assert Desk([of]).check(text, project=composed).active
    refused(Desk([of]).check(text, project=apart), Reason.PROJECT, proven=True)


def test_a_call_that_is_about_nothing_is_not_limited_but_for_address_and_device() -> None:
    """Where somebody stands is always known, or is refused."""
    for dimension in ("api", "project", "user", "app", "shop"):
        of, text = granting(dimension, NAME)
        assert Desk([of]).check(text).active, dimension
    of, text = granting("device", NAME)
    refused(Desk([of]).check(text), Reason.DEVICE, proven=True)
    refused(Desk([from_networks("10.1.0.0/16")[0]]).check(text), Reason.ADDRESS, proven=True)


def test_the_grants_are_those_of_the_record_and_of_now() -> None:
    """Narrowed, they hold at once: what the token was signed with does not widen them."""
    of = token("JWTToken")
    assert Desk([of]).check(of.secret["secret_id"], api="telemetry.write").active
    less = with_own_grants(of, apis=("telemetry.read",))
    for presented in (of.secret["secret_id"], of.secret["jwt"]):
        refused(Desk([less]).check(presented, api="telemetry.write"), Reason.API, proven=True)


def test_a_call_must_be_granted_in_every_dimension_that_it_names() -> None:
    of = token("RSAToken")
    desk, text = Desk([of]), token("RSAToken").signed()
    refused(desk.check(text, api="device.read", project="plant-b"), Reason.PROJECT, proven=True)
    refused(desk.check(text, api="device.write", project="plant-a"), Reason.API, proven=True)
    of = token("JWTToken")
    desk, text = Desk([of]), of.secret["jwt"]
    refused(desk.check(text, api="telemetry.write", user="root"), Reason.USER_DENIED, proven=True)
    refused(desk.check(text, api="telemetry.read", user="svc-mes"), Reason.API, proven=True)


def from_networks(*networks: str) -> tuple[Owned, str]:
    """A login token that is granted addresses, in its claims as on record, and what to present."""
    of = keyed("LoginToken")
    of = with_own_grants(of, ipm=networks, dvm=("*",))
    return of, of.signed({**proper(of), "ipm": list(networks), "sap": "SvKerneL"})


INSIDE = {
    "10.1.0.0/16": ["10.1.0.0", "10.1.255.255", "10.1.2.3", "::ffff:10.1.2.3", "::FFFF:0a01:0203"],
    "10.1.2.3/32": ["10.1.2.3", "::ffff:10.1.2.3"],
    "10.1.2.4/30": ["10.1.2.4", "10.1.2.7"],
    "0.0.0.0/0": ["0.0.0.1", "255.255.255.255", "::ffff:8.8.8.8"],
    "2001:db8::/32": ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:0DB8::1"],
    "2001:db8::1/128": ["2001:db8::1", "2001:db8:0:0:0:0:0:1"],
    "2001:db8::4/126": ["2001:db8::4", "2001:db8::7"],
}
OUTSIDE = {
    "10.1.0.0/16": [
        "10.0.255.255",
        "10.2.0.0",
        "110.1.0.0",
        "::10.1.2.3",
        "::ffff:10.2.0.0",
        "::ffff:0:10.1.2.3",
        "64:ff9b::10.1.2.3",
        "2002:a01:203::1",
        "2001:0:a01:203::1",
        "fe80::ffff:10.1.2.3",
    ],
    "10.1.2.3/32": ["10.1.2.2", "10.1.2.4"],
    "10.1.2.4/30": ["10.1.2.3", "10.1.2.8"],
    "0.0.0.0/0": ["::", "::1", "2001:db8::1"],
    "::/0": ["10.1.2.3", "::ffff:10.1.2.3"],
    "2001:db8::/32": ["2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::", "::2001:db8"],
    "2001:db8::1/128": ["2001:db8::", "2001:db8::2"],
    "2001:db8::4/126": ["2001:db8::3", "2001:db8::8"],
}


@pytest.mark.parametrize("network", INSIDE)
def test_the_first_and_the_last_address_of_a_network_are_inside(network: str) -> None:
    of, text = from_networks("192.0.2.1/32", network)
    for address in INSIDE[network]:
        assert Desk([of]).check(text, address=address).reason is Reason.ACCEPTED, address


@pytest.mark.parametrize("network", OUTSIDE)
def test_the_next_address_before_and_behind_it_are_outside(network: str) -> None:
    """And so is an address of IPv4 that is wrapped otherwise than RFC 4291 §2.5.5.2 says."""
    of, text = from_networks("192.0.2.1/32", network)
    for address in OUTSIDE[network]:
        ipaddress.ip_address(address)
        refused(Desk([of]).check(text, address=address), Reason.ADDRESS, proven=True)


NO_ADDRESS = [
    "",
    " ",
    "*",
    "10.1.2.3 ",
    " 10.1.2.3",
    "10.1.2.3\n",
    "10.1.2.3\0",
    "10.1.2.3:443",
    "[::ffff:10.1.2.3]",
    "[2001:db8::1]:443",
    "10.1.2.3/32",
    "10.1.0.0/16",
    "10.1.2.3, 8.8.8.8",
    "8.8.8.8, 10.1.2.3",
    "010.1.2.3",
    "10.01.2.3",
    "10.1.2.03",
    "0x0a.1.2.3",
    "0x0a010203",
    "167838211",
    "10.1.515",
    "10.66051",
    "10.1.2",
    "10.1.2.3.4",
    "10.1.2.256",
    "10.1.2.-3",
    "１０.1.2.3",
    "10。1。2。3",
    "١٠.1.2.3",
    "localhost",
    "unknown",
    "2001:db8::1%eth0",
    "2001:db8::1%25eth0",
    "::ffff:10.1.2.3%1",
    "10.1.2.3%eth0",
    "fe80::1%",
    "2001:db8::1::",
    "2001:db8:::1",
    "2001:db8::10.1.2.3.4",
    "2001:db8::12345",
    "\ud800",
    "1" * 10_000,
]


@pytest.mark.parametrize("address", NO_ADDRESS)
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    """A port, a network, a list, octal, hexadecimal, a bare number, other digits, a zone: one form only."""
    of, text = from_networks("10.1.0.0/16", "2001:db8::/32", "fe80::/10", "0.0.0.0/0")
    refused(Desk([of]).check(text, address=address), Reason.ADDRESS, proven=True)


def test_a_network_on_record_that_cannot_be_read_lets_nobody_in() -> None:
    for network in ("10.1.2.3/16", "x", "", "10.1.0.0/33", "fe80::1%eth0/64/1"):
        of, text = from_networks(network)
        refused(Desk([of]).check(text, address="10.1.2.3"), Reason.ADDRESS, proven=True)


@pytest.mark.parametrize("device", [None, "", "scanner", "scanner-10", "SCANNER-1", "scanner-1 ", "*"])
def test_a_device_that_is_not_granted_or_not_known_is_refused(device: str | None) -> None:
    of, text = granting("device", "scanner-1")
    refused(Desk([of]).check(text, device=device), Reason.DEVICE, proven=True)
