"""Levels at which tokens are cut into finer ones."""

from __future__ import annotations


def level_factors(width: int, levels: int) -> list[int]:
    """Return the factors by which a token is cut at each level, in the order of the blocks.

    Examples
    --------
    >>> level_factors(192, 3), level_factors(12, 3)
    ([4, 2, 1], [1, 2, 1])
    """
    factors = (2**level for level in reversed(range(levels)))
    return [1 if width // factor <= 4 else factor for factor in factors]
