"""One file of specs, from its bytes to what it declares and what is wrong with it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from reconciler.canonical import digest
from reconciler.kinds import all_kinds
from reconciler.kinds.ownkeys import FIELD as OWN_KEY
from reconciler.specs.catalog import CatalogDocument, FoundCatalog, found_catalog
from reconciler.specs.contradictions import contradictions
from reconciler.specs.explain import Finding, findings
from reconciler.specs.faults import Fault, did_you_mean, shown
from reconciler.specs.files import MAX_BYTES
from reconciler.specs.gathering import Catalog
from reconciler.specs.layout import Layout
from reconciler.specs.model import DEFAULT_FORMAT, AnyTokenSpec, from_normal_form, token_spec
from reconciler.specs.naming import outside, unknown_names
from reconciler.specs.policies import FoundPolicy, found_policy
from reconciler.specs.policy import PolicyDocument
from reconciler.specs.settings import WorkspaceDocument
from reconciler.specs.source import Source, in_the_clear
from reconciler.specs.text import place_at, read
from reconciler.specs.values import Document, Mapping, Place, Problem, Value

LITERAL = "secret.literal"
M = TypeVar("M", bound=BaseModel)

MAYBE_CATALOG = re.compile(r"""\bkind["']?\s*:\s*["']?catalog""", re.IGNORECASE)
"""A catalog stands in a text that cannot be read as YAML, as far as one can see."""
MAX_GUESSES = 100
"""Faults of one file that come with a did-you-mean from the catalog: a guess reads all of it."""


class Declared(NamedTuple):
    """One token as a spec declares it, small enough to keep a hundred thousand of."""

    name: str
    kind: str
    normal: str
    """Its normal form, from which the spec can be made again. Out of `load` it names no groups."""
    digest: str
    """`sha256:` of the normal form."""
    file: str
    line: int
    """Where its name stands."""
    column: int
    written: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The fields in which its file names groups, each with what stands there."""

    def spec(self) -> AnyTokenSpec:
        """The spec itself."""
        return from_normal_form(self.normal)

    def sets(self, field: str) -> bool:
        """Whether a field may differ from its default. A quick look: it may say yes for nothing."""
        return f'"{field}":' in self.normal

    @property
    def owner(self) -> str | None:
        """Who answers for it."""
        owner: str | None = from_json(self.normal)["metadata"].get("owner") if self.sets("owner") else None
        return owner

    @property
    def previously(self) -> tuple[str, ...]:
        """The names that it had before."""
        if not self.sets("previously"):
            return ()
        return tuple(from_json(self.normal)["metadata"].get("previously", ()))

    @property
    def own_key(self) -> str | None:
        """The public key that its owner brings, if any; told without making the spec where there is none."""
        return self.spec().own_key if self.sets(OWN_KEY) else None

    def artifact_path(self, layout: Layout) -> str | None:
        """Where its artifact stands; told without making the spec again where the format is the default.

        None where its owner brings the key: there is no artifact then.
        """
        if self.sets("deliver") or self.sets(OWN_KEY):
            return self.spec().artifact_path(layout)
        owner = self.owner if layout.by_owner else None
        return layout.path(self.kind, self.name, owner, DEFAULT_FORMAT)


Token: TypeAlias = "tuple[str, str, str, int, int]"
"""Name, kind, normal form, line and column of a token: a `Declared` without what follows from these, or from
where its file stands."""


class FoundWorkspace(NamedTuple):
    """A Workspace document and where it stands."""

    document: WorkspaceDocument
    file: str
    line: int


@dataclass(slots=True)
class FileRead:
    """What one file declares."""

    tokens: list[Declared] = field(default_factory=list)
    workspaces: list[FoundWorkspace] = field(default_factory=list)
    catalogs: list[FoundCatalog] = field(default_factory=list)
    policies: list[FoundPolicy] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    catalog_lost: bool = False
    """Whether a catalog could not be read, so that names which it may hold cannot be checked."""
    contents: dict[str, str] = field(default_factory=dict)
    """File → the SHA-256 of its bytes, in hexadecimal, as they were read."""

    def impure(self) -> set[str]:
        """The files that declare something else than tokens, or have a fault."""
        documents: tuple[FoundWorkspace | FoundCatalog | FoundPolicy | Fault, ...] = (
            *self.workspaces,
            *self.catalogs,
            *self.policies,
            *self.faults,
        )
        return {one.file for one in documents}

    def with_more(self, other: FileRead) -> FileRead:
        """Itself, with what other files declare."""
        self.tokens.extend(other.tokens)
        self.workspaces.extend(other.workspaces)
        self.catalogs.extend(other.catalogs)
        self.policies.extend(other.policies)
        self.faults.extend(other.faults)
        self.catalog_lost |= other.catalog_lost
        self.contents.update(other.contents)
        return self


def read_file(file: str, data: bytes) -> FileRead:
    """Everything that a file declares, and every fault in it."""
    found = FileRead()
    read_into(found, file, data)
    return found


def read_into(found: FileRead, file: str, data: bytes) -> None:
    """Adds what a file declares, and every fault in it."""
    text = _text_of(file, data)
    if isinstance(text, Fault):
        found.faults.append(text)
        found.catalog_lost |= MAYBE_CATALOG.search(data.decode(errors="replace")) is not None
    else:
        _Reader(Source(file, text), found).read()


def _text_of(file: str, data: bytes) -> str | Fault:
    """The text of a file, or why it has none."""
    if len(data) > MAX_BYTES:
        return Fault(file, 1, 1, "yaml.size", "this file is larger than 1 MiB", "split it into several files")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The error's offset counts from behind a byte order mark, which the place does as well.
        before = error.object[: error.start].decode("utf-8-sig", "replace")
        place = place_at(before, len(before))
        return Fault(file, *place, "yaml.encoding", "this is not UTF-8", "save the file as UTF-8 text")


class _Reader:
    def __init__(self, source: Source, found: FileRead) -> None:
        self.source = source
        self.found = found
        self.told: list[tuple[Place, int]] = []
        """Places of values that were said to hold private keys, with how many are in each."""

    def read(self) -> None:
        text = self.source.text
        documents, problems = read(text)
        self.problems(problems)
        if problems and MAYBE_CATALOG.search(text):
            self.found.catalog_lost = True
        for document in documents:
            self.problems(document.problems)
            if document.value is not None:
                self.document(document)
        self.keys_in_the_clear(text)

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
                self.found.workspaces.append(FoundWorkspace(workspace, self.source.file, line))
        elif kind == "Catalog":
            catalog = self.validated(document, CatalogDocument, kind)
            if catalog is None or document.problems:
                self.found.catalog_lost = True
            if catalog is not None:
                self.found.catalogs.append(found_catalog(catalog, self.source.file, document))
        elif kind == "Policy":
            policy = self.validated(document, PolicyDocument, kind)
            if policy is not None:
                self.found.policies.append(found_policy(policy, self.source.file, document))
        elif isinstance(kind, str) and kind in all_kinds():
            self.token(document, kind)
        else:
            self.found.catalog_lost |= _word(kind).casefold().startswith("catalog")
            self.unknown_kind(document, kind)

    def unknown_kind(self, document: Document, kind: Value) -> None:
        choices = [*all_kinds(), "Catalog", "Policy", "Workspace"]
        if kind is None:
            finding = Finding((), "missing-field", "kind is missing", "add kind: " + " or ".join(choices))
        else:
            finding = Finding(
                ("kind",), "kind", f"there is no kind {shown(kind)}", did_you_mean(_word(kind), choices)
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
        line, column = document.place(("metadata", "name"))
        self.found.tokens.append(
            Declared(
                spec.metadata.name, kind, normal, digest(normal.encode()), self.source.file, line, column
            )
        )

    def problems(self, problems: list[Problem]) -> None:
        for place, rule, message, hint in problems:
            self.found.faults.append(self.source.fault(place, rule, message, hint))

    def add(self, document: Document, finding: Finding) -> None:
        place = document.place(finding.path, key=finding.at_key)
        if any(problem.place == place for problem in document.problems):
            return
        hint = finding.hint
        if finding.quote and (written := self.source.written(place)):
            hint = f'{hint}: "{written}"'
        self.found.faults.append(
            self.source.fault(place, finding.rule, finding.message, hint, sensitive=finding.sensitive)
        )
        if finding.rule == LITERAL:
            self.told.append((place, len(in_the_clear(_word(document.at(finding.path))))))

    def keys_in_the_clear(self, text: str) -> None:
        """Those that no fault of a field told of already: one for each is enough."""
        places = [self.source.place(offset) for offset in in_the_clear(text)]
        for start, count in self.told if places else ():
            own = [place for place in places if place >= start][:count]
            places = [place for place in places if place not in own]
        for place in places:
            self.key_in_the_clear(place)

    def key_in_the_clear(self, place: Place) -> None:
        self.found.faults.append(
            self.source.fault(
                place,
                LITERAL,
                "a private key or secret id stands here in the clear",
                "remove it, and rotate what it opens: git keeps it",
                sensitive=True,
            )
        )


def _word(value: Value) -> str:
    return value if isinstance(value, str) else ""


def catalog_faults(file: str, data: bytes, catalog: Catalog) -> list[Fault]:
    """The faults of a readable file whose specs name what the catalog does not have."""
    reader = _Reader(Source(file, data.decode("utf-8-sig")), FileRead())
    for document in read(reader.source.text)[0]:
        value = document.value
        kind = all_kinds().get(_word(value.get("kind"))) if isinstance(value, Mapping) else None
        spec = document.at(("spec",))
        if kind is None or not isinstance(spec, Mapping):
            continue
        for path, section, name in unknown_names(catalog, kind.catalog, spec):
            guess = len(reader.found.faults) < MAX_GUESSES
            reader.add(document, outside(catalog, path, section, name, guess=guess))
    return reader.found.faults
