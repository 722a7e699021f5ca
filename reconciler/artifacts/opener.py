"""Opening artifacts, and reading what stands in them in the clear."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.artifacts import agewrap, binding, formats, sops
from reconciler.artifacts.contents import contents_digest
from reconciler.artifacts.formats.interface import Format, header_of
from reconciler.artifacts.identities import Identities
from reconciler.artifacts.interface import Expected, Header, Opened
from reconciler.artifacts.text.scalars import resolve
from reconciler.artifacts.tree import Document, Metadata, Tree, at
from reconciler.canonical import digest
from reconciler.errors import ArtifactTampered, CannotOpen, NoKey


class Decrypter(Protocol):
    """Another way to decrypt a whole file, when no identity at hand opens it."""

    def decrypt(self, data: bytes, path: str, form: Format) -> Tree:
        """The decrypted tree, its MAC checked. Raises CannotOpen or ArtifactTampered."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A file that was opened and found whole."""

    form: Format
    document: Document
    """As it stands in the file, still sealed."""
    tree: Tree = field(repr=False)
    """Decrypted."""
    data_key: bytes | None = field(repr=False)
    """None where the sops program opened it, and keeps the key to itself."""
    opened: Opened


class FileOpener:
    """Opens artifacts with a reader's identities; by the program where age identities do not do."""

    def __init__(self, identities: Identities, program: Decrypter | None = None) -> None:
        self._identities = identities
        self._program = program

    def open(self, data: bytes, path: str, expected: Expected | None = None) -> Opened:
        """What the file holds, checked against its binding, and against what is expected.

        Raises CannotOpen or ArtifactTampered; both name the path.
        """
        return self.whole(data, path, expected).opened

    def whole(self, data: bytes, path: str, expected: Expected | None = None) -> Whole:
        """The same, with what it takes to encrypt the file anew. Raises as `open` does."""
        try:
            form, document = _taken_apart(data, path)
            whole = self._whole(form, document, data, path)
            if expected is not None:
                _check_expected(whole.opened, expected, data)
        except ArtifactTampered as fault:
            raise ArtifactTampered(f"{path}: {fault.message}", hint=fault.hint) from None
        return whole

    def _whole(self, form: Format, document: Document, data: bytes, path: str) -> Whole:
        header = form.header(document.tree)
        _check_selection(form, document.metadata)
        data_key = self._data_key(document.metadata)
        if data_key is None:
            tree = self._by_program(data, path, form, document.metadata)
            return Whole(form, document, tree, None, _opened(form, document, header, tree))
        tree, mac = sops.open_tree(document.tree, document.metadata, data_key)
        # The MAC comes last: what the binding says is more exact.
        opened = _opened(form, document, header, tree)
        sops.check_mac(document.metadata, data_key, mac)
        return Whole(form, document, tree, data_key, opened)

    def _data_key(self, metadata: Metadata) -> bytes | None:
        if metadata.grouped or not self._identities.native:
            return None
        for stanza in metadata.age:
            try:
                key = agewrap.unwrap(stanza.enc, self._identities.native)
            except CannotOpen:
                continue
            if len(key) != sops.KEY_BYTES:
                raise ArtifactTampered("the data key is not one of SOPS")
            return key
        return None

    def _by_program(self, data: bytes, path: str, form: Format, metadata: Metadata) -> Tree:
        if self._program is not None and (metadata.others or metadata.grouped or self._identities.foreign):
            return self._program.decrypt(data, path, form)
        names = ", ".join(metadata.recipients) or "nobody"
        places = ", ".join(self._identities.looked_in) or "no identity was found"
        raise NoKey(
            f"{path} is sealed to {names}, and none of the identities at hand opens it ({places})",
            hint="put the identity of one of them into SOPS_AGE_KEY_FILE, "
            "or add your recipient to .sops.yaml and have its owner run reconcile apply",
        )


def _opened(form: Format, document: Document, header: Header, tree: Tree) -> Opened:
    """Raises ArtifactTampered unless header, binding and shape agree."""
    binding.check_comments(document)
    binding.check(at(tree, form.binding_at), header, binding.sealed_shape(document.tree, form.selection))
    return Opened(header, form.fields(tree))


def _check_selection(form: Format, metadata: Metadata) -> None:
    found = metadata.selection
    if found != form.selection:
        raise ArtifactTampered(
            f"its rule for what is encrypted is {found.name}: {found.pattern}, "
            f"and was {form.selection.name}: {form.selection.pattern}"
        )


def _check_expected(opened: Opened, expected: Expected, data: bytes) -> None:
    found, wanted = opened.header, expected.header
    if found != wanted:
        raise made_out(found, wanted)
    if expected.contents not in (None, contents_digest(found, opened.fields)):
        raise ArtifactTampered(
            "it is whole and names the right token, but it does not hold what was sealed for it: "
            "it was forged, or its values were edited"
        )
    if expected.digest not in (None, digest(data)):
        raise ArtifactTampered(
            "it is whole and names the right token, but it is not the file that was published for it, and "
            "an older version of this tool kept nothing by which another could be told from a forgery"
        )


def made_out(found: Header, wanted: Header) -> ArtifactTampered:
    """The error for a file that is another's, or of another time."""
    if (found.kind, found.token_id) != (wanted.kind, wanted.token_id):
        said = f"it belongs to another token: {_words(found)}, not {_words(wanted)}"
    else:
        which = "an older" if found.generation < wanted.generation else "a later"
        said = f"it is of {which} generation: {_words(found)}, not {_words(wanted)}"
    return ArtifactTampered(said)


def _words(header: Header) -> str:
    return f"{header.kind} {header.token_id} generation {header.generation}"


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


def metadata_of(data: bytes, path: str) -> Metadata:
    """To whom a file is sealed, and how: for this, no key is needed. Raises ArtifactTampered."""
    return still_sealed(data, path)[1].metadata


def still_sealed(data: bytes, path: str) -> tuple[Format, Document]:
    """A file taken apart, and what form it has: for this, no key is needed. Raises ArtifactTampered."""
    try:
        return _taken_apart(data, path)
    except ArtifactTampered as fault:
        raise ArtifactTampered(f"{path}: {fault.message}", hint=fault.hint) from None


def _taken_apart(data: bytes, path: str) -> tuple[Format, Document]:
    """The format of a file, and the file parsed. Raises ArtifactTampered."""
    fault: ArtifactTampered | None = None
    documents: dict[Callable[[bytes], Document], Document | None] = {}
    for form in formats.candidates(path):
        if form.parse not in documents:  # formats that are written alike are parsed once
            try:
                documents[form.parse] = form.parse(data)
            except ArtifactTampered as unreadable:
                fault, documents[form.parse] = fault or unreadable, None
        document = documents[form.parse]
        if document is not None and form.owns(document.tree):
            return form, document
    raise fault or ArtifactTampered("it is not an artifact: no header stands in it")
