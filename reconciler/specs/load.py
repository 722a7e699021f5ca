"""A folder of specs, read whole: every token, the settings, the catalog; or every fault."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import from_json

from reconciler.canonical import Json, canonical, digest
from reconciler.errors import SpecsInvalid
from reconciler.kinds import all_kinds
from reconciler.kinds.ownkeys import FIELD as OWN_KEY
from reconciler.specs.catalog import Catalog, merged, unknown_names
from reconciler.specs.faults import Fault
from reconciler.specs.files import read_bytes, spec_files, unreadable
from reconciler.specs.layout import DEFAULT, Layout
from reconciler.specs.policies import in_force, policy_faults
from reconciler.specs.policy import PolicyDocument
from reconciler.specs.reader import Declared, FoundWorkspace, catalog_faults
from reconciler.specs.reading import read_files
from reconciler.specs.reused import reused_keys
from reconciler.specs.settings import DEFAULT_NAME, Settings

__all__ = ["Specs", "examine", "load", "read_bytes", "spec_files"]


@dataclass(frozen=True, slots=True)
class Specs:
    """What a workspace declares."""

    name: str
    """Of the workspace."""
    named: bool
    """Whether a Workspace document gave the name."""
    settings: Settings
    catalog: Catalog
    policies: Sequence[PolicyDocument]
    """In the order of their names."""
    tokens: Sequence[Declared]
    """In the order of their names."""
    digest: str
    """Over every token, the settings, the catalog and the policies: the same meaning, the same digest."""

    def token(self, name: str) -> Declared | None:
        """The token of a name, if it is declared."""
        place = bisect_left(self.tokens, name, key=lambda one: one.name)
        found = self.tokens[place] if place < len(self.tokens) else None
        return found if found is not None and found.name == name else None

    def own_key(self, name: str) -> str | None:
        """The public key that the owner of a declared token brings, if any."""
        declared = self.token(name)
        return None if declared is None else declared.own_key

    def place(self, name: str) -> str | None:
        """Where the artifact of a declared token is to stand; None where its owner brings the key."""
        declared = self.token(name)
        return None if declared is None else declared.artifact_path(self.settings.layout)


def load(root: Path, folder: str = "specs") -> Specs:
    """Everything that the folder declares. Raises SpecsInvalid with every fault of every file."""
    specs, faults = examine(root, folder)
    if specs is None:
        count = f"{len(faults)} fault{'s' if len(faults) != 1 else ''}"
        raise SpecsInvalid(
            f"the specs have {count}, the first at {faults[0].where}: {faults[0].message}",
            hint="see them all with: reconcile validate",
            faults=tuple(faults),
        )
    return specs


def nothing() -> Specs:
    """What a folder declares that is not there."""
    settings, catalog = Settings(), merged([])
    whole = _digest(DEFAULT_NAME, settings, catalog, (), ())
    return Specs(
        DEFAULT_NAME, named=False, settings=settings, catalog=catalog, policies=(), tokens=(), digest=whole
    )


def examine(root: Path, folder: str = "specs") -> tuple[Specs | None, list[Fault]]:
    """The specs, or every fault in them in the order of files and lines."""
    faults: list[Fault] = []
    found = read_files(root, list(spec_files(root, folder, faults)))
    faults.extend(found.faults)
    tokens = sorted(found.tokens, key=lambda token: (token.name, token.file, token.line))
    faults.extend(_used_twice(tokens))
    faults.extend(reused_keys(_in_order_of_files(tokens), lambda file: read_bytes(root / file)))
    workspaces = found.workspaces
    faults.extend(_second_workspaces(workspaces))
    catalog = merged(found.catalogs)
    if not found.catalog_lost:
        faults.extend(_outside_catalog(root, tokens, catalog))
    document = workspaces[0].document if workspaces else None
    settings = document.spec if document else Settings()
    faults.extend(_without_a_place(tokens, settings.layout))
    if found.policies:
        faults.extend(policy_faults(found.policies))
    if faults:
        return None, sorted(set(faults))
    name = document.metadata.name if document else DEFAULT_NAME
    policies = in_force(found.policies, settings.policies)
    whole = _digest(name, settings, catalog, policies, tokens)
    return Specs(name, document is not None, settings, catalog, policies, tokens, whole), []


def _in_order_of_files(tokens: Sequence[Declared]) -> list[Declared]:
    """Those with a key of their owners, as somebody reads them."""
    bringing = (token for token in tokens if token.sets(OWN_KEY))
    return sorted(bringing, key=lambda token: (token.file, token.line, token.column))


def _used_twice(tokens: Sequence[Declared]) -> Iterator[Fault]:
    first = tokens[0] if tokens else None
    for second in tokens[1:]:
        if first is None or first.name != second.name:
            first = second
        else:
            yield Fault(
                second.file,
                second.line,
                second.column,
                "metadata.name",
                f'the name "{second.name}" is used a second time; the first is at {first.file}:{first.line}',
                "a name is unique over the whole workspace, all kinds: choose another",
            )


def _second_workspaces(workspaces: Sequence[FoundWorkspace]) -> Iterator[Fault]:
    for second in workspaces[1:]:
        yield Fault(
            second.file,
            second.line,
            1,
            "workspace",
            f"this is a second Workspace document; the first is at {workspaces[0].file}:{workspaces[0].line}",
            "keep one of the two",
        )


def _without_a_place(tokens: Sequence[Declared], layout: Layout) -> Iterator[Fault]:
    for token in tokens if layout.template != DEFAULT else ():
        if token.own_key is not None:
            continue
        owner = token.owner if layout.by_owner else None
        if (fault := layout.fault(token.kind, token.name, owner)) is not None:
            yield Fault(
                token.file,
                token.line,
                token.column,
                "metadata.owner" if layout.by_owner else "metadata.name",
                fault,
                "an owner that names a folder is letters, digits, . _ @ and -, and no file name; or change"
                " deliver.path of the workspace",
            )


def _outside_catalog(root: Path, tokens: Sequence[Declared], catalog: Catalog) -> Iterator[Fault]:
    if not catalog:
        return
    kinds = all_kinds()
    faulty = {
        token.file
        for token in tokens
        if any(unknown_names(catalog, kinds[token.kind].catalog, from_json(token.normal)["spec"]))
    }
    for file in sorted(faulty):
        try:
            yield from catalog_faults(file, read_bytes(root / file), catalog)
        except OSError as error:
            yield unreadable(file, error)


def _digest(
    name: str,
    settings: Settings,
    catalog: Catalog,
    policies: Sequence[PolicyDocument],
    tokens: Sequence[Declared],
) -> str:
    lines = "".join(f"{token.name} {token.digest}\n" for token in tokens)
    whole: dict[str, Json] = {
        "workspace": name,
        "settings": settings.model_dump(mode="json"),
        "catalog": {section: sorted(names) for section, names in catalog.items()},
        "policies": [policy.model_dump(mode="json") for policy in policies],
        "tokens": digest(lines.encode()),
    }
    return digest(canonical(whole))
