"""Markdown read by two parsers: GitHub's own (cmark-gfm), and markdown-it with tables and bare links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options
from hypothesis import strategies as st
from markdown_it import MarkdownIt

EVIL = (
    "@octocat",
    "@org/team",
    "#123",
    "GH-12",
    "octocat/repo#5",
    "!12",
    "&45",
    "%milestone",
    "~label",
    "$1$",
    "https://evil.example/x",
    "www.evil.example",
    "http:\\\\x",
    "mailto:a@evil.example",
    "ftp://evil.example",
    "[a](https://evil.example)",
    "![a](https://evil.example/x.png)",
    "<https://evil.example>",
    "[a][b]",
    "[b]: x",
    "<!--",
    "-->",
    "<!-- reconciler: acme -->",
    "</details>",
    "<details>",
    "<script>alert(1)</script>",
    "</code>",
    "<img src=x onerror=x>",
    "&lt;b&gt;",
    "&amp;",
    "&#64;octocat",
    "`",
    "``",
    "```",
    "`" * 90,
    "~~~",
    "|",
    "\\|",
    "\\\\|",
    "\\",
    "\\`",
    "| --- |",
    "\n",
    "\n\n",
    "\r\n",
    "\u2028",
    "\x85",
    "\x00",
    "\x1b[31m",
    "*",
    "**",
    "_x_",
    "~~x~~",
    "# x",
    "> x",
    "- x",
    "1. x",
    "1) x",
    "    x",
    "---",
    "===",
    "[ ] x",
    "/close",
    "/merge",
    ":tada:",
    "deadbeef1",
    "0123456789abcdef0123456789abcdef01234567",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\u3164",
    "\ufe0f",
    "\u00ad",
    "\ud800",
    "工厂",
    "é",
    "😀",
    " ",
    "  ",
    "a",
    "B",
    "team",
    "7",
    "(x)",
    "e.g.",
)
"""What a spec, a store or a commit may hold to be obeyed by a forge, a parser, a bot or a terminal."""

texts = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(EVIL), min_size=1, max_size=6).map("".join),
    st.lists(st.sampled_from(EVIL), min_size=1, max_size=6).map(" ".join),
)


@dataclass
class Page(HTMLParser):
    """What a reader of rendered Markdown sees: its elements in order, and the text in each."""

    tags: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    loose: str = ""
    """Text that stands outside of code: where forges look for mentions."""
    codes: list[str] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("br", "hr", "img", "input"):
            self._open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag == "code":
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, (tag, self._open)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if "code" in self._open:
            self.codes[-1] += data
        else:
            self.loose += data


def _cmark(markdown: str) -> str:
    unsafe = Options.CMARK_OPT_UNSAFE
    return str(cmarkgfm.github_flavored_markdown_to_html(markdown, unsafe))


def _markdown_it(markdown: str) -> str:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return str(parser.render(markdown))


def pages(markdown: str) -> list[Page]:
    """The Markdown as each parser renders it; elements that do not close are an error."""
    found: list[Page] = []
    for render in (_cmark, _markdown_it):
        page = Page()
        page.feed(render(markdown))
        page.close()
        assert page._open == []
        found.append(page)
    return found
