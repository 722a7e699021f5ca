"""The SOPS v3 encryption: values, MAC and data key. Pure: entropy and time come in as values."""

from __future__ import annotations

import hashlib
import hmac
import re
from abc import ABC, abstractmethod
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from reconciler.artifacts.tree import Entropy, Leaf, Metadata, Node, Tree, number
from reconciler.errors import ArtifactTampered, SealFailed
from reconciler.secret import Secret

KEY_BYTES = 32
IV_BYTES = 32
TAG_BYTES = 16
VERSION = "3.9.0"
"""The oldest program that reads every file we write."""

_ENCRYPTED = re.compile(r"ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(\w+)\]")
_ONLY_ENCRYPTED = hashlib.sha256(b"sops").digest()


def timestamp(epoch: int) -> str:
    """Epoch seconds as `lastmodified` has them: RFC 3339, UTC."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def typed(leaf: Leaf) -> tuple[str, bytes]:
    """A leaf's SOPS type, and the bytes that are encrypted and hashed for it.

    Raises SealFailed for text that is not Unicode, such as half of a surrogate pair.
    """
    if isinstance(leaf, bool):
        return "bool", b"True" if leaf else b"False"
    if isinstance(leaf, int | float):
        return ("int" if isinstance(leaf, int) else "float"), number(leaf).encode()
    if isinstance(leaf, bytes):
        return "bytes", leaf
    return "str", _utf8(leaf.open() if isinstance(leaf, Secret) else leaf or "")


def _utf8(text: str) -> bytes:
    # What follows is raised outside of the block: the error that Python makes carries the text.
    with suppress(UnicodeEncodeError):
        return text.encode()
    raise SealFailed("a value is not valid Unicode text", hint="use text that UTF-8 can carry")


class Cipher:
    """Encrypts and decrypts single values under one data key."""

    __slots__ = ("_aead",)

    def __init__(self, data_key: bytes) -> None:
        self._aead = AESGCM(data_key)

    def seal(self, kind: str, data: bytes, aad: str, iv: bytes) -> str:
        """`ENC[…]` for the bytes of one value; `aad` is its path of keys, as `a:b:`."""
        sealed = self._aead.encrypt(iv, data, aad.encode())
        body, tag = _b64(sealed[:-TAG_BYTES]), _b64(sealed[-TAG_BYTES:])
        return f"ENC[AES256_GCM,data:{body},iv:{_b64(iv)},tag:{tag},type:{kind}]"

    def open(self, text: str, aad: str) -> tuple[str, bytes]:
        """The type and bytes of one `ENC[…]` value. Raises ArtifactTampered."""
        found = _ENCRYPTED.fullmatch(text)
        if found is None:
            raise ArtifactTampered(f"{_place(aad)} should be encrypted and is not")
        try:
            return found[4], self._aead.decrypt(_raw(found[2]), _raw(found[1]) + _raw(found[3]), aad.encode())
        except (ValueError, InvalidTag):
            raise ArtifactTampered(f"{_place(aad)} was changed, or moved here from elsewhere") from None


def is_sealed(leaf: Leaf) -> bool:
    """Whether a leaf is written as one that was encrypted; what it holds, only a key tells."""
    found = _ENCRYPTED.fullmatch(leaf) if isinstance(leaf, str) else None
    if found is None or found[4] not in {*_READERS, "bytes"}:
        return False
    try:
        _, iv, tag = (_raw(found[number]) for number in (1, 2, 3))
    except ValueError:
        return False
    return (len(iv), len(tag)) == (IV_BYTES, TAG_BYTES)


def _b64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()


def _raw(text: str) -> bytes:
    return a2b_base64(text, strict_mode=True)


def _place(aad: str) -> str:
    return f"the value at {aad[:-1]}" if aad.endswith(":") else "the MAC"


class _Walk(ABC):
    """One pass over a tree: it changes the encrypted leaves and hashes the leaves that count."""

    def __init__(self, cipher: Cipher, metadata: Metadata) -> None:
        self.cipher = cipher
        self.selection = metadata.selection
        self.only_encrypted = metadata.mac_only_encrypted
        self.hash = hashlib.sha512(_ONLY_ENCRYPTED if self.only_encrypted else b"")

    def map(self, tree: Tree, aad: str, *, encrypted: bool) -> Tree:
        below = self.selection.below
        return {
            key: self.node(value, f"{aad}{key}:", encrypted=below(key, encrypted=encrypted))
            for key, value in tree.items()
        }

    def node(self, node: Node, aad: str, *, encrypted: bool) -> Node:
        if isinstance(node, dict):
            return self.map(node, aad, encrypted=encrypted)
        if isinstance(node, list):
            return [self.node(item, aad, encrypted=encrypted) for item in node]
        if encrypted and node is not None and node != "":
            return self.leaf(node, aad)
        if node is not None and not self.only_encrypted:
            self.hash.update(typed(node)[1])
        return node

    @abstractmethod
    def leaf(self, leaf: Leaf, aad: str) -> Leaf:
        """What an encrypted leaf becomes."""

    def mac(self) -> str:
        return self.hash.hexdigest().upper()


class _Sealing(_Walk):
    def __init__(self, cipher: Cipher, metadata: Metadata, entropy: Entropy) -> None:
        super().__init__(cipher, metadata)
        self.entropy = entropy

    def leaf(self, leaf: Leaf, aad: str) -> Leaf:
        kind, data = typed(leaf)
        if not data:
            return ""
        self.hash.update(data)
        return self.cipher.seal(kind, data, aad, self.entropy(IV_BYTES))


class _Opening(_Walk):
    def leaf(self, leaf: Leaf, aad: str) -> Leaf:
        if not isinstance(leaf, str):
            raise ArtifactTampered(f"{_place(aad)} should be encrypted and is not")
        kind, data = self.cipher.open(leaf, aad)
        self.hash.update(data)
        return _value(kind, data, aad)


def _value(kind: str, data: bytes, aad: str) -> Leaf:
    """The leaf that a type and its bytes stand for. Text comes back as Secret."""
    if kind == "bytes":
        return data
    # What follows is raised outside of the block: the error that Python makes carries the value.
    with suppress(ValueError, KeyError):
        return _READERS[kind](data.decode())
    raise ArtifactTampered(f"{_place(aad)} is not of the type that it names")


def _bool(text: str) -> bool:
    return {"True": True, "False": False}[text]


_READERS: Mapping[str, Callable[[str], Leaf]] = {
    "str": Secret,
    "int": int,
    "float": float,
    "bool": _bool,
}


def seal_tree(
    tree: Tree,
    metadata: Metadata,
    data_key: bytes,
    entropy: Entropy,
) -> tuple[Tree, Metadata]:
    """The tree with its leaves encrypted as `metadata.selection` says, and the metadata with its MAC.

    Raises SealFailed for text that is not Unicode.
    """
    cipher = Cipher(data_key)
    walk = _Sealing(cipher, metadata, entropy)
    sealed = walk.map(tree, "", encrypted=metadata.selection.starts_encrypted)
    mac = cipher.seal("str", walk.mac().encode(), metadata.lastmodified, entropy(IV_BYTES))
    return sealed, replace(metadata, mac=mac)


def open_tree(tree: Tree, metadata: Metadata, data_key: bytes) -> tuple[Tree, str]:
    """The decrypted tree, and the MAC that it should have. Raises ArtifactTampered."""
    walk = _Opening(Cipher(data_key), metadata)
    return walk.map(tree, "", encrypted=metadata.selection.starts_encrypted), walk.mac()


def check_mac(metadata: Metadata, data_key: bytes, expected: str) -> None:
    """Raises ArtifactTampered when the file's MAC is not the one its values give."""
    if not metadata.mac:
        raise ArtifactTampered("the file has no MAC")
    stored = Cipher(data_key).open(metadata.mac, metadata.lastmodified)[1]
    if not hmac.compare_digest(stored, expected.encode()):
        raise ArtifactTampered("the MAC does not match: a value was added, dropped or changed")
