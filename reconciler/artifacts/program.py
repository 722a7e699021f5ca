"""Sealing and opening through the `sops` program, for recipients that are not age keys of ours.

A secret goes to the program by its stdin and comes back by its stdout, never as an argument. The
temporary config that it is given holds the rule's recipients, which are public.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from reconciler.artifacts import binding
from reconciler.artifacts.formats.interface import Format
from reconciler.artifacts.interface import Parcel
from reconciler.artifacts.packing import packed
from reconciler.artifacts.process import Ended, Program
from reconciler.artifacts.rules import Rule
from reconciler.artifacts.sops import typed
from reconciler.artifacts.text.json import parse_tree
from reconciler.artifacts.tree import Node, Selection, Tree, plain
from reconciler.errors import ArtifactError, ArtifactTampered, CannotOpen, SealFailed
from reconciler.secret import Secret

_NOT_KEYS = (
    "path_regex",
    "encrypted_regex",
    "unencrypted_regex",
    "encrypted_suffix",
    "unencrypted_suffix",
    "encrypted_comment_regex",
    "unencrypted_comment_regex",
)
_RESTORE = "restore the file from git, or rotate the token"
_DAMAGED = {
    25: "its tree cannot be walked",
    51: "the MAC does not match: a value was added, dropped or changed",
    52: "the file has no MAC",
}
_NO_FILE, _NO_KEY, _ALREADY = 100, 128, 203


class ProgramSealer:
    """Seals parcels by running the program."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def seal(self, parcel: Parcel, rule: Rule) -> bytes:
        """The bytes of the sealed file. Its `lastmodified` is the program's. Raises SealFailed."""
        form, tree = packed(parcel)
        secrets = list(_texts(tree))
        with tempfile.TemporaryDirectory(prefix="reconciler-") as folder:
            config = Path(folder) / "rules.yaml"
            config.write_text(_config(rule, form.selection), "utf-8")
            ended = self._run(_encrypt(config, parcel.path, form), _stdin(tree))
        if ended.code != 0:
            raise _not_sealed(ended, secrets)
        _check_sealed(form, tree, ended.out)
        return ended.out

    def _run(self, arguments: list[str], stdin: bytes) -> Ended:
        try:
            return self._program.run(arguments, stdin, sealing=True)
        except ArtifactError as fault:
            raise SealFailed(fault.message, hint=fault.hint) from None


def _config(rule: Rule, selection: Selection) -> str:
    """The rule alone, with the format's own selection in place of any that the rule has."""
    kept = {key: value for key, value in rule.document.items() if key not in _NOT_KEYS}
    return json.dumps({"creation_rules": [{**kept, selection.name: selection.pattern}]})


def _encrypt(config: Path, path: str, form: Format) -> list[str]:
    return [
        "--config",
        str(config),
        "encrypt",
        "--filename-override",
        path,
        "--input-type",
        "json",
        "--output-type",
        form.store,
    ]


def _stdin(tree: Tree) -> bytes:
    return json.dumps(plain(tree)).encode()


def _texts(node: Node) -> Iterator[str]:
    """Every secret text in a tree. Raises SealFailed for one that the program would not keep as it is."""
    if isinstance(node, Secret):
        typed(node)
        yield node.open()
    for child in node.values() if isinstance(node, dict) else ():
        yield from _texts(child)


def _not_sealed(ended: Ended, secrets: list[str]) -> SealFailed:
    reasons = {
        _NO_FILE: "the sops program found no file to read",
        _ALREADY: "the sops program takes the file for one that is sealed already",
    }
    reason = reasons.get(ended.code) or f"the sops program failed (exit {ended.code})"
    # The program does not repeat values, but its messages are not ours to promise for.
    said = "" if any(text and text in ended.said for text in secrets) else ended.said
    return SealFailed(
        f"{reason}: {said}" if said else reason,
        hint="check that the rule's keys can be used from here (credentials, keyring, network)",
    )


def _check_sealed(form: Format, tree: Tree, data: bytes) -> None:
    """Raises SealFailed unless every leaf that should be encrypted is."""
    found = binding.sealed_shape(form.parse(data).tree, form.selection)
    if found_fault := next(iter(binding.differences(binding.shape(tree, form.selection), found)), None):
        raise SealFailed(
            f"the sops program wrote another file than it was given: {found_fault}",
            hint="use a sops program between 3.9 and the newest 3.x",
        )


class ProgramOpener:
    """Decrypts files by running the program, with whatever keys it finds."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def decrypt(self, data: bytes, path: str, form: Format) -> Tree:
        """The decrypted tree, its MAC checked by the program. Raises CannotOpen or ArtifactTampered."""
        ended = self._run(_decrypt(path, form), data)
        if ended.code in _DAMAGED:
            raise ArtifactTampered(f"{path}: {_DAMAGED[ended.code]}", hint=_RESTORE)
        if ended.code != 0:
            raise _not_opened(ended, path)
        return _hidden(parse_tree(ended.out), form.selection, encrypted=form.selection.starts_encrypted)

    def _run(self, arguments: list[str], stdin: bytes) -> Ended:
        try:
            return self._program.run(arguments, stdin, sealing=False)
        except ArtifactError as fault:
            raise CannotOpen(fault.message, hint=fault.hint) from None


def _decrypt(path: str, form: Format) -> list[str]:
    # Opening needs no rules: a faulty .sops.yaml where the reader stands must not be in the way.
    return [
        "--config",
        os.devnull,
        "decrypt",
        "--filename-override",
        path,
        "--input-type",
        form.store,
        "--output-type",
        "json",
    ]


def _not_opened(ended: Ended, path: str) -> CannotOpen:
    if ended.code == _NO_KEY:
        return CannotOpen(
            f"the sops program found no key that opens {path}: {ended.said}",
            hint="check the identities, the keyring and the cloud credentials it needs",
        )
    # Past the data key, a message could quote what was decrypted: the code must do.
    return CannotOpen(
        f"the sops program could not decrypt {path} (exit {ended.code})",
        hint="run sops decrypt on the file to see why",
    )


def _hidden(tree: Mapping[str, Node], selection: Selection, *, encrypted: bool) -> Tree:
    """The tree with each decrypted text as a Secret."""
    hidden: Tree = {}
    for key, value in tree.items():
        inside = selection.below(key, encrypted=encrypted)
        if isinstance(value, dict):
            hidden[key] = _hidden(value, selection, encrypted=inside)
        else:
            hidden[key] = Secret(value) if inside and isinstance(value, str) and value else value
    return hidden
