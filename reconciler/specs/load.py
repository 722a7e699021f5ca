"""A folder of specs, read whole: every token, the settings, the catalog; or every fault."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pydantic_core import from_json

from reconciler.canonical import canonical, digest
from reconciler.errors import SpecsInvalid
from reconciler.kinds import all_kinds
from reconciler.specs.catalog import Catalog, merged, unknown_names
from reconciler.specs.faults import Fault
from reconciler.specs.reader import MAX_BYTES, Declared, FileRead, FoundWorkspace, catalog_faults, read_file
from reconciler.specs.settings import DEFAULT_NAME, Settings

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Specs:
    """What a workspace declares."""

    name: str
    """Of the workspace."""
    named: bool
    """Whether a Workspace document gave the name."""
    settings: Settings
    catalog: Catalog
    tokens: Sequence[Declared]
    """In the order of their names."""
    digest: str
    """Over every token, the settings and the catalog: the same meaning, the same digest."""


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


def examine(root: Path, folder: str = "specs") -> tuple[Specs | None, list[Fault]]:
    """The specs, or every fault in them in the order of files and lines."""
    faults: list[Fault] = []
    files = list(_read(root, spec_files(root, folder, faults), faults))
    faults.extend(fault for file in files for fault in file.faults)
    tokens = sorted(
        (token for file in files for token in file.tokens),
        key=lambda token: (token.name, token.file, token.line),
    )
    faults.extend(_used_twice(tokens))
    workspaces = [workspace for file in files for workspace in file.workspaces]
    faults.extend(_second_workspaces(workspaces))
    catalog = merged(document for file in files for document in file.catalogs)
    faults.extend(_outside_catalog(root, tokens, catalog))
    if faults:
        return None, sorted(set(faults))
    document = workspaces[0].document if workspaces else None
    settings = document.spec if document else Settings()
    name = document.metadata.name if document else DEFAULT_NAME
    return Specs(
        name, document is not None, settings, catalog, tokens, _digest(name, settings, catalog, tokens)
    ), []


def spec_files(root: Path, folder: str, faults: list[Fault]) -> Iterator[str]:
    """Spec files below a folder, relative to the root, sorted. Links that lead out are faults."""
    top = root / folder
    if top.is_symlink():
        faults.append(_of_path(folder, "the spec folder is a link", "make it a folder of the repository"))
    elif not top.is_dir():
        faults.append(_of_path(folder, "there is no such folder", "make one with: reconcile new KIND NAME"))
    else:
        yield from _below(top, folder, top.resolve(), faults)


def _below(path: Path, relative: str, top: Path, faults: list[Fault]) -> Iterator[str]:
    try:
        with os.scandir(path) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        faults.append(
            _of_path(relative, f"this folder cannot be read ({error.strerror})", "mind its permissions")
        )
        return
    for entry in entries:
        name = f"{relative}/{entry.name}"
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            faults.extend(_of_link(Path(entry.path), name, top))
        elif entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path), name, top, faults)
        elif entry.name.endswith(SUFFIXES):
            yield name


def _of_link(path: Path, name: str, top: Path) -> Iterator[Fault]:
    """A link inside the folder is read where it leads; any other is a fault."""
    try:
        leads_inside = path.resolve(strict=True).is_relative_to(top)
    except (OSError, RuntimeError):
        leads_inside = False
    if not leads_inside:
        yield _of_path(name, "this link leads out of the spec folder, or nowhere", "put the file itself here")


def _of_path(file: str, message: str, hint: str) -> Fault:
    return Fault(printable(file), 1, 1, "specs.file", message, hint)


def printable(name: str) -> str:
    """A file name with what no terminal or JSON can show replaced."""
    shown = name.encode("utf-8", "replace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in shown)


def _read(root: Path, names: Iterable[str], faults: list[Fault]) -> Iterator[FileRead]:
    for name in names:
        try:
            data = read_bytes(root / name)
        except OSError as error:
            faults.append(
                _of_path(name, f"this file cannot be read ({error.strerror})", "mind its permissions")
            )
        else:
            yield read_file(printable(name), data)


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular file, one more than the limit at most. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)


def _used_twice(tokens: Sequence[Declared]) -> Iterator[Fault]:
    for first, second in pairwise(tokens):
        if first.name == second.name:
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
        yield from catalog_faults(file, read_bytes(root / file), catalog)


def _digest(name: str, settings: Settings, catalog: Catalog, tokens: Sequence[Declared]) -> str:
    lines = "".join(f"{token.name} {token.digest}\n" for token in tokens)
    whole = {
        "workspace": name,
        "settings": settings.model_dump(mode="json"),
        "catalog": {section: sorted(names) for section, names in catalog.items()},
        "tokens": digest(lines.encode()),
    }
    return digest(canonical(whole))
