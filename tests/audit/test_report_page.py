"""The page of `audit report`: what it tells, that this is text only, and that it needs nothing else."""

from __future__ import annotations

import json
import random
import re
import shlex
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.audit.report import ages, happenings, months
from reconciler.audit.report.charts import Bars, svg, top_of
from reconciler.audit.report.contents import NAMES, OF_RECORDS, to_json
from reconciler.audit.report.facts import holdings
from reconciler.audit.report.grants import COLUMNS, HOLDERS, NOBODY, ROWS, matrices
from reconciler.audit.report.page import page, plain
from reconciler.audit.spans import Cause, State
from reconciler.kinds.interface import Grants
from tests.audit.meeting import COMMIT, DAY, NOW, YEAR, body, facts, runs, spans

FOREIGN = {"script", "img", "iframe", "object", "embed", "link", "base", "form"}
VOID = {"meta", "link", "br", "img", "input", "hr"}
HOSTILE = [
    "</code></td></table><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "]]></style><style>*{display:none}</style>",
    "javascript:alert(1)",
    "a\u202egnp.exe\u2066",
    "\x1b[31m\x00\r\n",
    "W" * 9_000,
    "工厂 A",
    "&lt;b&gt;",
    "\ud800",
]


def hostile(number: int, dice: random.Random) -> tuple[str, str, Grants]:
    text = HOSTILE[number % len(HOSTILE)]
    return f"{text}{number}", text, {"apis": (text, f"{number}{text}"), text: (text,)}


