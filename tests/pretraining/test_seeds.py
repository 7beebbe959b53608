"""Seeds differ by run, purpose and number."""

import torch

from timer_forecaster.pretraining.seeds import mix_seed


def test_seeds_differ_and_stay():
    seeds = {mix_seed(seed, purpose, n) for seed in (0, 1) for purpose in (1, 2) for n in range(50)}
    assert len(seeds) == 200
    assert mix_seed(0, 1, 7) == mix_seed(0, 1, 7)
    assert all(torch.Generator().manual_seed(seed) for seed in seeds)
