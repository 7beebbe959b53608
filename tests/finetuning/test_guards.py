import numpy as np
import pytest

from timer_forecaster.finetuning.guards import (
    Validation,
    has_collapsed,
    spare_experts,
    validate,
)
from timer_forecaster.finetuning.objectives.timer_s1 import make_windows, window_pass
from timer_forecaster.finetuning.trainable import load_frozen


def test_spare_experts_are_the_effective_number_beyond_those_needed():
    assert spare_experts(np.full((3, 8), 1 / 8), top_k=2) == pytest.approx(6)
    two = np.array([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    assert spare_experts(two, top_k=2) == pytest.approx(0)


def test_routers_collapse_only_if_they_chose_before():
    def seen(shares):
        return Validation(np.zeros(1), np.array([shares]))

    even, narrow = seen([0.25] * 4), seen([0.49, 0.49, 0.01, 0.01])
    assert has_collapsed(even, narrow, top_k=2)
    assert not has_collapsed(even, seen([0.4, 0.3, 0.2, 0.1]), top_k=2)
    assert not has_collapsed(narrow, narrow, top_k=2)


def test_validation_is_the_loss_of_the_pipelines_own_forecasts(pipe, waves):
    """asinh of both sides, or the sum by absolute values, as the checkpoint was trained."""
    contexts, targets = [w[:200] for w in waves], np.stack([w[200:220] for w in waves])
    targets[0, 3] = np.nan
    frozen = load_frozen(pipe.key)
    seen = validate(frozen, [make_windows(frozen, contexts, targets)])
    forecast = pipe.predict(contexts, 20)
    levels = np.array(forecast.levels)
    for i, context in enumerate(contexts):
        mean, std = context.mean(), context.std()
        target = (targets[i] - mean) / std
        # the pipeline sorts quantiles that cross, the loss takes them as they are
        ours, _ = window_pass(frozen, make_windows(frozen, contexts[i : i + 1], targets[i : i + 1]))
        quantiles = ours[0].double().numpy().T
        np.testing.assert_allclose(
            np.sort(quantiles), (forecast.quantiles[i] - mean) / std, atol=1e-5
        )
        assert frozen.config.training_loss == "wql"
        error = target[:, None] - quantiles
        rho = 2 * np.maximum(levels * error, (levels - 1) * error)
        expected = np.nansum(rho, axis=0).mean() / np.nansum(np.abs(target))
        assert seen.losses[i] == pytest.approx(expected, rel=1e-4)


def test_expert_use_is_that_of_the_pipeline(pipe, waves):
    """Filler after shorter contexts counts for nothing."""
    contexts = [w[: 100 + 16 * i] for i, w in enumerate(waves)]
    frozen = load_frozen(pipe.key)
    targets = np.ones((len(waves), frozen.pass_length))
    seen = validate(frozen, [make_windows(frozen, contexts, targets)])
    by_series = pipe.routing(contexts).shares
    n_tokens = np.array([-(-len(c) // frozen.config.input_token_len) for c in contexts])
    expected = np.average(by_series, axis=0, weights=n_tokens)
    np.testing.assert_allclose(seen.shares, expected, atol=1e-6)
