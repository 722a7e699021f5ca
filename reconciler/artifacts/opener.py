"""Opening artifacts, and reading what stands in them in the clear."""

from __future__ import annotations

import re
from typing import Protocol

from reconciler.artifacts import agewrap, binding, formats, sops
from reconciler.artifacts.formats.interface import Format, header_of
from reconciler.artifacts.identities import Identities
from reconciler.artifacts.interface import Header, Opened
from reconciler.artifacts.text.scalars import resolve
from reconciler.artifacts.tree import Document, Metadata, Tree, at
from reconciler.canonical import digest
from reconciler.errors import ArtifactTampered, CannotOpen

__all__ = ["FileOpener", "digest", "read_header", "recipients_of"]

_RESTORE = "restore the file from git, or rotate the token"


class Decrypter(Protocol):
    """Another way to decrypt a whole file, when no identity at hand opens it."""

    def decrypt(self, data: bytes, path: str, form: Format) -> Tree:
        """The decrypted tree, its MAC checked. Raises CannotOpen or ArtifactTampered."""


class FileOpener:
    """Opens artifacts with a reader's identities; by the program where age identities do not do."""

    def __init__(self, identities: Identities, program: Decrypter | None = None) -> None:
        self._identities = identities
        self._program = program

    def open(self, data: bytes, path: str, expected: Header | None = None) -> Opened:
        """What the file holds, checked against its binding, and against the header that is expected.

        Raises CannotOpen or ArtifactTampered; both name the path.
        """
        try:
            form, document = _taken_apart(data, path)
            opened = self._opened(form, document, data, path)
            _check_expected(opened.header, expected)
        except ArtifactTampered as fault:
            raise ArtifactTampered(f"{path}: {fault.message}", hint=fault.hint) from None
        return opened

    def _opened(self, form: Format, document: Document, data: bytes, path: str) -> Opened:
        header = form.header(document.tree)
        _check_selection(form, document.metadata)
        data_key = self._data_key(document.metadata)
        if data_key is None:
            return _whole(form, document, header, self._by_program(data, path, form, document.metadata))
        tree, mac = sops.open_tree(document.tree, document.metadata, data_key)
        # The MAC comes last: what the binding says is more exact.
        opened = _whole(form, document, header, tree)
        sops.check_mac(document.metadata, data_key, mac)
        return opened

    def _data_key(self, metadata: Metadata) -> bytes | None:
        if metadata.grouped or not self._identities.native:
            return None
        for stanza in metadata.age:
            try:
                key = agewrap.unwrap(stanza.enc, self._identities.native)
            except CannotOpen:
                continue
            if len(key) != sops.KEY_BYTES:
                raise ArtifactTampered("the data key is not one of SOPS", hint=_RESTORE)
            return key
        return None

    def _by_program(self, data: bytes, path: str, form: Format, metadata: Metadata) -> Tree:
        if self._program is not None and (metadata.others or self._identities.foreign):
            return self._program.decrypt(data, path, form)
        names = ", ".join(metadata.recipients) or "nobody"
        places = ", ".join(self._identities.looked_in) or "no identity was found"
        raise CannotOpen(
            f"{path} is sealed to {names}, and none of the identities at hand opens it ({places})",
            hint="put the identity of one of them into SOPS_AGE_KEY_FILE, "
            "or add your recipient to .sops.yaml and have its owner run reconcile apply",
        )


def _whole(form: Format, document: Document, header: Header, tree: Tree) -> Opened:
    """Raises ArtifactTampered unless header, binding and shape agree."""
    binding.check(at(tree, form.binding_at), header, binding.sealed_shape(document.tree, form.selection))
    return Opened(header, form.fields(tree))


def _check_selection(form: Format, metadata: Metadata) -> None:
    found = metadata.selection
    if found != form.selection:
        raise ArtifactTampered(
            f"its rule for what is encrypted is {found.name}: {found.pattern}, "
            f"and was {form.selection.name}: {form.selection.pattern}",
            hint=_RESTORE,
        )


def _check_expected(found: Header, expected: Header | None) -> None:
    if expected is not None and found != expected:
        raise ArtifactTampered(
            f"it is whole, but made out to {found.kind} {found.token_id} generation {found.generation}, "
            f"not to {expected.kind} {expected.token_id} generation {expected.generation}",
            hint=_RESTORE,
        )


def read_header(data: bytes, path: str) -> Header:
    """The plain header, for which no key is needed and which nothing vouches for.

    Raises ArtifactTampered.
    """
    try:
        for form in formats.candidates(path):
            if (found := form.scan.match(data)) and (header := _scanned(found)):
                return header
        form, document = _taken_apart(data, path)
        return form.header(document.tree)
    except ArtifactTampered as fault:
        raise ArtifactTampered(f"{path}: {fault.message}", hint=fault.hint) from None


def _scanned(found: re.Match[bytes]) -> Header | None:
    """None where an unquoted word is a number or null to YAML, and the full parse must judge."""
    kind, plain = found["kind"].decode(), (found["id"] or b"").decode()
    if not isinstance(resolve(kind), str) or (plain and not isinstance(resolve(plain), str)):
        return None
    return header_of(kind, plain or found["quoted"].decode(), int(found["generation"]))


def recipients_of(data: bytes, path: str) -> tuple[str, ...]:
    """To whom a file is sealed, age recipients first. Raises ArtifactTampered."""
    try:
        return _taken_apart(data, path)[1].metadata.recipients
    except ArtifactTampered as fault:
        raise ArtifactTampered(f"{path}: {fault.message}", hint=fault.hint) from None


def _taken_apart(data: bytes, path: str) -> tuple[Format, Document]:
    """The format of a file, and the file parsed. Raises ArtifactTampered."""
    fault: ArtifactTampered | None = None
    for form in formats.candidates(path):
        try:
            document = form.parse(data)
        except ArtifactTampered as unreadable:
            fault = fault or unreadable
            continue
        if form.owns(document.tree):
            return form, document
    raise fault or ArtifactTampered("it is not an artifact: no header stands in it", hint=_RESTORE)
