"""Where specs name what the catalog deprecates: a warning at each place, for whoever edits the file. Pure but
for the files that it reads again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.kinds import all_kinds
from reconciler.specs.catalog import AT
from reconciler.specs.faults import Fault, shown
from reconciler.specs.files import Tree
from reconciler.specs.gathering import Catalog
from reconciler.specs.naming import named
from reconciler.specs.reader import Declared
from reconciler.specs.source import Source
from reconciler.specs.text import read
from reconciler.specs.usage import namings
from reconciler.specs.values import Document, Value
from reconciler.specs.values import Mapping as Fields

RULE = "catalog.deprecated"
SHOWN = 3
"""Deprecated names of one group that are told."""


def outdated(tree: Tree, tokens: Iterable[Declared], catalog: Catalog) -> list[Fault]:
    """A warning at each deprecated name that files of these tokens have, or that comes with a group there.

    In the order of files and lines. A file that was taken away meanwhile has none.
    """
    old = {
        (section, name): entry.deprecated
        for section, listed in catalog.items()
        for name, entry in listed.entries.items()
        if entry.deprecated is not None
    }
    files = {
        token.file
        for token in tokens
        if old and any((section, name) in old for section, name, _ in namings(token, catalog))
    }
    return sorted(fault for file in files for fault in _in_file(tree, file, catalog, old))


def _in_file(tree: Tree, file: str, catalog: Catalog, old: Mapping[tuple[str, str], str]) -> Iterator[Fault]:
    try:
        source = Source(file, tree.read(file).decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return
    for document in read(source.text)[0]:
        yield from _in_document(source, document, catalog, old)


def _in_document(
    source: Source, document: Document, catalog: Catalog, old: Mapping[tuple[str, str], str]
) -> Iterator[Fault]:
    name: Value = document.at(("kind",))
    kind = all_kinds().get(name) if isinstance(name, str) else None
    spec = document.at(("spec",))
    if kind is None or not isinstance(spec, Fields):
        return
    for field, section in kind.catalog.items():
        for path, written in named(field, spec.get(field)):
            for message, hint in _said(catalog, section, field, written, old):
                yield source.fault(document.place(("spec", *path)), RULE, message, hint)


def _said(
    catalog: Catalog, section: str, field: str, written: str, old: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, str]]:
    """What is wrong with one name, and what to write instead: at most one for itself, and one as a group."""
    if (section, written) in old:
        yield f"{field} names {shown(written)}, which is deprecated", old[section, written]
    if not written.startswith(AT) or section not in catalog:
        return
    held = sorted(name for name in catalog[section].held.get(written, ()) if (section, name) in old)
    if held:
        more = f" and {len(held) - SHOWN} more" if len(held) > SHOWN else ""
        verb = "is" if len(held) == 1 else "are"
        names = ", ".join(shown(name) for name in held[:SHOWN])
        yield (
            f"{field} names the group {shown(written)}, in which {names}{more} {verb} deprecated",
            old[section, held[0]] if len(held) == 1 else "see what to use with: reconcile catalog",
        )
