"""A folder of specs, read whole: every token, the settings, the catalog; or every fault."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic_core import from_json

from reconciler.canonical import Json, canonical, digest
from reconciler.errors import SpecsInvalid
from reconciler.kinds import all_kinds
from reconciler.kinds.ownkeys import FIELD as OWN_KEY
from reconciler.memo import Kept, nothing_kept
from reconciler.specs.catalog import Entry
from reconciler.specs.faults import Fault
from reconciler.specs.files import Folder, Tree, read_bytes, spec_files, unreadable
from reconciler.specs.gathering import ROUTED, Catalog, gathered
from reconciler.specs.layout import DEFAULT, Layout
from reconciler.specs.naming import unknown_names
from reconciler.specs.policies import in_force, policy_faults
from reconciler.specs.policy import PolicyDocument
from reconciler.specs.reader import Declared, FoundWorkspace, catalog_faults
from reconciler.specs.reading import read_files
from reconciler.specs.resolve import may_name_group, resolved
from reconciler.specs.reused import reused_keys
from reconciler.specs.settings import DEFAULT_NAME, Settings
from reconciler.specs.source import Source
from reconciler.specs.values import Place

__all__ = ["Specs", "examine", "load", "name_in", "read_bytes", "spec_files", "whole_digest", "with_lines"]


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
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Names that tokens had before → the names that they have now."""

    @property
    def apis(self) -> Sequence[Entry]:
        """The APIs that the catalog lists; the routes of each say which requests are its own."""
        listed = self.catalog.get(ROUTED)
        return () if listed is None else tuple(listed.entries.values())

    @property
    def audience(self) -> str:
        """What `aud` must be in what owners sign for the verifier of this workspace."""
        return self.settings.audience(self.name)

    def token(self, name: str) -> Declared | None:
        """The token of a name, if it is declared."""
        place = bisect_left(self.tokens, name, key=lambda one: one.name)
        found = self.tokens[place] if place < len(self.tokens) else None
        return found if found is not None and found.name == name else None

    def heir(self, name: str) -> Declared | None:
        """The token that a live token of a name is to be: of that name, or of one that says it had it."""
        return self.token(name) or self.token(self.renamed.get(name, ""))

    def own_key(self, name: str) -> str | None:
        """The public key that the owner of a declared token brings, if any."""
        declared = self.token(name)
        return None if declared is None else declared.own_key

    def place(self, name: str) -> str | None:
        """Where the artifact of a live token of a name is to stand, if one declares it; None where its owner
        brings the key.
        """
        declared = self.heir(name)
        return None if declared is None else declared.artifact_path(self.settings.layout)


def load(tree: Tree | Path, folder: str = "specs", kept: Kept = nothing_kept) -> Specs:
    """Everything that the folder declares. Raises SpecsInvalid with every fault of every file."""
    specs, faults = examine(tree, folder, kept)
    if specs is None:
        raise _invalid(faults)
    return specs


def name_in(tree: Tree | Path, folder: str = "specs", kept: Kept = nothing_kept) -> str | None:
    """The name of the workspace, whatever else is wrong; None where no document gives it one.

    Raises SpecsInvalid where a fault hides it.
    """
    tree = Folder(tree) if isinstance(tree, Path) else tree
    faults: list[Fault] = []
    found = read_files(tree, list(tree.spec_files(folder, faults)), kept)
    faults.extend(found.faults)
    if found.workspaces:
        return found.workspaces[0].document.metadata.name
    if faults:
        raise _invalid(sorted(set(faults)))
    return None


def _invalid(faults: Sequence[Fault]) -> SpecsInvalid:
    count = f"{len(faults)} fault{'s' if len(faults) != 1 else ''}"
    return SpecsInvalid(
        f"the specs have {count}, the first at {faults[0].where}: {faults[0].message}",
        hint="correct them; reconcile validate says when none is left",
        faults=tuple(faults),
    )


def nothing() -> Specs:
    """What a folder declares that is not there."""
    settings = Settings()
    whole = whole_digest(DEFAULT_NAME, settings, {}, (), ())
    return Specs(
        DEFAULT_NAME, named=False, settings=settings, catalog={}, policies=(), tokens=(), digest=whole
    )


