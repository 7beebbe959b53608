"""Generators of series: by a seed and by the values of a series, not by its neighbors or place.

A series so has the same paths alone and in a panel, at any place of it. Equal series are told apart
by their order: the first of them draws as it does alone, the next one draws anew. So all series of
a panel are independent of each other, also two that have sold the same so far.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np


def generator_of(random_state: Any) -> np.random.Generator:
    """Return the generator of a ``random_state``; a generator stands for itself.

    Raises
    ------
    TypeError, ValueError
        If no generator can be made of ``random_state``.

    Examples
    --------
    >>> generator_of(0).random() == generator_of(0).random()
    True
    """
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"random_state={random_state!r} must be None, an integer of at least 0 or a numpy "
            f"Generator ({error})"
        ) from None


def generators(random_state: Any, keys: Sequence[int]) -> Iterator[np.random.Generator]:
    """Yield a generator for each series.

    Parameters
    ----------
    random_state : int, numpy Generator or None
        Seed; a generator, which moves on by the same amount for any number of series; or None for
        other draws each time.
    keys : sequence of int
        Equal for equal series, see `timer_forecaster.inference.series.key_of`.

    Raises
    ------
    TypeError, ValueError
        As `generator_of`.

    Examples
    --------
    >>> alone, = generators(0, [7])
    >>> _, beside = generators(0, [5, 7])
    >>> bool(alone.uniform() == beside.uniform())
    True
    """
    entropy = generator_of(random_state).integers(2**32, size=4, dtype=np.uint32).tolist()
    return _children(entropy, keys)


def _children(entropy: Sequence[int], keys: Sequence[int]) -> Iterator[np.random.Generator]:
    seen: Counter[int] = Counter()
    for key in keys:
        own = (*divmod(key, 2**32), seen[key])
        seen[key] += 1
        yield np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=own))
