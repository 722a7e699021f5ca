"""The page of `audit report` in a real browser: nothing is fetched, nothing fails, everybody can read it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from reconciler.audit.report.page import page
from tests.audit.meeting import facts, runs
from tests.audit.test_report_page import HOSTILE, hostile

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium")
Scheme = Literal["light", "dark"]
Media = Literal["screen", "print"]
Look = tuple[Scheme, Media, int]
DESK: Look = ("light", "screen", 1440)
PHONE: Look = ("light", "screen", 375)
DARK: Look = ("dark", "screen", 1440)
PRINT: Look = ("dark", "print", 800)
FOCUSED = "[document.activeElement].map(one => one.tagName + ' ' + one.getAttribute('aria-label'))[0]"
PAGES = {"small": [DESK, PHONE, DARK], "empty": [PRINT], "hostile": [PHONE]}
"""What axe looks at, and how. It takes milliseconds for each element: no page is larger than it must be."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages that are looked at."""
    strange = replace(
        facts(len(HOSTILE), hostile),
        workspace=HOSTILE[0],
        notes=tuple(HOSTILE[:-1]),
        runs=[one for text in HOSTILE[:-1] for one in runs(text, text)],
    )
    made = {
        "usual": facts(),
        "small": facts(8),
        "empty": replace(facts(0), log=[], runs=[], overdue={}, notes=()),
        "hostile": strange,
    }
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, one in made.items():
        found[name] = folder / f"{name}.html"
        found[name].write_bytes(page(one))
    return found


@dataclass
class Seen:
    """A page that is open, and what the browser did and said."""

    page: Page
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def opened(browser: Browser, file: Path, look: Look = DESK) -> Seen:
    scheme, media, width = look
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    seen = Seen(context.new_page())
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.on("console", lambda message: seen.said.append(message.text))
    seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
    seen.page.emulate_media(media=media, color_scheme=scheme)
    seen.page.goto(file.as_uri())
    return seen


def violations(page: Page) -> list[Any]:
    """What axe finds."""
    found: list[Any] = Axe().run(page).response["violations"]
    return found


def boxes(chart: Locator, what: str) -> list[dict[str, float]]:
    """Where each of its parts is drawn, asked at once."""
    found: list[dict[str, float]] = chart.locator(what).evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().toJSON())"
    )
    return found


@pytest.mark.parametrize("name", PAGES)
def test_nothing_leaves_nothing_fails_and_nobody_is_shut_out(
    name: str, browser: Browser, files: dict[str, Path]
) -> None:
    """In light, dark and print, on a telephone and on a desk: axe finds nothing in what is unfolded."""
    for look in PAGES[name]:
        seen = opened(browser, files[name], look)
        seen.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found = violations(seen.page)
        assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found] == []
        assert seen.said == []
        assert seen.requests == [files[name].as_uri()]
        # Only what may be scrolled by itself is wider than the page.
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= look[2]
        seen.page.context.close()


def test_what_cannot_be_read_would_be_found(browser: Browser, files: dict[str, Path], tmp_path: Path) -> None:
    """The eye that finds nothing above is not blind: here are grey letters."""
    file = tmp_path / "grey.html"
    text = files["empty"].read_text()
    file.write_text(re.sub(r"<meta http-equiv.*?>", "<style>p { color: #ccc !important }</style>", text))
    seen = opened(browser, file)
    assert "color-contrast" in {one["id"] for one in violations(seen.page)}
    seen.page.context.close()


def test_charts_are_drawn(browser: Browser, files: dict[str, Path]) -> None:
    """Each bar has a width, a height and a place inside of its chart."""
    seen = opened(browser, files["usual"])
    charts = seen.page.locator("svg.chart")
    assert charts.count() == 5
    for number in range(5):
        chart = charts.nth(number)
        box = chart.bounding_box()
        assert box is not None
        assert box["width"] > 600
        bars = chart.locator("rect.part")
        assert bars.count() > 2
        for bar in boxes(chart, "rect.part"):
            assert bar["width"] > 3
            assert bar["height"] > 1
            assert box["x"] <= bar["x"]
            assert bar["x"] + bar["width"] <= box["x"] + box["width"] + 1
            assert box["y"] <= bar["y"]
            assert bar["y"] + bar["height"] <= box["y"] + box["height"]
        fill = bars.first.evaluate("one => getComputedStyle(one).fill")
        assert fill not in ("none", "rgb(0, 0, 0)")
    seen.page.context.close()


def test_labels_of_a_chart_do_not_lie_on_each_other(browser: Browser, tmp_path: Path) -> None:
    """Those above bars and at the grid; those below are turned, and start a line apart."""
    file = tmp_path / "charts.html"
    kept = re.findall("<style>.*?</style>|<svg.*?</svg>", page(facts(5_000)).decode(), re.DOTALL)
    file.write_text("<!DOCTYPE html>" + "".join(kept))
    seen = opened(browser, file)
    assert seen.page.locator("svg.chart").count() == 5
    for chart in seen.page.locator("svg.chart").all():
        turned = "text.label[transform]"
        starts = chart.locator(turned).evaluate_all("all => all.map(one => Number(one.getAttribute('x')))")
        assert all(after - before >= 14 for before, after in pairwise(starts))
        for one, other in pairwise(boxes(chart, "text.total")):
            apart = one["x"] + one["width"] <= other["x"] + 1
            assert apart or abs(one["y"] - other["y"]) >= one["height"] * 0.7
    seen.page.context.close()


def test_all_of_it_can_be_reached_with_the_keyboard_alone(browser: Browser, files: dict[str, Path]) -> None:
    seen = opened(browser, files["usual"])
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.textContent") == "To the report"
    seen.page.keyboard.press("Enter")
    assert seen.page.url.endswith("#main")
    wanted = {"SUMMARY null", "A null", "DIV Chart: Rotations by month", "DIV Owners and apis"}
    reached = set()
    for _ in range(200):
        seen.page.keyboard.press("Tab")
        reached.add(seen.page.evaluate(FOCUSED))
        if wanted <= reached:
            break
    assert wanted <= reached
    seen.page.context.close()


def test_no_script_runs_even_where_one_gets_in(
    browser: Browser, files: dict[str, Path], tmp_path: Path
) -> None:
    """The policy of the page lets no script, no style and no picture in that it did not come with."""
    text = files["usual"].read_text()
    harm = '<script>document.title="harmed"</script><img src="http://127.0.0.1:9/x"><p style="color:red"></p>'
    file = tmp_path / "harmed.html"
    file.write_text(text.replace("</main>", f"{harm}</main>"))
    seen = opened(browser, file)
    assert seen.page.title() == "Access review: acme, 2026-11-26"
    assert len(seen.said) >= 3
    colour = seen.page.locator("main > p").evaluate("one => getComputedStyle(one).color")
    assert colour != "rgb(255, 0, 0)"
    seen.page.context.close()


def test_it_prints(browser: Browser, files: dict[str, Path], tmp_path: Path) -> None:
    """On sheets of A4; what is for the screen alone is left out, and each chart is whole on its sheet."""
    seen = opened(browser, files["usual"], ("light", "print", 800))
    assert not seen.page.locator("nav").is_visible()
    pdf = seen.page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    figure = seen.page.locator("figure").first
    assert figure.evaluate("one => getComputedStyle(one).breakInside") == "avoid"
    seen.page.context.close()
