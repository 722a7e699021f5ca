"""Specs of a branch, held against the rules of the branch that it is for: so no change judges itself.

From the base come the name and the settings of the workspace, its policies, and what groups stand for. From
the branch come its tokens, the names that its catalog adds, groups that are new there (nothing else can
name them), and where artifacts are to stand: that is asked for, and the plan must show what follows from it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic_core import from_json, to_json

from reconciler.canonical import digest
from reconciler.errors import SpecsInvalid
from reconciler.kinds import all_kinds
from reconciler.specs.catalog import SECTIONS
from reconciler.specs.gathering import Catalog, Section
from reconciler.specs.groups import held_by
from reconciler.specs.load import Specs, whole_digest
from reconciler.specs.naming import unknown_names
from reconciler.specs.reader import Declared
from reconciler.specs.resolve import resolved

LAYOUT = ("artifacts", "deliver")
"""The settings that stay those of the branch."""
SMALLER = "make the groups of one of the two smaller, and merge that first"


def judged_by(head: Specs, base: Specs) -> Specs:
    """The specs of a branch under the rules of its base. Where these do not differ, they are `head` itself.

    Raises SpecsInvalid where groups of both together stand for too much.
    """
    settings = base.settings.model_copy(update={name: getattr(head.settings, name) for name in LAYOUT})
    catalog = _catalog(head.catalog, base.catalog)
    tokens, faults = resolved([_as_written(token) for token in head.tokens], catalog)
    if faults:
        raise SpecsInvalid(faults[0].message, hint=SMALLER, faults=tuple(faults))
    return Specs(
        name=base.name,
        named=base.named,
        settings=settings,
        catalog=catalog,
        policies=base.policies,
        tokens=tokens,
        digest=whole_digest(base.name, settings, catalog, base.policies, tokens),
        renamed=head.renamed,
    )


def no_longer_checked(head: Specs, base: Specs) -> Iterator[tuple[Declared, str, str]]:
    """(token, section, name) of names that the base's catalog does not have, where the branch's has none."""
    gone = {section: listed for section, listed in base.catalog.items() if section not in head.catalog}
    kinds = all_kinds()
    for token in head.tokens if gone else ():
        fields = {field: part for field, part in kinds[token.kind].catalog.items() if part in gone}
        for _, section, name in unknown_names(gone, fields, from_json(token.normal)["spec"]):
            yield token, section, name


def _as_written(token: Declared) -> Declared:
    """The token with the groups that its file names."""
    if not token.written:
        return token
    tree = from_json(token.normal)
    tree["spec"].update({field: list(names) for field, names in token.written})
    normal = to_json(tree).decode()
    return token._replace(normal=normal, digest=digest(normal.encode()), written=())


def _catalog(head: Catalog, base: Catalog) -> Catalog:
    """The names of the branch, and the groups of the base; a section that the branch drops stays."""
    both = {**base, **head}
    return {
        section: _section(head[section], base[section])
        if section in head and section in base
        else both[section]
        for section in SECTIONS
        if section in both
    }


def _section(head: Section, base: Section) -> Section:
    entries = {name: base.entries.get(name, entry) for name, entry in head.entries.items()}
    groups = {**head.entries, **base.entries}
    held, troubles = held_by({name: one.members for name, one in groups.items() if one.members})
    if troubles:
        raise SpecsInvalid(f"with the groups of both sides, {troubles[0].message}", hint=SMALLER)
    return Section(entries, {group: names for group, names in held.items() if group in entries})
