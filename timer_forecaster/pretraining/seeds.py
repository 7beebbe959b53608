"""Seeds of draws."""

from __future__ import annotations

import numpy as np


def mix_seed(seed: int, purpose: int, index: int) -> int:
    """Return the seed of one draw, from the seed of the run, the purpose and its number."""
    return int(np.random.SeedSequence([seed, purpose, index]).generate_state(1, np.uint64)[0] >> 2)