class Reader(HTMLParser):
    """Elements in the order in which they stand; each is closed as it should be."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.told: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.told.append(data)


def read(data: bytes) -> Reader:
    return Reader(data.decode())


def words(data: bytes) -> str:
    return " ".join(" ".join(read(data).told).split())


def test_the_same_facts_give_the_same_bytes() -> None:
    assert page(facts()) == page(facts())


def test_the_page_says_what_it_tells_of() -> None:
    text = words(page(facts()))
    assert "Access review: acme" in text
    assert "As of 2026-11-26T12:00:00Z , at commit 0123456789ab" in text
    assert "by the records of applies" in text
    assert "this clone is shallow: what was before 0123456 is not told" in text
    assert "record-edited" in text
    assert "who signed the records: no key is given" in text
    assert "let pass, max-delete: the plan deletes 9 of 40 tokens" in text
    assert "the old plant is shut down" in text
    text = words(page(facts(recorded=False)))
    assert "It tells what specs declared, applied or not" in text
    moment = "--line 0123456789ab --at 2026-11-26T12:00:00Z --declared"
    assert f"reconcile audit access --state all {moment}" in text


def printed(data: bytes) -> list[str]:
    """The commands of a page."""
    found = re.findall(r"<code>(reconcile [^<]*)</code>", data.decode(errors="replace"))
    return [unescape(one) for one in found]


@pytest.mark.parametrize("recorded", [True, False])
def test_below_every_figure_stands_the_command_that_prints_its_numbers_and_a_link_to_it(
    *, recorded: bool
) -> None:
    made = page(facts(recorded=recorded))
    names = [name for name in NAMES if recorded or name not in OF_RECORDS]
    shown = [found[1] for one in printed(made) if (found := re.search(r"--figure (\S+)", one))]
    assert sorted(shown) == sorted(names)
    text = made.decode()
    figures = re.findall(r'<figure id="figure-(.*?)">(.*?)</figure>', text, re.DOTALL)
    assert len(figures) == (5 if recorded else 3)
    for name, figure in figures:
        assert f'<a href="#figure-{name}"' in figure
        assert f"--figure {name} --line " in figure
        assert figure.count("<table>") == 1
    for section in re.findall(r"<section .*?</section>", text, re.DOTALL):
        assert "--figure " in section or "Only records tell" in section


def test_machines_are_told_the_numbers_of_the_page() -> None:
    made = to_json(facts(), NAMES)
    figures = made["figures"]
    assert isinstance(figures, dict)
    assert (list(made), sorted(figures)) == (
        ["schema", "workspace", "commit", "line", "at", "source", "notes", "figures"],
        sorted(NAMES),
    )
    seen = {attributes.get("id", "") for _, attributes in read(page(facts())).seen}
    assert {f"figure-{name}" for name, one in figures.items() if "parts" in one} <= seen
    inventory = figures["inventory"]
    assert sum(one["all"] for one in inventory["kinds"].values()) == len(inventory["tokens"])
    only = to_json(facts(), ["ends"])["figures"]
    assert isinstance(only, dict)
    assert set(only) == {"ends"}
    json.dumps(made)


def test_a_page_of_nothing_is_a_page() -> None:
    nothing = replace(facts(0), log=[], runs=[], overdue={}, notes=())
    text = words(page(nothing))
    assert "There was no token." in text
    assert "No active token was granted anything." in text
    assert "No rotation was late." in text


# nothing but text


@pytest.mark.parametrize("recorded", [True, False])
def test_no_text_of_a_history_is_anything_but_text(*, recorded: bool) -> None:
    made = facts(120, hostile, recorded=recorded)
    made = replace(
        made,
        workspace=HOSTILE[0],
        notes=tuple(HOSTILE),
        runs=[one for text in HOSTILE for one in runs(text, text)],
        standing=[replace(one, reason=text) for text in HOSTILE for one in facts().standing],
    )
    found = read(page(made).replace(b"\xed\xa0\x80", b"?"))
    assert not {tag for tag, _ in found.seen} & FOREIGN
    assert sum(tag == "style" for tag, _ in found.seen) == 1
    for tag, attributes in found.seen:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        assert not set(attributes) & {"src", "srcset", "xlink:href"}, tag
        assert (attributes.get("href") or "#").startswith("#"), tag
    told = "".join(found.told)
    assert "</table><script>alert(1)</script>" in told
    assert "{{ 7 * 7 }}" in told
    assert not [one for one in told if not one.isprintable() and one != "\n"]


def test_every_inner_link_leads_to_a_place_and_every_id_is_given_once() -> None:
    found = read(page(facts(60, hostile)))
    ids = [attributes["id"] for _, attributes in found.seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = {
        name
        for _, attributes in found.seen
        for key in ("href", "aria-labelledby", "aria-describedby")
        for name in (attributes.get(key) or "").replace("#", "").split()
    }
    assert named <= set(ids)


def test_commands_can_be_copied_whatever_the_names_are() -> None:
    for command in printed(page(facts(24, hostile))):
        first, *rest = shlex.split(command)
        assert first == "reconcile"
        assert rest[0] == "audit"


def test_a_long_text_ends_somewhere() -> None:
    assert len(str(plain("x" * 10_000))) < 2_100
    assert plain("a\nb\u202ec") == "a b\ufffdc"
    assert plain("a\u3164b\u034fc") == "a\ufffdb\ufffdc"
    assert plain(7) == 7


def test_five_thousand_tokens_make_a_page_that_can_be_sent() -> None:
    assert len(page(facts(5_000))) < 3_000_000


# what is counted


def test_a_token_is_what_its_span_of_the_moment_says() -> None:
    (one,) = spans(1)
    one = replace(one, enabled=True, until=None, ends=None, since=Cause(NOW - YEAR, COMMIT))
    assert [found.state for found in holdings([one], NOW)] == [State.ACTIVE]
    assert [found.state for found in holdings([replace(one, enabled=False)], NOW)] == [State.DISABLED]
    assert [found.state for found in holdings([replace(one, ends=NOW)], NOW)] == [State.EXPIRED]
    assert holdings([replace(one, until=Cause(NOW, COMMIT))], NOW) == []
    assert holdings([one], NOW - 2 * YEAR) == []
    later = replace(one, since=Cause(NOW - DAY, COMMIT), name="new", until=None)
    (found,) = holdings([replace(one, until=later.since), later], NOW)
    assert (found.name, found.since) == ("new", NOW - YEAR)
    (found,) = holdings([replace(one, until=later.since), later], NOW - 2 * DAY)
    assert found.name == one.name


def test_the_matrix_counts_each_token_once_a_name_and_folds_the_rest() -> None:
    def many(number: int, dice: random.Random) -> tuple[str, str, Grants]:
        owner = f"owner-{number % 40:02}" if number % 41 else ""
        return f"t{number:04}", owner, {"apis": tuple(f"api-{one:02}" for one in range(number % 30 + 1))}

    held = holdings(spans(1_000, many), NOW)
    (matrix,) = matrices(held)
    assert len(matrix.columns) == COLUMNS
    assert matrix.rest == 30 - COLUMNS
    assert len(matrix.rows) == ROWS + 1
    assert matrix.rows[-1].owner == f"{41 - ROWS} other owners"
    assert sum(row.tokens for row in matrix.rows) == len(held) == matrix.tokens
    for column, name in enumerate(matrix.columns):
        holders = sum(name in one.grants["apis"] for one in held)
        assert sum(row.cells[column] for row in matrix.rows) == holders
    beyond = [one for one in held if set(one.grants["apis"]) - set(matrix.columns)]
    assert sum(row.cells[-1] for row in matrix.rows) == len(beyond)
    for value in matrix.values:
        assert value.holders == sum(value.value in one.grants["apis"] for one in held)
        assert len(value.names) == min(HOLDERS, value.holders)
    assert NOBODY in {row.owner for row in matrix.rows} or len(matrix.rows) > ROWS


def test_all_comes_first_in_a_matrix() -> None:
    held = holdings(spans(60), NOW)
    assert matrices(held)[0].columns[0] == "*"


def test_ends_and_ages_count_every_token_once() -> None:
    held = holdings(spans(500), NOW)
    for bars in (ages.of_tokens(held, NOW), ages.of_ends(held, NOW)):
        assert sum(bars.totals) == len(held)
    labels = ages.of_ends(held, NOW).labels
    assert labels[:2] == ["ended", "2026-11"]
    assert labels[-3:] == ["2027-10", "later", "no end"]


def test_rotations_are_on_time_late_or_by_request() -> None:
    found = facts()
    bars = happenings.rotations(found.log, NOW)
    rotated = [one for one in found.log if one.what == "rotate" and one.outcome == "done"]
    assert sum(bars.totals) == len(rotated)
    late = sum(one.due is not None and one.due.late > 0 for one in rotated)
    assert {name: sum(values) for name, values in bars.parts}["late"] == late > 0
    tardy = happenings.tardy(found.log, found.overdue, NOW)
    assert len(tardy) == late + 1
    assert (tardy[0].done, tardy[0].days) == (None, 12)


def test_what_was_not_tried_is_not_told_as_failed() -> None:
    """A run that stopped before a change came to nothing of it, and nothing went wrong with it."""
    (one, *_) = (event for event in facts().log if event.what == "issue" and event.outcome == "done")
    log = [replace(one, outcome=outcome) for outcome in ("done", "failed", "untried", "untried")]
    bars = happenings.changes(log, NOW, recorded=True)
    told = {name: sum(values) for name, values in bars.parts if sum(values)}
    assert told == {"issued": 1, "failed": 1, "not tried": 2}


def test_exceptions_are_runs_that_need_an_explanation_newest_first() -> None:
    found = happenings.exceptional(runs())
    assert [one.outcome for one in found] == ["partly", "done", "blocked"]
    assert found[1].what[0] == "overridden: max_delete=10"
    held = [{"rule": "max-delete", "message": "9 of 40"}]
    (let,) = happenings.exceptional([replace(runs()[0], body=body(1, NOW, released=held))])
    assert let.what == ("let pass, max-delete: 9 of 40",)
    assert found[0].what == ("error: seal-failed",)


def test_months_go_on_over_years_and_the_oldest_are_told_as_before() -> None:
    assert months.after("2026-11", 2) == "2027-01"
    assert months.after("2026-01", -1) == "2025-12"
    assert months.shown([NOW - 60 * DAY], NOW) == ["2026-09", "2026-10", "2026-11"]
    labels = months.shown([NOW - 5 * YEAR], NOW)
    assert (labels[0], labels[1], labels[-1], len(labels)) == ("before", "2024-12", "2026-11", 25)
    assert months.label(NOW - 5 * YEAR, labels) == "before"
    assert months.shown([], NOW) == ["2026-11"]


# charts


@given(st.integers(0, 10**9))
def test_the_grid_ends_at_a_round_number_that_is_high_enough(highest: int) -> None:
    ends, step = top_of(highest)
    assert max(1, highest) <= ends <= max(4, 3 * highest)
    assert ends % step == 0
    assert 1 <= ends // step <= 4


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 5_000)), min_size=1, max_size=30))
def test_bars_stand_on_the_ground_one_on_another_and_are_as_high_as_they_say(
    numbers: list[tuple[int, int]],
) -> None:
    labels = [f"l{number}" for number in range(len(numbers))]
    bars = Bars("x", "T", "told", labels, [("a", [a for a, _ in numbers]), ("b", [b for _, b in numbers])])
    rects = re.findall(r'part-(\d)" x="([\d.]+)" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', svg(bars))
    assert len(rects) == sum(bool(one) for pair in numbers for one in pair)
    ends, _ = top_of(max(bars.totals))
    ground: dict[str, float] = {}
    values = iter(one for pair in numbers for one in pair if one)
    for _, x, y, height in rects:
        tall, top = float(height), float(y)
        assert abs(tall - 208 * next(values) / ends) <= 0.06
        assert abs(top + tall - ground.get(x, 230.0)) <= 0.2
        ground[x] = top
        assert top >= 21.9


def test_a_chart_has_a_title_and_says_what_is_to_be_seen() -> None:
    drawn = svg(Bars("x", "<T>", 'a "told" text', ["<l>"], [("<p>", [3])]))
    assert '<title id="x-title">&lt;T&gt;</title>' in drawn
    assert '<desc id="x-told">a &#34;told&#34; text</desc>' in drawn
    assert "&lt;l&gt;, &lt;p&gt;: 3" in drawn
    assert 'role="img" aria-labelledby="x-title x-told"' in drawn
