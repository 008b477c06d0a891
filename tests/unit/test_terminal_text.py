"""Text is kept as a terminal shows it, wherever its writer pauses."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbship.capture.terminal import TerminalText, collapse, shown

TEXTS = st.text(alphabet="ab \n\r\b\x1b", max_size=30)


@pytest.mark.parametrize(
    ("written", "terminal"),
    [
        ("plain\ntext", "plain\ntext"),
        ("  0%\r 50%\r100%\n", "100%\n"),
        ("long line\rshort", "shortline"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("spin |\b/\b-", "spin -"),
        ("ab\b\b\bX", "Xb"),
        ("keep\r", "keep"),
        ("keep\n\r\rmore", "keep\nmore"),
        ("\x1b[31m10%\x1b[0m\r\x1b[31m9%\x1b[0m", "\x1b[31m9%\x1b[0m"),
        ("abc\b\b", "abc"),
        ("abc\rx\ny", "xbc\ny"),
    ],
)
def test_what_is_overwritten_is_gone(written, terminal):
    assert shown(written) == terminal


@given(TEXTS, TEXTS)
def test_the_text_may_be_cut_anywhere(first, second):
    assert collapse(collapse(first) + second) == collapse(first + second)
    assert shown(collapse(first) + second) == shown(first + second)


@given(st.lists(TEXTS, max_size=6))
def test_pieces_show_what_the_whole_shows(pieces):
    text = TerminalText()
    for piece in pieces:
        text.write(piece)

    assert text.text == collapse("".join(pieces))


def test_the_cost_is_linear_in_what_is_written():
    def spent_s(count):
        began_s = time.process_time()
        bar = TerminalText()
        for step in range(count):
            bar.write(f"\r{step:>8}/{count} [{'#' * 40}]")
            bar.write("x" * 40 + "\n" if step % 2 else "")
        assert len(bar.text) < 110 * count
        return time.process_time() - began_s

    spent_s(1000)
    small, large = (min(spent_s(n) for _ in range(3)) for n in (2000, 32000))
    assert large < 16 * small * 4