def examine(
    tree: Tree | Path, folder: str = "specs", kept: Kept = nothing_kept
) -> tuple[Specs | None, list[Fault]]:
    """The specs, or every fault in them in the order of files and lines. A path is a folder that is there.

    `kept` is the memo of what was read before.
    """
    tree = Folder(tree) if isinstance(tree, Path) else tree
    faults: list[Fault] = []
    found = read_files(tree, list(tree.spec_files(folder, faults)), kept)
    faults.extend(found.faults)
    tokens: Sequence[Declared] = sorted(found.tokens, key=lambda token: (token.name, token.file, token.line))
    faults.extend(with_lines(tree, _used_twice(tokens)))
    renamed: dict[str, str] = {}
    faults.extend(with_lines(tree, _renamed(tokens, renamed)))
    faults.extend(reused_keys(_in_order_of_files(tokens), tree.read))
    workspaces = found.workspaces
    faults.extend(with_lines(tree, _second_workspaces(workspaces)))
    catalog, wrong = gathered(found.catalogs, lost=found.catalog_lost)
    faults.extend(with_lines(tree, wrong))
    if not found.catalog_lost:
        faults.extend(_outside_catalog(tree, tokens, catalog))
    document = workspaces[0].document if workspaces else None
    settings = document.spec if document else Settings()
    faults.extend(with_lines(tree, _without_a_place(tokens, settings.layout)))
    if found.policies:
        faults.extend(policy_faults(found.policies))
    if faults:
        return None, sorted(set(faults))
    tokens, faults = resolved(tokens, catalog)
    if faults:
        return None, faults
    name = document.metadata.name if document else DEFAULT_NAME
    policies = in_force(found.policies, settings.policies)
    whole = whole_digest(name, settings, catalog, policies, tokens)
    return Specs(name, document is not None, settings, catalog, policies, tokens, whole, renamed), []


def with_lines(tree: Tree, faults: Iterable[Fault]) -> Iterator[Fault]:
    """Faults that were found when their files were closed again, with the lines that they are about."""
    found: dict[str, list[Fault]] = {}
    for fault in faults:
        found.setdefault(fault.file, []).append(fault)
    for file, mine in sorted(found.items()):
        try:
            source = Source(file, tree.read(file).decode("utf-8-sig"))
        except (OSError, UnicodeDecodeError):
            yield from mine
        else:
            for one in mine:
                yield source.fault(Place(one.line, one.column), one.rule, one.message, one.hint)


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


def _renamed(tokens: Sequence[Declared], renamed: dict[str, str]) -> Iterator[Fault]:
    """Collects the names that tokens had before; one that another token has, or had as well, is a fault."""
    claims = [token for token in tokens if token.sets("previously")]
    names = {token.name for token in tokens} if claims else set()
    for token in claims:
        for old in token.previously:
            if old in names:
                message = f"{token.name} says that it was called {old}, and a spec of that name is here"
                hint = "remove it from previously: two tokens cannot both be the one that was called so"
            elif renamed.setdefault(old, token.name) != token.name:
                message = f"{token.name} and {renamed[old]} both say that they were called {old}"
                hint = "keep it in the previously of the one that it was"
            else:
                continue
            yield Fault(token.file, token.line, token.column, "metadata.previously", message, hint)


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


def _outside_catalog(tree: Tree, tokens: Sequence[Declared], catalog: Catalog) -> Iterator[Fault]:
    kinds = all_kinds()
    faulty = {
        token.file
        for token in tokens
        if (catalog or may_name_group(token))
        and any(unknown_names(catalog, kinds[token.kind].catalog, from_json(token.normal)["spec"]))
    }
    for file in sorted(faulty):
        try:
            yield from catalog_faults(file, tree.read(file), catalog)
        except OSError as error:
            yield unreadable(file, error)


def whole_digest(
    name: str,
    settings: Settings,
    catalog: Catalog,
    policies: Sequence[PolicyDocument],
    tokens: Sequence[Declared],
) -> str:
    """Over all that specs mean."""
    lines = "".join(f"{token.name} {token.digest}\n" for token in tokens)
    whole: dict[str, Json] = {
        "workspace": name,
        "settings": settings.model_dump(mode="json"),
        "catalog": {section: listed.meaning() for section, listed in catalog.items()},
        "policies": [policy.model_dump(mode="json") for policy in policies],
        "tokens": digest(lines.encode()),
    }
    return digest(canonical(whole))
