"""Edits of sealed artifacts: what a stranger with the file and no key can do to it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from reconciler.artifacts.formats import all_formats
from reconciler.artifacts.interface import Header, Parcel
from reconciler.artifacts.tree import Node, Tree, at, plain
from reconciler.secret import Secret

from .kit import HEADER, PEM, Bench, parcel

LABELS = {"env": "ab", "tier": "c", "managed": "True"}
KUBERNETES: Mapping[str, str | Mapping[str, str]] = {"namespace": "factory", "labels": LABELS}
FIELDS: Mapping[str, str | Secret] = {
    "token_id": HEADER.token_id,
    "serial": "20260922",
    "note": "",
    "private_key": Secret(PEM),
}

Make = Callable[[Bench, str], bytes]
Path = tuple[str, ...]


def usual(form: str, header: Header = HEADER, **other: str | Secret) -> Parcel:
    """A normal parcel."""
    return parcel(form, {**FIELDS, **other}, header, KUBERNETES if form == "kubernetes" else None)


def places(form: str) -> dict[str, Path]:
    """Where each node of an artifact stands in a format."""
    head: Path = {"kubernetes": ("metadata", "annotations"), "dotenv": ()}.get(form, ("reconciler",))
    before = {"kubernetes": "reconciler/", "dotenv": "RECONCILER_"}.get(form, "")
    body: Path = {"kubernetes": ("stringData",), "pem": ("fields",)}.get(form, ())
    case = str.upper if form == "dotenv" else str
    found: dict[str, Path] = {"top": (), "header": head, "fields": body}
    found |= {name: (*head, before + case(name)) for name in ("kind", "id", "generation")}
    found |= {name: (*body, case(name)) for name in FIELDS} | {"manifest's kind": ("kind",)}
    # The program prints the key of a PEM file alone, and fails where it is none: another field stands in.
    return found | {"secret": found["token_id" if form == "pem" else "private_key"]}


class Editor:
    """The sealed tree of an artifact, and edits of it."""

    def __init__(self, tree: Tree, form: str) -> None:
        self.tree = tree
        self.places = places(form)

    def map(self, *path: str) -> Tree:
        """The map at a path."""
        found = at(self.tree, path)
        assert isinstance(found, dict)
        return found

    def spot(self, name: str) -> tuple[Tree, str]:
        """The map in which a node stands, and its key; a name with dots is a path."""
        *above, key = self.places.get(name, tuple(name.split(".")))
        return self.map(*above), key

    def text(self, name: str) -> str:
        """A leaf."""
        place, key = self.spot(name)
        return str(place[key])

    def put(self, name: str, value: Node) -> None:
        """Another node in the place of one."""
        place, key = self.spot(name)
        place[key] = value

    def wrap(self, name: str, times: int = 1) -> None:
        """A node, put into a list, which is put into a list."""
        place, key = self.spot(name)
        for _ in range(times):
            place[key] = [place[key]]

    def replace(self, place: Tree, key: str, items: Tree) -> None:
        """Other keys in the place of one, so that the order of the values stays."""
        before = dict(place)
        place.clear()
        for name, value in before.items():
            place.update(items if name == key else {name: value})

    def rename(self, name: str, key: str) -> None:
        """The same node under another key."""
        place, old = self.spot(name)
        self.replace(place, old, {key: place[old]})

    def join(self, *path: str) -> None:
        """`a.b` as `a:b`: the same additional data to AES-GCM."""
        *above, key = path
        self.replace(self.map(*above), key, {f"{key}:{name}": one for name, one in self.map(*path).items()})

    def add(self, where: str, value: Node) -> None:
        """A new key at the end of the fields, else at the start."""
        place = self.map(*self.places[where])
        before = dict(place)
        if where != "fields":
            place.clear()
        place.update({"new": value} | before if where != "fields" else {"new": value})


def tree(edit: Callable[[Editor], object]) -> Make:
    """An edit of the sealed tree, written again as the format writes it."""

    def make(bench: Bench, form: str) -> bytes:
        known = all_formats()[form]
        document = known.parse(bench.seal(usual(form)))
        edit(Editor(document.tree, form))
        return known.emit(document.tree, document.metadata)

    return make


def text(old: str, new: str) -> Make:
    """An edit of the sealed text: one regular expression, once."""

    def make(bench: Bench, form: str) -> bytes:
        found, count = re.subn(old, new, bench.seal(usual(form)).decode(), count=1, flags=re.MULTILINE)
        assert count == 1
        return found.encode()

    return make


def move_border(one: Editor) -> None:
    first, rest = one.text("id")[0], one.text("id")[1:]
    one.put("kind", one.text("kind") + first)
    one.put("id", rest)


def swap_names(one: Editor) -> None:
    one.rename("kind", "?")
    one.rename("id", "RECONCILER_KIND")
    one.rename("?", "RECONCILER_ID")


def nest(one: Editor) -> None:
    one.put("generation", {"generation": one.map(*one.places["header"])[one.spot("generation")[1]]})


def whole(header: Header, **other: str | Secret) -> Make:
    """A whole file, sealed for another token or generation, or over another secret."""
    return lambda bench, form: bench.seal(usual(form, header, **other))


def forged(bench: Bench, form: str) -> bytes:
    """A file with a true header that the sops program made from the public recipients alone."""
    known = all_formats()[form]
    forgery = known.pack(usual(form), Secret("x"))
    flags = ("--input-type", "json", "--output-type", known.store, "--filename-override", "x")
    rule = (f"--{known.selection.name.replace('_', '-')}", known.selection.pattern)
    return bench.sops("encrypt", *flags, *rule, stdin=json.dumps(plain(forgery)).encode()).stdout


def mac_only(old: str, new: str) -> Make:
    """A plain text that changed where the MAC is over the encrypted values alone."""

    def make(bench: Bench, form: str) -> bytes:
        rules = f"creation_rules: [{{age: {bench.recipient}, mac_only_encrypted: true}}]"
        sealer = bench.sealer()
        sealer._match = bench.rules(rules).match
        return sealer.seal(usual(form)).replace(old.encode(), new.encode())

    return make
