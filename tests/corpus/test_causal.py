"""Variables of a causal model depend on each other and stay bounded."""

from __future__ import annotations

import numpy as np
import torch

from timer_forecaster.corpus.causal import temporal_causal


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_variables_of_a_causal_model_depend_on_each_other() -> None:
    """Three rows share a model: they tell more of each other than rows of other models do."""
    models = 120
    x = temporal_causal(3 * models, 512, generator(), "cpu").double().numpy()
    change = np.diff(x, axis=1).reshape(3, models, -1)
    change = (change - change.mean(2, keepdims=True)) / change.std(2, keepdims=True)

    def strongest(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        lags = [
            np.abs((first[:, : change.shape[2] - k] * second[:, k:]).mean(1)) for k in range(40)
        ]
        return np.max(lags, axis=0)

    related = strongest(change[1], change[2])
    unrelated = strongest(change[1], np.roll(change[2], 1, axis=0))
    assert (related > 0.3).mean() > 2 * (unrelated > 0.3).mean()
    assert related.mean() > 1.3 * unrelated.mean()


def test_causal_models_do_not_explode() -> None:
    x = temporal_causal(300, 1024, generator(1), "cpu")
    assert x.shape == (300, 1024)
    assert x.abs().max() < 60  # each variable is brought to unit variance
    assert temporal_causal(1, 64, generator(), "cpu").shape == (1, 64)
