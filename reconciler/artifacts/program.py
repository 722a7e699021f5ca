"""Sealing and opening through the `sops` program, for recipients that are not age keys of ours.

A secret goes to the program by its stdin and comes back by its stdout, never as an argument. The
temporary config that it is given holds the rule's recipients, which are public.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reconciler.artifacts import binding, vaults
from reconciler.artifacts.comparing import difference
from reconciler.artifacts.formats.interface import Format
from reconciler.artifacts.packing import Packed
from reconciler.artifacts.process import Ended, Program
from reconciler.artifacts.rules import Rule
from reconciler.artifacts.said import not_opened, not_sealed
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
_RULES, _SEALED = "rules.yaml", "sealed"
"""What stands in the folder that the program is given."""
_DAMAGED = {
    25: "its tree cannot be walked",
    51: "the MAC does not match: a value was added, dropped or changed",
    52: "the file has no MAC",
}


class ProgramSealer:
    """Seals by running the program."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def seal(self, packed: Packed, rule: Rule) -> bytes:
        """The bytes of the sealed file. Its `lastmodified` is the program's. Raises SealFailed."""
        form, tree = packed.form, packed.tree
        self._check_servers(rule)
        secrets = list(_texts(tree))
        with _written({_RULES: _config(rule, form.selection)}) as folder:
            ended = self._run(_encrypt(folder / _RULES, packed.path, form), _stdin(tree), sealing=True)
        if ended.code != 0:
            raise not_sealed(ended, secrets)
        _check_sealed(packed, rule, ended.out)
        return ended.out

    def admit(self, data: bytes, packed: Packed, rule: Rule) -> bytes:
        """A sealed file with the recipients that its rule names more, under the data key that it has.

        The program unwraps that key with whatever keys it finds. Raises SealFailed.
        """
        self._check_servers(rule)
        rules = _config(rule, packed.form.selection)
        with _written({_RULES: rules, _SEALED: data}) as folder:
            ended = self._run(_update(folder, packed.form), b"", sealing=False)
            more = _read(folder / _SEALED)
        if ended.code != 0:
            raise not_sealed(ended, ())
        _check_sealed(packed, rule, more)
        return more

    def _check_servers(self, rule: Rule) -> None:
        """Raises SealFailed for a key server that the rule names and the environment does not."""
        unknown = self._program.strangers(rule.recipients.names)
        if unknown:
            raise SealFailed(
                f"the creation rule names {unknown[0]}, and VAULT_ADDR does not", hint=vaults.HINT
            )

    def _run(self, arguments: list[str], stdin: bytes, *, sealing: bool) -> Ended:
        try:
            return self._program.run(arguments, stdin, sealing=sealing)
        except ArtifactError as fault:
            raise SealFailed(fault.message, hint=fault.hint) from None


@contextmanager
def _written(files: Mapping[str, bytes]) -> Iterator[Path]:
    """A folder with what the program reads, for as long as the block takes: rules, and sealed bytes.

    Raises SealFailed.
    """
    with ExitStack() as stack:
        try:
            folder = Path(
                stack.enter_context(
                    tempfile.TemporaryDirectory(prefix="reconciler-", ignore_cleanup_errors=True)
                )
            )
            for name, data in files.items():
                (folder / name).write_bytes(data)
        except OSError as fault:
            raise SealFailed(
                f"the creation rule cannot be written to a temporary file for the sops program: "
                f"{fault.strerror or 'the system refused'}",
                hint="make room there, or name another folder in TMPDIR",
            ) from None
        yield folder


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise SealFailed(
            f"what the sops program wrote cannot be read: {fault.strerror}", hint="run this again"
        ) from None


def _update(folder: Path, form: Format) -> list[str]:
    return [
        "--config",
        str(folder / _RULES),
        "updatekeys",
        "--yes",
        "--input-type",
        form.store,
        str(folder / _SEALED),
    ]


def _config(rule: Rule, selection: Selection) -> bytes:
    """The rule alone, with the format's own selection in place of any that the rule has."""
    kept = {key: value for key, value in rule.document.items() if key not in _NOT_KEYS}
    return json.dumps({"creation_rules": [{**kept, selection.name: selection.pattern}]}).encode()


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


def _check_sealed(packed: Packed, rule: Rule, data: bytes) -> None:
    """Raises SealFailed unless every leaf that should be encrypted is, and to whom the rule names."""
    form, document = packed.form, packed.form.parse(data)
    found = binding.sealed_shape(document.tree, form.selection)
    fault = next(iter(binding.differences(binding.shape(packed.tree, form.selection), found)), None)
    if fault is None and (change := difference(document.metadata, rule.recipients)):
        names = ", ".join((*change.added, *change.removed)) or "in other key groups"
        fault = f"its recipients are not those of the rule ({names})"
    if fault is not None:
        raise SealFailed(
            f"the sops program wrote another file than it was asked for: {fault}",
            hint="use a sops program between 3.9 and the newest 3.x",
        )


class ProgramOpener:
    """Decrypts files by running the program, with whatever keys it finds."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def decrypt(self, data: bytes, path: str, form: Format) -> Tree:
        """The decrypted tree, its MAC checked by the program. Raises CannotOpen or ArtifactTampered."""
        unknown = self._program.strangers(form.parse(data).metadata.recipients)
        ended = self._run(_decrypt(path, form), data, bare=bool(unknown))
        if ended.code in _DAMAGED:
            raise ArtifactTampered(_DAMAGED[ended.code])
        if ended.code != 0:
            raise _withheld(not_opened(ended, path), unknown)
        return _hidden(parse_tree(ended.out), form.selection, encrypted=form.selection.starts_encrypted)

    def _run(self, arguments: list[str], stdin: bytes, *, bare: bool) -> Ended:
        try:
            return self._program.run(arguments, stdin, sealing=False, bare=bare)
        except ArtifactError as fault:
            raise CannotOpen(fault.message, hint=fault.hint) from None


def _withheld(fault: CannotOpen, servers: Sequence[str]) -> CannotOpen:
    """The same error, and which key servers got no token, for that may be why."""
    told = (f"{server} got no token: {vaults.HINT}" for server in servers)
    return type(fault)(fault.message, hint="; ".join((fault.hint, *told)))


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
