"""Texts that programs print, compared as a reader compares them."""

import re
from itertools import zip_longest

import pytest

_NUMBER = re.compile(r"(-?\d+(?:\.(\d+))?)([%,.:;)]*)")


def assert_alike(printed, shown, rel=0.02):
    """Check that texts have the same words, and numbers that agree.

    Other machines round other sums: the last digit of a number may differ by one, and a number by
    ``rel``. Dates, and numbers beside letters, are words.
    """
    for ours, theirs in zip_longest(printed.split(), shown.split(), fillvalue=""):
        number, expected = _NUMBER.fullmatch(ours), _NUMBER.fullmatch(theirs)
        if number is None or expected is None:
            assert ours == theirs
            continue
        assert (len(number[2] or ""), number[3]) == (len(expected[2] or ""), expected[3])
        digit = 1.01 * 10.0 ** -len(expected[2] or "")
        assert float(number[1]) == pytest.approx(float(expected[1]), rel=rel, abs=digit), shown
