"""What was applied, written down again: the text of an export has the normal form that it was made from."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.kinds.fields import LABEL, LABEL_VALUE, LINE, OWNER
from reconciler.specs.export import exported, exported_workspace, place_of
from reconciler.specs.model import token_spec
from reconciler.specs.reader import read_file
from reconciler.specs.write import new_document
from tests.specs.samples import FULL, LEAST, Tree, least

ODD = [
    "true", "null", "~", "no", "0", "007", "1e3", "0x1F", ".5", "-1", "2027-06-30", "12:30:00", "<<", "=",
    "- a", "a: b", "a #b", "# a", "&a", "*a", "!a", "%a", "@a", "`a", "'", '"', "\\", "\\n", "{a", "a]", " a",
    "a ", "?", "-", "---", "...", "|", ">", "工厂 A 历史库", "مصنع", "👩‍🔧".replace("\u200d", ""), "e\u0301",
    "x" * 200, "\ufffd", "{{ a }}",
]  # fmt: skip
"""Titles that are something else to a careless reader."""


def normal_of(tree: Tree) -> str:
    return token_spec(str(tree["kind"])).model_validate(tree).normal_form()


def again(text: str) -> str:
    """The normal form of the one token that a text declares."""
    found = read_file("f.yaml", text.encode())
    assert found.faults == []
    (token,) = found.tokens
    return token.normal


fits = {pattern: re.compile(pattern) for pattern in (LINE, LABEL_VALUE, LABEL)}
letters = st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp"))
lines = st.sampled_from(ODD) | st.text(letters, min_size=1, max_size=200).filter(fits[LINE].fullmatch)
values = st.just("") | lines
labels = st.dictionaries(
    st.sampled_from([one for one in ODD if fits[LABEL].fullmatch(one)])
    | st.from_regex(LABEL, fullmatch=True),
    values,
    max_size=5,
)
entries = st.from_regex("[A-Za-z0-9][A-Za-z0-9._:/@-]{0,30}", fullmatch=True)
names = st.just(["*"]) | st.lists(
    entries | st.sampled_from(["true", "12", "1:2", "0x1", "1.5", "2027-01-01"]), min_size=1, unique=True
)
LISTS = {
    "RSAToken": ("apis", "projects"),
    "JWTToken": ("apis", "users"),
    "LoginToken": ("dvm", "tag", "api", "bug", "shop", "role", "rule"),
    "TokenAuth": ("initroles",),
}

owners = lines.filter(lambda text: re.fullmatch(OWNER, text) is not None)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """A spec of any kind, with names, titles and labels in any script."""
    kind = draw(st.sampled_from(sorted(LEAST)))
    tree = least(kind, draw(st.sampled_from(["x", "true", "null", "n", "e1", "y"])))
    tree["spec"] |= draw(st.fixed_dictionaries({}, optional=dict.fromkeys(LISTS[kind], names)))
    tree["metadata"] |= draw(
        st.fixed_dictionaries({}, optional={"title": lines, "owner": owners, "labels": labels})
    )
    tree["lifecycle"] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "enabled": st.booleans(),
                "protect": st.booleans(),
                "expires": st.sampled_from(["2027-06-30", "180d", "1h", "2y"]),
                "rotate": st.sampled_from([{"every": "90d"}, {"every": "30d", "overlap": "36h"}]),
            },
        )
    )
    options = st.fixed_dictionaries({}, optional={"labels": labels, "type": lines})
    nothing: st.SearchStrategy[Tree] = st.just({})
    deliver = nothing | st.fixed_dictionaries({"format": st.just("kubernetes"), "kubernetes": options})
    tree["deliver"] = draw(deliver)
    return tree


@given(trees())
@example(least("TokenAuth", "x") | {"metadata": {"name": "x", "labels": {"a" * 200: "b" * 200}}})
def test_what_is_exported_reads_as_what_it_was_made_from(tree: Tree) -> None:
    normal = normal_of(tree)
    assert again(exported(normal)) == normal


@pytest.mark.parametrize("kind", FULL)
def test_a_spec_that_says_all_it_can_comes_back(kind: str) -> None:
    normal = again(FULL[kind])
    assert again(exported(normal)) == normal


@pytest.mark.parametrize("title", ODD)
def test_titles_and_labels_that_look_like_something_else_stay_text(title: str) -> None:
    tree = least("RSAToken")
    owner = title.strip() or "x"
    tree["metadata"] |= {"title": title, "owner": owner, "labels": {"a": title, "007": title}}
    normal = normal_of(tree)
    assert again(exported(normal)) == normal


@pytest.mark.parametrize("kind", LEAST)
def test_fields_stand_in_the_order_of_the_model_and_no_default_is_said(kind: str) -> None:
    text = exported(normal_of(least(kind, "a") | {"lifecycle": {"protect": False}}))
    assert [line for line in text.splitlines() if line[0] != " "] == [
        "apiVersion: reconciler/v1",
        f"kind: {kind}",
        "metadata:",
        "spec:",
    ]
    (spec,) = (part for part in re.split(r"^(?=\w)", text, flags=re.MULTILINE) if part.startswith("spec:"))
    wanted = [field for field in token_spec(kind).model_validate(least(kind)).spec if field[0] in LEAST[kind]]
    assert re.findall(r"^  (\w+):", spec, re.MULTILINE) == [field for field, _ in wanted]


def test_a_spec_is_written_as_new_writes_one() -> None:
    """An export that a person goes on with looks like what a person began with."""
    text = new_document("TokenAuth", "erp", [])
    assert exported(normal_of(least("TokenAuth", "erp"))) == text + "spec:\n  name: ERP\n"


def test_the_workspace_document_says_its_name_and_nothing_else() -> None:
    (workspace,) = read_file("workspace.yaml", exported_workspace("true").encode()).workspaces
    assert workspace.document.metadata.name == "true"
    assert workspace.document.spec.model_fields_set == set()


def test_every_token_has_a_file_of_its_own() -> None:
    assert place_of("RSAToken", "historian") == "tokens/RSAToken/historian.yaml"
