"""Identities are found where the sops program finds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.artifacts.age import seal_text
from reconciler.artifacts.agewrap import unwrap
from reconciler.artifacts.identities import Identities, find, generate, keys_file, parse
from reconciler.errors import NoRecipients, SettingsError
from reconciler.secret import Secret

from .kit import key_pair

LOCKED = """-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABA/3vEnBM
4Wq2q2Cb0H47cDAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAILc4Xi4J5L4mbAAL
bv1eJv8C2J4nz2LNMcSDwY3gcME/AAAAkBf5lBR/O8/iQy/dPY17hqaVkSShPidXIH4lfH
0slmTgz+UT+W1zZQIrrHjTikAn2ZXoY+T+gCl/JHIs+aBBdt9/U+aFSL4zYLNiZx93UOSW
FWAf9aNhqdE0AXjsyVGuFgcqczmEQiPmcNSRKfEg51VGBo9k3Ij71TbdoLxSrl+xLWTpDn
HAPJ77Mh0K7XowIw==
-----END OPENSSH PRIVATE KEY-----
"""
"""An SSH key under a passphrase that nobody needs."""
PAIRS = [key_pair(number) for number in range(4)]


def opens(found: Identities, number: int) -> bool:
    """Whether the identities open what is sealed to the pair of a number."""
    sealed = seal_text([PAIRS[number][0]], Secret("text"))
    return any(_opens(sealed, found, index) for index in range(len(found.native)))


def _opens(sealed: str, found: Identities, index: int) -> bool:
    from reconciler.errors import CannotOpen

    try:
        return unwrap(sealed, found.native[index : index + 1]) == b"text"
    except CannotOpen:
        return False


def write(place: Path, text: str) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    return place


def test_every_place_is_looked_in(tmp_path: Path) -> None:
    """The variable, the named file and the user's own file all count."""
    named = write(tmp_path / "named", f"# comment\n\n{PAIRS[1][1].open()}\n")
    write(tmp_path / ".config/sops/age/keys.txt", PAIRS[2][1].open())
    found = find({"SOPS_AGE_KEY": PAIRS[0][1].open(), "SOPS_AGE_KEY_FILE": str(named)}, tmp_path, "linux")
    assert [opens(found, number) for number in range(4)] == [True, True, True, False]
    assert found.looked_in == ("SOPS_AGE_KEY", str(named), str(tmp_path / ".config/sops/age/keys.txt"))


@pytest.mark.parametrize(
    ("environ", "platform", "place"),
    [
        ({}, "linux", "/h/.config/sops/age/keys.txt"),
        ({}, "darwin", "/h/Library/Application Support/sops/age/keys.txt"),
        ({"XDG_CONFIG_HOME": "/x"}, "linux", "/x/sops/age/keys.txt"),
        ({"XDG_CONFIG_HOME": "/x"}, "darwin", "/x/sops/age/keys.txt"),
        ({"APPDATA": "/a"}, "win32", "/a/sops/age/keys.txt"),
    ],
)
def test_the_users_own_file(environ: dict[str, str], platform: str, place: str) -> None:
    """The folder is the one that sops uses on that platform."""
    assert keys_file(environ, Path("/h"), platform) == Path(place)


def test_nothing_found_is_no_error(tmp_path: Path) -> None:
    """A user without identities has none."""
    assert find({}, tmp_path, "linux") == Identities()


def test_ssh_keys_are_found_and_locked_ones_left_to_the_program(
    tmp_path: Path, ssh_key: tuple[str, str]
) -> None:
    """~/.ssh/id_ed25519 opens; id_rsa under a passphrase, plugins and commands are the program's."""
    public, private = ssh_key
    write(tmp_path / ".ssh/id_ed25519", Path(private).read_text())
    found = find({}, tmp_path, "linux")
    assert unwrap(seal_text([public], Secret("text")), found.native) == b"text"
    assert not found.foreign
    write(tmp_path / ".ssh/id_rsa", LOCKED)
    assert find({}, tmp_path, "linux").foreign
    assert find({"SOPS_AGE_KEY_CMD": "x"}, tmp_path / "none", "linux").foreign
    assert parse(Secret("AGE-PLUGIN-YUBIKEY-1X"), "x").foreign


def test_a_line_that_is_no_identity_is_named_by_number_only() -> None:
    """The error says which line of which file, and not what stands in it."""
    with pytest.raises(SettingsError, match="line 2 of my keys is not an age identity") as caught:
        parse(Secret("# c\nAGE-SECRET-KEY-1CANARY\n"), "my keys")
    assert "CANARY" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("setting", ["SOPS_AGE_KEY_FILE", "SOPS_AGE_SSH_PRIVATE_KEY_FILE"])
def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path, setting: str) -> None:
    """A setting that names nothing is not passed over."""
    with pytest.raises(SettingsError, match=setting):
        find({setting: str(tmp_path / "missing")}, tmp_path, "linux")


def test_generated_keys_open_what_is_sealed_to_them_and_do_not_show() -> None:
    """keygen's pair works, and the identity does not show itself."""
    public, secret = generate()
    assert public.startswith("age1")
    assert "AGE-SECRET" not in repr(secret)
    found = parse(secret, "x")
    assert "AGE-SECRET" not in repr(found)
    assert unwrap(seal_text([public, PAIRS[0][0]], Secret("x")), found.native) == b"x"


def test_sealing_text_to_nobody_is_refused() -> None:
    """No recipient, or a bad one, raises NoRecipients."""
    for recipients in ([], ["age1x"]):
        with pytest.raises(NoRecipients):
            seal_text(recipients, Secret("x"))
