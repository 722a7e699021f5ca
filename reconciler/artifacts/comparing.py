"""Whether a sealed file is sealed to whom its creation rule names today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.artifacts.interface import Recipients
from reconciler.artifacts.names import is_version_of, normal, once
from reconciler.artifacts.tree import Metadata

_Groups: TypeAlias = "tuple[tuple[str, ...], ...]"


@dataclass(frozen=True, slots=True)
class Change:
    """What has to change in a file so that it is sealed as its rule says. False when nothing has to."""

    added: tuple[str, ...] = ()
    """Recipients whom the file lacks, as the rule names them."""
    removed: tuple[str, ...] = ()
    """Recipients whom the file has and the rule does not name, as the file names them."""
    regrouped: bool = False
    """Whether those who stay stand in other key groups or more often than in the rule, or another number
    of groups opens the file."""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.regrouped)


def difference(have: Metadata, want: Recipients) -> Change:
    """How the recipients of a file differ from those that its rule names. Pure; raises nothing.

    Neither the order of recipients nor that of groups counts, nor how a name is written (see
    `names.normal`). An Azure key that the rule gives without a version is there when the file has any
    version of it. A recipient may stand in the file as often as in the rule and no more: one time too
    many is `regrouped`. Nobody can tell from a name whose key is behind it, so it may be somebody who
    was removed, under the name of one who stays: a new data key shuts them out.
    Whoever is `removed` has had the secret: the file needs a new data key, and the token should be
    rotated. `added` or `regrouped` alone need no rotation.
    """
    ours = _forms(want.names, have.recipients)
    theirs = {name: normal(name) for name in once(have.recipients)}
    added = tuple(name for name, form in ours.items() if form not in theirs.values())
    removed = tuple(name for name, form in theirs.items() if form not in ours.values())
    stay = set(ours.values()) & set(theirs.values())
    return Change(
        _first(added, ours),
        _first(removed, theirs),
        have.threshold != want.threshold
        or _partition(have.groups, theirs, stay) != _partition(want.groups, ours, stay)
        or not _count(have.groups, theirs, stay) <= _count(want.groups, ours, stay),
    )


def _forms(wanted: Iterable[str], have: tuple[str, ...]) -> dict[str, str]:
    """Each wanted name with its normal form: that of the version in the file, for an Azure key without."""
    explicit = {normal(name) for name in wanted}
    forms = {}
    for name in wanted:
        versions = [normal(one) for one in have if is_version_of(one, name)]
        # A version that the rule names too stands for itself.
        newest = [one for one in versions if one not in explicit] or versions
        forms[name] = newest[0] if newest else normal(name)
    return forms


def _first(names: tuple[str, ...], forms: dict[str, str]) -> tuple[str, ...]:
    """The first name of each recipient who is written in more than one way."""
    by_form: dict[str, str] = {}
    for name in names:
        by_form.setdefault(forms[name], name)
    return tuple(by_form.values())


def _partition(groups: _Groups, forms: dict[str, str], stay: set[str]) -> Counter[frozenset[str]]:
    """Who of those who stay stands with whom, in no order. A group whose members all go still counts."""
    return Counter(frozenset(forms[name] for name in group) & stay for group in groups)


def _count(groups: _Groups, forms: dict[str, str], stay: set[str]) -> Counter[str]:
    """How often each of those who stay is named."""
    return Counter(forms[name] for group in groups for name in group if forms[name] in stay)
