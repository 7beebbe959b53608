"""A roll-out keeps what it has computed and gets the numbers of one that computes all anew."""

import functools

import numpy as np
import pytest
import torch

from timer_forecaster import Forecast, ForecastPipeline
from timer_forecaster.inference.engine.timer_s1 import forecast_rows
from timer_forecaster.models.timer_s1.patches import patchify

LEVELS = np.arange(1, 10) / 10
PASS = 32  # steps of one pass of the test network
LONGEST, GROWN = 512, 640  # steps of its longest context, and how far one grows in a roll-out
LENGTHS = [5, 100, 300, 480, 500, 512, 640]
FIRST_CUT = 160  # the longest horizon of a row of 512 steps that is not cut back


@pytest.fixture(scope="module")
def pipe():
    return ForecastPipeline.from_pretrained("timer-s1-test", device="cpu", dtype="float64")


def walk(steps, seed=0):
    return np.random.default_rng(seed).normal(size=steps).cumsum()


def run(network, contexts):
    """One pass over whole contexts of one length, (n, steps): quantiles (n, levels, steps)."""
    patches = patchify(torch.tensor(np.array(contexts)), None, 16)
    return network.forecast_pass(patches, PASS // 16).numpy()


def quantiles_at(quantiles, at):
    forecast = Forecast(np.sort(quantiles, axis=1).swapaxes(1, 2), LEVELS)
    return np.stack([forecast.quantile(level) for level in at], axis=1)


def mix(quantiles):
    """Quantiles of the mixture of forecasts (paths, levels, steps), each as 36 equal parts."""
    parts = quantiles_at(quantiles, (np.arange(36) + 0.5) / 36)
    pooled = np.sort(parts.reshape(-1, parts.shape[-1]), axis=0)
    middles = (np.arange(len(pooled)) + 0.5) / len(pooled)
    return np.stack([np.interp(LEVELS, middles, step) for step in pooled.T], axis=1)


def computed_anew(network, series, horizon, rollout, longest=LONGEST, grown=GROWN):
    """Quantiles (horizon, levels) of one row, every pass over the whole of every path."""
    series = series[-longest:]
    location, scale = series.mean(), series.std()
    padding = -len(series) % 16
    n_paths = 9 if rollout == "quantile" else 1
    forecast = run(network, [(series - location) / scale])[0]
    pieces, contexts = [forecast], [(series - location) / scale] * n_paths
    while PASS * len(pieces) < horizon:
        paths = quantiles_at(forecast[None], (np.arange(n_paths) + 0.5) / n_paths)[0]
        if rollout == "median":
            paths = np.median(forecast, axis=0, keepdims=True)
        contexts = [np.concatenate(pair) for pair in zip(contexts, paths, strict=True)]
        if len(contexts[0]) + padding > grown:
            kept = longest // 16 * 16
            contexts, padding = [context[-kept:] for context in contexts], 0
        forecasts = run(network, contexts)
        forecast = forecasts[0] if rollout == "median" else mix(forecasts)
        pieces.append(forecast)
    quantiles = np.sort(np.concatenate(pieces, axis=1), axis=0)[:, :horizon]
    return quantiles.T * scale + location


def assert_near(actual, expected, series, tolerance=1e-10):
    assert np.abs(actual - expected).max() <= tolerance * np.ptp(series)


# The last horizons cut contexts back several times; with the last one no path shares any context.
HORIZONS = [PASS + 1, 100, FIRST_CUT, FIRST_CUT + 1, 333, 650]


@pytest.fixture(scope="module")
def anew(pipe):
    """Quantiles of one of the rows over the longest horizon, which begins as all others do."""

    @functools.cache
    def anew(rollout, number):
        row = walk(LENGTHS[number], number)
        return computed_anew(pipe.network, row, HORIZONS[-1], rollout)

    return anew


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("rollout", ["median", "quantile"])
def test_ragged_rows_are_rolled_out_as_if_computed_anew(pipe, anew, rollout, horizon):
    rows = [walk(steps, seed) for seed, steps in enumerate(LENGTHS)]
    forecast = pipe.predict(rows, horizon, rollout=rollout).quantiles
    for number, (row, actual) in enumerate(zip(rows, forecast, strict=True)):
        assert_near(actual, anew(rollout, number)[:horizon], row)


@pytest.mark.parametrize("longest", [24, 40, 100])
@pytest.mark.parametrize("rollout", ["median", "quantile"])
def test_contexts_hardly_longer_than_a_pass(pipe, monkeypatch, rollout, longest):
    monkeypatch.setattr(pipe.network.config, "max_context_length", longest)
    grown = (longest + longest // 4) // 16 * 16
    for steps in (10, 200):
        series = walk(steps)
        expected = computed_anew(pipe.network, series, 150, rollout, longest, grown)
        assert_near(pipe.predict(series, 150, rollout=rollout).quantiles[0], expected, series)


@pytest.mark.parametrize("rollout", ["median", "quantile"])
def test_rows_that_are_cut_back_do_not_depend_on_the_others(pipe, rollout):
    rows = [walk(steps, seed) for seed, steps in enumerate(LENGTHS)]
    together = pipe.predict(rows, 333, rollout=rollout).quantiles
    in_pairs = pipe.predict(rows, 333, rollout=rollout, batch_size=2).quantiles
    for number, row in enumerate(rows):
        alone = pipe.predict(row, 333, rollout=rollout).quantiles[0]
        assert_near(together[number], alone, row)
        assert_near(in_pairs[number], alone, row)


@pytest.mark.parametrize(("rollout", "n_paths"), [("median", 1), ("quantile", 9)])
def test_paths_share_their_context_and_no_token_is_computed_twice(pipe, rollout, n_paths):
    entered = []
    hook = pipe.network.model.embed_layer.register_forward_hook(
        lambda _module, inputs, _output: entered.append(tuple(inputs[0].shape[:2]))
    )
    try:
        series = np.stack([walk(160, seed) for seed in range(3)])
        pipe.predict(series, 4 * PASS, rollout=rollout)
        assert entered == [(3, 10)] + [(3 * n_paths, 2)] * 3
        entered.clear()
        # Cut back before the last pass: what the paths still share enters once for each row.
        pipe.predict(walk(LONGEST), FIRST_CUT + 1, rollout=rollout)
    finally:
        hook.remove()
    anew = [(1, 32)] if n_paths == 1 else [(1, 22), (9, 10)]
    assert entered == [(1, 32)] + [(n_paths, 2)] * 4 + anew


@pytest.mark.parametrize("rollout", ["median", "quantile"])
def test_bfloat16_stays_near(rollout):
    half = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu", dtype="bfloat16")
    single = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu", dtype="float32")
    series = np.sin(np.arange(300) / 7) + np.arange(300) / 200
    expected = single.predict(series, 3 * PASS, rollout=rollout).quantiles
    actual = half.predict(series, 3 * PASS, rollout=rollout).quantiles
    assert_near(actual, expected, expected, 0.05)


@pytest.mark.parametrize(("rollout", "n_rows"), [("median", 150), ("quantile", 17)])
def test_a_context_that_is_cut_back_takes_no_smaller_batches_for_a_longer_horizon(
    pipe, rollout, n_rows
):
    batches = []
    rows = [(row - row.mean()) / row.std() for row in (walk(LONGEST, n) for n in range(n_rows))]
    forecast_rows(pipe.network, rows, 1500, rollout, None, batches.append)
    assert batches == [n_rows]


def test_mixing_in_chunks_changes_nothing(pipe, monkeypatch):
    rows = [walk(40, seed) for seed in range(7)]
    expected = pipe.predict(rows, 80).quantiles
    monkeypatch.setattr("timer_forecaster.inference.engine.paths._MIXED_AT_ONCE", 1)
    np.testing.assert_allclose(pipe.predict(rows, 80).quantiles, expected, atol=1e-5)
