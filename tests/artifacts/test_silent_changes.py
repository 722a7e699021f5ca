"""Every change that sops takes without a word, made to real artifacts of every format, is refused.

The table is change by format. Where a format has no node of the sort, the cell says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from reconciler.artifacts.contents import contents_digest
from reconciler.artifacts.formats import all_formats
from reconciler.artifacts.interface import Expected
from reconciler.artifacts.opener import FileOpener, read_header
from reconciler.artifacts.tree import Node
from reconciler.errors import ArtifactTampered
from reconciler.secret import Secret

from .edits import (
    FIELDS,
    Editor,
    Make,
    forged,
    mac_only,
    move_border,
    nest,
    swap_names,
    text,
    tree,
    usual,
    whole,
)
from .kit import FORMATS, HEADER, Bench

EXPECTED = Expected(HEADER, contents_digest(HEADER, FIELDS))
OTHER, OLDER = replace(HEADER, token_id="another"), replace(HEADER, generation=2)


@dataclass(frozen=True)
class Cell:
    """One change in one format: how it is made, and why it is refused."""

    make: Make
    reason: str


Row = dict[str, Cell | str]
"""Format → the change, or why there is none."""
YAML, JSONS = ("yaml", "kubernetes"), ("json", "pem")
FLAT = "a line of dotenv holds text, never a null, a list or a map"
NO_TYPES = "plain values of dotenv have no types"
NO_COMMENT = "JSON has no comments"
WHOLE_LINE = "a comment in dotenv is a whole line: a # behind a value is a part of it"
NO_SUCH = "the notation has no such thing"
NO_LABELS = "only a manifest has labels"


def row(reason: str, make: Make, **others: Cell | str) -> Row:
    """One change for all formats, but for those that are named."""
    return {form: others.get(form, Cell(make, reason)) for form in FORMATS}


def of(forms: tuple[str, ...], reason: str, make: Make, why: str = NO_SUCH, **others: Cell | str) -> Row:
    """One change for some formats."""
    return row(reason, make, **({form: why for form in FORMATS if form not in forms} | others))


def manifest(reason: str, edit: Callable[[Editor], object]) -> Row:
    """One change of labels."""
    return of(("kubernetes",), reason, tree(edit), NO_LABELS)


def added(what: str, value: Node, **others: Cell | str) -> dict[str, Row]:
    """One node, added at three places."""
    below = {
        "top": "",
        "header": r"(reconciler\.|metadata\.annotations\.)?",
        "fields": r"(fields\.|stringData\.)?",
    }
    return {
        f"{what}, {where}": row(rf"an? [a-z ]+ at {path}new was added", tree(adding(where, value)), **others)
        for where, path in below.items()
    }


def adding(where: str, value: Node) -> Callable[[Editor], object]:
    return lambda one: one.add(where, value)


def comment(line: str, old: str, new: str, dotenv: str = "") -> Row:
    """A comment, in the notations that have them."""
    reason = f"a comment stands at line {line}, and none was sealed"
    return of((*YAML, "dotenv"), reason, text(old, new), NO_COMMENT, **({"dotenv": dotenv} if dotenv else {}))


ENC = "#ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:comment]"
LISTED = r"(private_key|token_id) is a list, and was an encrypted str"

TEN: dict[str, dict[str, Row]] = {
    "a renamed unencrypted key": {
        "header": row(
            "the header names no token id",
            tree(lambda one: one.rename("id", "other")),
            dotenv=Cell(tree(swap_names), "header says kind k7ylkf3mq2pzabcd2345, and the binding says RSA"),
        ),
        "label": manifest(
            "the key 'tier' of metadata.labels was renamed to 'teer'",
            lambda one: one.rename("metadata.labels.tier", "teer"),
        ),
    },
    "a boundary moved between two neighbours": {
        "header": row("the header says kind RSATokenk, and the binding says RSA", tree(move_border)),
        "labels": manifest(
            "text was moved over the border between 'env' and 'tier' of metadata.labels",
            lambda one: one.map("metadata", "labels").update(env="a", tier="bc"),
        ),
    },
    "a null added or dropped": {
        **added("null", None, dotenv=FLAT),
        "for an empty text": row(
            "note is a null, and was an empty string", tree(lambda one: one.put("note", None)), dotenv=FLAT
        ),
    },
    "an empty string added": {
        **added("empty string", ""),
        **added("empty map", {}, dotenv=FLAT),
        **added("empty list", [], dotenv=FLAT),
    },
    "a comment added or dropped": {
        "first": comment("1", r"\A", "# use the other key\n"),
        "encrypted": comment("1", r"\A", f"{ENC}\n"),
        "between": comment("3", r"\A((.+\n){2})", r"\1# x\n"),
        "behind a value": comment("2", r"\A(.*\n.*)", r"\1 # x", WHOLE_LINE),
        "behind the sign of a block": comment(r"\d+", r"(enc: \|)", r"\1 # x", WHOLE_LINE),
        "last": comment(r"\d+", r"\Z", "# x"),
    },
    "list nesting changed": {
        "list": row(LISTED, tree(lambda one: one.wrap("secret")), dotenv=FLAT),
        "list in a list": row(LISTED, tree(lambda one: one.wrap("secret", 2)), dotenv=FLAT),
        "empty list": row(
            "note is a list, and was an empty string", tree(lambda one: one.wrap("note")), dotenv=FLAT
        ),
    },
    "to.to moved to a key to:to": {
        "encrypted": of(
            ("pem",),
            "a map at fields was dropped",
            tree(lambda one: one.join("fields")),
            "no encrypted value stands below another key",
            kubernetes="what stands under stringData:x is not encrypted, and sops refuses to hash it so",
        ),
        "plain": row("the header names no generation", tree(nest), dotenv=FLAT),
        "labels": manifest(
            r"a map at metadata.labels was dropped", lambda one: one.join("metadata", "labels")
        ),
    },
    "an unencrypted list turned scalar": {
        "kind in a list": row("the header names no kind", tree(lambda one: one.wrap("kind")), dotenv=FLAT),
        "header in a list": row(
            "the file has no reconciler header",
            tree(lambda one: one.wrap("reconciler")),
            dotenv=FLAT,
            kubernetes=Cell(tree(lambda one: one.wrap("metadata.annotations")), "the header names no kind"),
        ),
        "of a manifest": manifest(
            "kind is a list, and was a plain str", lambda one: one.wrap("manifest's kind")
        ),
        "labels": manifest(
            "metadata.labels is a list, and was a map", lambda one: one.wrap("metadata.labels")
        ),
    },
    'true turned "True"': {
        "generation": row(
            "reconciler.generation is a plain str, and was a plain number",
            tree(lambda one: one.put("generation", "3")),
            dotenv=NO_TYPES,
            kubernetes=Cell(
                tree(lambda one: one.put("generation", 3)),
                "metadata.annotations.reconciler/generation is a plain number, and was a plain str",
            ),
        ),
        "label": manifest(
            "metadata.labels.managed is a plain bool, and was a plain str",
            lambda one: one.put("metadata.labels.managed", value=True),
        ),
        "encrypted": row(
            "(?i)serial is an encrypted int, and was an encrypted str",
            text("(?i)(serial.*,type:)str", r"\1int"),
        ),
    },
    "a whole file swapped, rolled back or forged": {
        "swapped": row("it belongs to another token: RSAToken another", whole(OTHER)),
        "rolled back": row(r"of an older generation: RSAToken k7\w+ generation 2, not", whole(OLDER)),
        "forged": row("the binding cannot be read", forged),
        "forged by our sealer": row(
            "does not hold what was sealed for it", whole(HEADER, private_key=Secret("of a stranger"))
        ),
    },
}
BEYOND: dict[str, Row] = {
    "text behind an encrypted value": row(
        r"should be encrypted and is not|is a damaged ENC\[…\], and was an encrypted str",
        text(r"(type:str\])", r"\1junk"),
    ),
    "a key twice": row(
        "the same key twice: 'kind'",
        text('("kind":)', r"\1 null, \1"),
        yaml=Cell(text("^(    kind:)", r"\1 null\n\1"), "the key 'kind' stands twice in one map"),
        kubernetes=Cell(text("^(    private_key:)", r"\1 null\n\1"), "the key 'private_key' stands twice"),
        dotenv=Cell(text(r"\A", "PRIVATE_KEY=\n"), "the key PRIVATE_KEY stands in the file twice"),
    ),
    "a tag on a text": of(YAML, "it has a tag", text("kind: RSAToken", "kind: !!str RSAToken")),
    "a tag on a map": of(YAML, "it has a tag", text("^(reconciler|stringData):", r"\1: !x")),
    "an anchor": of(YAML, "it has an anchor", text("kind: RSAToken", "kind: &x RSAToken")),
    "an anchor on a map": of(YAML, "it has an anchor", text("^(reconciler|stringData):", r"\1: &x")),
    "a second document": of(
        YAML, "it has more than one document", text(r"^(?s:(sops:.*))\Z", r"\1---\nx: null\n\1")
    ),
    "text that is no Unicode": of(
        JSONS, "the file has text that is not valid Unicode", text(r'("kind")', r'"\\ud800": null, \1')
    ),
    "plain text outside of the MAC": row(
        "the header says kind JWTToken, and the binding says RSAToken",
        mac_only("RSAToken", "JWTToken"),
        kubernetes=Cell(mac_only("factory", "public"), "the plain text at metadata.namespace was changed"),
    ),
}
ROWS = {f"{change}: {name}": cells for change, rows in TEN.items() for name, cells in rows.items()} | BEYOND
CELLS = [
    pytest.param(form, cell, id=f"{form}-{name}")
    for name, cells in ROWS.items()
    for form, cell in cells.items()
    if isinstance(cell, Cell)
]


@pytest.fixture(scope="module")
def openers(bench: Bench) -> tuple[FileOpener, ...]:
    """The native opener and that by the program, which asks the program for its version once."""
    return bench.opener(), bench.program_opener()


@pytest.mark.parametrize(("form", "cell"), CELLS)
def test_sops_takes_it_and_we_refuse_it(
    bench: Bench, openers: tuple[FileOpener, ...], form: str, cell: Cell
) -> None:
    """The real sops decrypts the changed file; our reader says what was changed, whoever decrypts."""
    data = cell.make(bench, form)
    place = bench.write(f"changed.{all_formats()[form].extension}", data)
    done = bench.sops("decrypt", place.name)
    assert done.returncode == 0, done.stderr
    for opener in openers:
        with pytest.raises(ArtifactTampered, match=cell.reason) as caught:
            opener.open(data, place.name, EXPECTED)
        assert place.name in str(caught.value)
        assert caught.value.hint


def test_the_table_is_whole() -> None:
    """Each of the ten changes has a cell for each format, or says why it can have none."""
    assert len(TEN) == 10
    for name, cells in ROWS.items():
        assert set(cells) == set(FORMATS), name
    possible = {
        change: {form for cells in rows.values() for form in FORMATS if isinstance(cells[form], Cell)}
        for change, rows in TEN.items()
    }
    missing = {(change, form) for change, forms in possible.items() for form in FORMATS if form not in forms}
    assert missing == NEVER


NEVER = {
    ("a null added or dropped", "dotenv"),
    ("a comment added or dropped", "json"),
    ("a comment added or dropped", "pem"),
    ("list nesting changed", "dotenv"),
    ("to.to moved to a key to:to", "dotenv"),
    ("an unencrypted list turned scalar", "dotenv"),
}
"""What a format cannot carry at all."""


@pytest.mark.parametrize("form", FORMATS)
def test_an_artifact_that_was_only_written_again_opens(bench: Bench, form: str) -> None:
    """The edits above change what they say and nothing else: without one, the file opens."""
    data = tree(lambda one: one)(bench, form)
    assert bench.opener().open(data, f"x.{all_formats()[form].extension}", EXPECTED).header == HEADER


@pytest.mark.parametrize("form", ["yaml", "kubernetes", "dotenv"])
def test_a_commented_file_still_tells_its_header(bench: Bench, form: str) -> None:
    """The plan reads headers without a key, and goes on doing so where a comment stands."""
    for line in ("# x\n", f"{ENC}\n"):
        data = line.encode() + bench.seal(usual(form))
        assert read_header(data, usual(form).path) == HEADER
        with pytest.raises(ArtifactTampered, match="a comment stands at line 1") as caught:
            bench.opener().open(data, usual(form).path)
        assert caught.value.hint == "remove it with sops edit, or restore the file from git"
