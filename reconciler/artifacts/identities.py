"""The reader's own identities, found where the sops program finds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.artifacts import agewrap
from reconciler.artifacts.agewrap import Identity
from reconciler.errors import SettingsError
from reconciler.secret import Secret

KEYS = Path("sops", "age", "keys.txt")
_COMMANDS = ("SOPS_AGE_KEY_CMD", "SOPS_AGE_SSH_PRIVATE_KEY_CMD")
_FOREIGN = ("AGE-PLUGIN-", "AGE-SECRET-KEY-PQ-")


@dataclass(frozen=True, slots=True)
class Identities:
    """What opens artifacts."""

    native: tuple[Identity, ...] = field(default=(), repr=False)
    foreign: bool = False
    """Whether there are identities that only the sops program can use."""
    looked_in: tuple[str, ...] = ()
    """Where identities were found, for messages."""

    def __add__(self, other: Identities) -> Identities:
        return Identities(
            self.native + other.native,
            self.foreign or other.foreign,
            self.looked_in + other.looked_in,
        )


def generate() -> tuple[str, Secret]:
    """A new age key pair: the recipient to seal to, and the identity that opens."""
    return agewrap.generate()


def keys_file(environ: Mapping[str, str], home: Path, platform: str) -> Path:
    """The user's own keys.txt: `platform` is as `sys.platform` says."""
    if platform == "win32" and environ.get("APPDATA"):
        return Path(environ["APPDATA"]) / KEYS
    if environ.get("XDG_CONFIG_HOME"):
        return Path(environ["XDG_CONFIG_HOME"]) / KEYS
    return home / ("Library/Application Support" if platform == "darwin" else ".config") / KEYS


def find(environ: Mapping[str, str], home: Path, platform: str) -> Identities:
    """Every identity that the environment and the home folder name.

    Raises SettingsError for a named file that cannot be read, or a line that is no identity.
    """
    found = Identities(foreign=any(environ.get(name) for name in _COMMANDS))
    if environ.get("SOPS_AGE_KEY"):
        found += parse(Secret(environ["SOPS_AGE_KEY"]), "SOPS_AGE_KEY")
    if environ.get("SOPS_AGE_KEY_FILE"):
        path = Path(environ["SOPS_AGE_KEY_FILE"])
        found += parse(_named(path, "SOPS_AGE_KEY_FILE"), str(path))
    own = keys_file(environ, home, platform)
    if (text := _read(own)) is not None:
        found += parse(text, str(own))
    return found + _ssh(environ, home)


def _ssh(environ: Mapping[str, str], home: Path) -> Identities:
    if environ.get("SOPS_AGE_SSH_PRIVATE_KEY_FILE"):
        path = Path(environ["SOPS_AGE_SSH_PRIVATE_KEY_FILE"])
        return _ssh_key(_named(path, "SOPS_AGE_SSH_PRIVATE_KEY_FILE"), str(path))
    found = Identities()
    for name in ("id_ed25519", "id_rsa"):
        path = home / ".ssh" / name
        if (text := _read(path)) is not None:
            found += _ssh_key(text, str(path))
    return found


def _ssh_key(text: Secret, source: str) -> Identities:
    """A key that is locked by a passphrase is left to the program, which can ask for it."""
    key = agewrap.ssh_identity(text)
    return Identities(() if key is None else (key,), key is None, (source,))


def parse(text: Secret, source: str) -> Identities:
    """The identities in a keys file: one a line, `#` for comments. Raises SettingsError."""
    native: list[Identity] = []
    foreign = False
    for number, line in _lines(text.open()):
        if line.startswith(_FOREIGN):
            foreign = True
        elif (one := agewrap.identity(Secret(line))) is not None:
            native.append(one)
        else:
            raise SettingsError(
                f"line {number} of {source} is not an age identity",
                hint="an identity is a line that starts with AGE-SECRET-KEY-1; comments start with #",
            )
    return Identities(tuple(native), foreign, (source,))


def _lines(text: str) -> Iterable[tuple[int, str]]:
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return ((number, line) for number, line in lines if line and not line.startswith("#"))


def _read(path: Path) -> Secret | None:
    """A file that need not be there, and need not be ours to read."""
    try:
        return Secret(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _named(path: Path, setting: str) -> Secret:
    text = _read(path)
    if text is None:
        raise SettingsError(
            f"{setting} names {path}, which cannot be read", hint="correct the path, or unset it"
        )
    return text
