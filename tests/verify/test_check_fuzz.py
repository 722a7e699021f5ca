"""No text makes the check raise, work without bound, or accept what nobody signed."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kinds.checking import Reason
from reconciler.verify.reading import LONGEST
from tests.verify.attacks import b64
from tests.verify.kit import NOW, Owned
from tests.verify.near import CALL, claims_of, desk, good, header_of, judged, named, near_tokens, pool, work

RUNS = 20_000
MOST_WORK = 5_000
"""Instructions of Python that a check of a short text may take."""
ANY_TEXT = st.one_of(
    st.text(),
    st.text(alphabet='AZaz09-_.={}[]", \n\0é\ud800', max_size=300),
    st.binary(max_size=400).map(lambda data: data.decode("latin-1")),
    st.lists(st.binary(max_size=100).map(b64), max_size=6).map(".".join),
    st.text(max_size=60).map(lambda text: "rcn_" + text),
)


@settings(max_examples=600, deadline=None)
@given(ANY_TEXT)
def test_of_texts_of_any_sort_none_is_accepted_and_none_raises(text: str) -> None:
    """At a desk that knows a token of each kind: as a bearer, as a sign-in, and as the name of one."""
    verdicts = [desk().check(text), desk().check(text, **CALL), desk().sign_in(text, good(pool()[0]))]
    verdicts += [desk().sign_in(named(of).live.name, text) for of in pool() if of.live.kind == "TokenAuth"]
    assert {verdict.active for verdict in verdicts} == {False}
    assert {verdict.token for verdict in verdicts} == {None}


@settings(max_examples=300, deadline=None)
@given(near_tokens())
def test_near_tokens_take_work_that_is_bounded_by_their_length(case: tuple[Owned, str]) -> None:
    of, text = case
    judged(of, text)
    assert work(partial(judged, of, text)) < MOST_WORK + 10 * len(text)


CLAIMS = {
    "numbers": (b'{"a":[0', b",1", b"]}"),
    "fractions": (b'{"a":[0', b",0.1", b"]}"),
    "a long number": (b'{"a":', b"9", b"}"),
    "deep lists": (b'{"a":', b"[", b"]"),
    "names": (b'{"":0', b',"a":0', b"}"),
    "escapes": (b'{"a":"', b"\\u00e9", b'"}'),
    "halves": (b'{"a":"', b"\\ud800", b'"}'),
    "blanks": (b'{"a":', b" ", b"1}"),
    "backslashes": (b'{"a":"', b"\\\\", b'"}'),
}
TEXTS = {
    "dots": ("", ".", ""),
    "letters": ("", "A", ""),
    "padding": ("AAAA.", "A", "="),
    "braces": ("", "{", ""),
    "blanks and a brace": ("", " ", "{"),
    "dashes": ("A.", "-", ".A."),
    "a secret id": ("rcn_", "0", ""),
}


def filled(shape: str, size: int) -> str:
    """A text of about a size, of a shape that would cost a careless reader most."""
    if shape in TEXTS:
        start, middle, end = TEXTS[shape]
        return start + middle * (size - len(start) - len(end)) + end
    opening, piece, close = CLAIMS[shape]
    header = b64(b'{"alg":"EdDSA"}')
    room = (size - len(header) - 6) * 3 // 4 - len(opening) - len(close)
    return f"{header}.{b64(opening + piece * (room // len(piece)) + close)}.AAAA"


@pytest.mark.parametrize("shape", [*CLAIMS, *TEXTS])
def test_a_text_a_hundred_times_as_long_takes_at_most_a_hundred_times_the_work(shape: str) -> None:
    """And never more than ten instructions a character: there is nothing that it could multiply by."""
    short, long = filled(shape, 80), filled(shape, LONGEST)
    assert 90 < len(long) / len(short) < 120
    spent = [work(partial(desk().check, text)) for text in (short, long)]
    assert spent[1] <= 110 * spent[0]
    assert spent[1] < MOST_WORK + 10 * len(long)


def test_beyond_the_longest_token_no_text_costs_more() -> None:
    short, long = "A" * (LONGEST + 1), "A" * 5_000_000
    assert work(lambda: desk().check(short)) == work(lambda: desk().check(long)) < 400


def test_the_work_of_a_good_token_is_counted_alike_each_time() -> None:
    """So that the bounds above are about the texts and not about the machine."""
    for of in pool():
        text = good(of)
        judged(of, text)
        first, second = (work(partial(judged, of, text)) for _ in range(2))
        assert 100 < first == second < MOST_WORK


ON_LINUX = sys.platform == "linux" and platform.machine() == "x86_64"
by_coverage = pytest.mark.skipif(not ON_LINUX, reason="atheris has wheels for Linux on x86-64 only")


def fuzzed(folder: Path, *how: str) -> subprocess.CompletedProcess[str]:
    """One run of the fuzzer, always the same but for the keys."""
    limits = [f"-runs={RUNS}", "-seed=1", f"-max_len={LONGEST}", "-len_control=0", "-timeout=10"]
    return subprocess.run(
        [sys.executable, *how, str(folder), *limits, f"-artifact_prefix={folder}/"],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@by_coverage
def test_guided_by_coverage_no_input_is_found_that_breaks_the_check(tmp_path: Path) -> None:
    """atheris, from right tokens and right claims: see `fuzzing.py` for what breaks it."""
    done = fuzzed(tmp_path, "-m", "tests.verify.fuzzing")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert f"Done {RUNS} runs" in done.stderr
    assert len(list((tmp_path / "corpus").iterdir())) > 40


BROKEN = """
import sys
from reconciler.verify import signatures
REAL = signatures.refused
signatures.refused = lambda *given: None if REAL(*given) is signatures.Reason.SIGNATURE else REAL(*given)
from tests.verify import fuzzing
fuzzing.main()
"""


@by_coverage
def test_a_check_that_lets_wrong_signatures_pass_does_not_come_through_the_fuzzer(tmp_path: Path) -> None:
    """So the run above can fail."""
    done = fuzzed(tmp_path, "-c", BROKEN)
    assert done.returncode != 0
    assert "InvalidSignatureError" in done.stdout + done.stderr


def test_the_seeds_of_the_fuzzer_are_right() -> None:
    for of in pool():
        assert judged(of, good(of)).reason is Reason.ACCEPTED
        assert json.dumps({**header_of(of), **claims_of(of)})
        assert claims_of(of)["exp"] > NOW
