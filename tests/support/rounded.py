"""Figures that a program rounded."""

from __future__ import annotations


def ratio_range(numerator: float, denominator: float, decimals: int = 3) -> tuple[float, float]:
    """Return the least and the largest ratio of two positive figures before they were rounded.

    Programs print seconds with a few decimals. A test runs them at tiny sizes, where a whole part
    of a few thousandths is one or two units of the last decimal.
    """
    half = 0.5000001 / 10**decimals  # a hair more, for the rounding of this function
    least = max(numerator - half, 0) / (denominator + half)
    below = denominator - half
    return least, (numerator + half) / below if below > 0 else float("inf")
