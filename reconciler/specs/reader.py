"""One file of specs, from its bytes to what it declares and what is wrong with it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from reconciler.canonical import digest
from reconciler.kinds import all_kinds
from reconciler.specs.catalog import Catalog, CatalogDocument, unknown_names
from reconciler.specs.contradictions import contradictions
from reconciler.specs.explain import Finding, findings
from reconciler.specs.faults import Fault, did_you_mean, looks_secret, shown
from reconciler.specs.model import AnyTokenSpec, from_normal_form, token_spec
from reconciler.specs.settings import WorkspaceDocument
from reconciler.specs.text import Document, List, Mapping, Path, Place, Problem, Value, read

M = TypeVar("M", bound=BaseModel)

MAX_BYTES = 1 << 20
MAX_LINE = 200
"""Longer lines are not repeated in a fault."""
SPAN = re.compile(r""""[^"]*"|'[^']*'|[^\s,\[\]{}#:]+(?::[^\s,\[\]{}#:]+)*""")
KEY_IN_THE_CLEAR = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|AGE-SECRET-KEY-1|\brcn_[0-9A-Za-z]{49}\b")


@dataclass(frozen=True, slots=True)
class Declared:
    """One token as a spec declares it, small enough to keep a hundred thousand of."""

    name: str
    kind: str
    normal: str
    """Its normal form, from which the spec can be made again."""
    digest: str
    """`sha256:` of the normal form."""
    file: str
    line: int
    """Where its name stands."""
    column: int

    def spec(self) -> AnyTokenSpec:
        """The spec itself."""
        return from_normal_form(self.normal)


@dataclass(frozen=True, slots=True)
class FoundWorkspace:
    """A Workspace document and where it stands."""

    document: WorkspaceDocument
    file: str
    line: int


@dataclass(slots=True)
class FileRead:
    """What one file declares."""

    tokens: list[Declared] = field(default_factory=list)
    workspaces: list[FoundWorkspace] = field(default_factory=list)
    catalogs: list[CatalogDocument] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_file(file: str, data: bytes) -> FileRead:
    """Everything that a file declares, and every fault in it."""
    if len(data) > MAX_BYTES:
        fault = Fault(
            file, 1, 1, "yaml.size", f"this file has {len(data):,} bytes", "split it: a file may have 1 MiB"
        )
        return FileRead(faults=[fault])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before) - before.rfind(b"\n")
        fault = Fault(file, line, column, "yaml.encoding", "this is not UTF-8", "save the file as UTF-8 text")
        return FileRead(faults=[fault])
    return _Reader(file, text).read()


class _Reader:
    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.found = FileRead()

    def read(self) -> FileRead:
        documents, problems = read(self.text)
        self.problems(problems)
        for document in documents:
            self.problems(document.problems)
            if document.value is None and not document.problems:
                continue
            self.document(document)
        if KEY_IN_THE_CLEAR.search(self.text):
            self.key_in_the_clear()
        return self.found

    def document(self, document: Document) -> None:
        value = document.value
        if not isinstance(value, Mapping):
            self.add(
                document,
                Finding(
                    (),
                    "spec.document",
                    f"a document is {shown(value)}; it takes a mapping",
                    "start with apiVersion and kind",
                ),
            )
            return
        kind = value.get("kind")
        if kind == "Workspace":
            workspace = self.validated(document, WorkspaceDocument, kind)
            if workspace is not None:
                line = document.place(("kind",), key=True).line
                self.found.workspaces.append(FoundWorkspace(workspace, self.file, line))
        elif kind == "Catalog":
            catalog = self.validated(document, CatalogDocument, kind)
            if catalog is not None:
                self.found.catalogs.append(catalog)
        elif isinstance(kind, str) and kind in all_kinds():
            self.token(document, kind)
        else:
            self.unknown_kind(document, kind)

    def unknown_kind(self, document: Document, kind: Value) -> None:
        choices = [*all_kinds(), "Catalog", "Workspace"]
        if kind is None:
            finding = Finding((), "missing-field", "kind is missing", "add kind: " + " or ".join(choices))
        else:
            finding = Finding(
                ("kind",), "kind", f"there is no kind {shown(kind)}", did_you_mean(str(kind), choices)
            )
        self.add(document, finding)

    def validated(self, document: Document, model: type[M], kind: str) -> M | None:
        try:
            return model.model_validate(document.value)
        except ValidationError as error:
            for finding in findings(error, document, model, kind):
                self.add(document, finding)
            return None

    def token(self, document: Document, kind: str) -> None:
        spec = self.validated(document, token_spec(kind), kind)
        if spec is None:
            return
        for finding in contradictions(spec):
            self.add(document, finding)
        normal = spec.normal_form()
        place = document.place(("metadata", "name"))
        self.found.tokens.append(
            Declared(
                spec.metadata.name, kind, normal, digest(normal.encode()), self.file, place.line, place.column
            )
        )

    def problems(self, problems: list[Problem]) -> None:
        for problem in problems:
            self.found.faults.append(self.fault(problem.place, problem.rule, problem.message, problem.hint))

    def add(self, document: Document, finding: Finding) -> None:
        place = document.place(finding.path, key=finding.at_key)
        self.found.faults.append(
            self.fault(place, finding.rule, finding.message, finding.hint, sensitive=finding.sensitive)
        )

    def fault(self, place: Place, rule: str, message: str, hint: str, *, sensitive: bool = False) -> Fault:
        lines = self.text.splitlines()
        line = lines[place.line - 1] if place.line <= len(lines) else ""
        if sensitive or looks_secret(line) or len(line) > MAX_LINE:
            line = ""
        span = SPAN.match(line, place.column - 1)
        width = len(span[0]) if span else 1
        return Fault(self.file, place.line, place.column, rule, message, hint, line, width)

    def key_in_the_clear(self) -> None:
        for found in KEY_IN_THE_CLEAR.finditer(self.text):
            line = self.text.count("\n", 0, found.start()) + 1
            column = found.start() - self.text.rfind("\n", 0, found.start())
            self.found.faults.append(
                self.fault(
                    Place(line, column),
                    "secret.literal",
                    "a private key or secret id stands here in the clear",
                    "remove it, and rotate what it opens: git keeps it",
                    sensitive=True,
                )
            )


def catalog_faults(file: str, data: bytes, catalog: Catalog) -> list[Fault]:
    """The faults of a readable file whose specs name what the catalog does not have."""
    reader = _Reader(file, data.decode("utf-8-sig"))
    for document in read(reader.text)[0]:
        value = document.value
        kind = all_kinds().get(str(value.get("kind"))) if isinstance(value, Mapping) else None
        spec = document.at(("spec",))
        if kind is None or not isinstance(spec, Mapping):
            continue
        for field_name, section, name in unknown_names(catalog, kind.catalog, spec):
            reader.add(
                document,
                Finding(
                    _path_of(spec, field_name, name),
                    f"catalog.{section}",
                    f'{field_name} names "{name}", which the catalog does not have',
                    did_you_mean(name, sorted(catalog[section]))
                    if catalog[section]
                    else "add it to the catalog",
                ),
            )
    return reader.found.faults


def _path_of(spec: Mapping, field_name: str, name: str) -> Path:
    value = spec[field_name]
    return ("spec", field_name, value.index(name)) if isinstance(value, List) else ("spec", field_name)
