"""The embedded checkpoints forecast sensibly, offline, from inside the package."""

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from forks import run_forked
from places import ROOT

from timer_forecaster import ForecastPipeline, list_checkpoints
from timer_forecaster.evaluation import seasonal_naive, weighted_quantile_loss

EXAMPLES = ROOT / "examples"
BYTES = {"timer-s1-small": 6_500_000, "timer-s1-mini": 5_000_000, "ttm-mini": 2_000_000}
"""The largest size of the trained checkpoints."""


@pytest.fixture(scope="module", params=BYTES)
def pipe(request):
    return ForecastPipeline.from_pretrained(request.param, device="cpu")


def wave(steps, seed=0):
    step = np.arange(steps)
    noise = np.random.default_rng(seed).normal(size=steps) * 0.3
    return 50 + 8 * np.sin(step * 2 * np.pi / 24) + 3 * np.cos(step * 2 * np.pi / 168) + noise


@pytest.mark.parametrize("name", BYTES)
def test_it_fits_into_the_package(name):
    folder = files("timer_forecaster.checkpoints") / name
    assert folder.joinpath("model.safetensors").stat().st_size <= BYTES[name]
    card = folder.joinpath("README.md").read_text()
    for what in ("Data", "steps", "Seed", "Recipe", "Scores", "never"):
        assert what in card
    assert "@" not in card  # a place that was not filled in


def test_every_embedded_name_loads():
    for checkpoint in list_checkpoints():
        if checkpoint.embedded:
            loaded = ForecastPipeline.from_pretrained(checkpoint.name, device="cpu")
            assert np.isfinite(loaded.predict(wave(50), 5).quantiles).all()


def test_a_first_forecast_imports_little_beside_torch():
    program = (
        "import sys, numpy, timer_forecaster as t;"
        "t.ForecastPipeline.from_pretrained({!r}).predict(numpy.arange(50.) % 7, 5);"
        "print({{'transformers', 'pandas', 'torch._dynamo'}} & set(sys.modules))"
    )
    printed = run_forked({name: program.format(name) for name in BYTES})
    assert printed == {name: ["set()"] for name in BYTES}


@pytest.mark.parametrize("horizon", [24, 168])
def test_it_learns_a_daily_cycle_from_context(pipe, horizon):
    series = wave(1000 + horizon)
    context, target = series[:1000], series[1000:]
    forecast = pipe.predict(context, horizon)
    naive = seasonal_naive(context, horizon, 24)
    error = np.abs(forecast.median[0] - target).mean()
    assert error < np.abs(naive - target).mean()
    lower, upper = forecast.interval(0.8)
    assert 0.5 < ((lower[0] <= target) & (target <= upper[0])).mean() <= 1


def test_it_beats_seasonal_naive_on_the_example(pipe):
    load = pd.read_csv(EXAMPLES / "french_load.csv")["load_mw"].to_numpy(float)
    actual = pd.read_csv(EXAMPLES / "french_load_next_week.csv")["load_mw"].to_numpy(float)
    forecast = pipe.predict(load, 168)
    naive = seasonal_naive(load, 168, 168)
    loss = weighted_quantile_loss(actual[None], forecast.quantiles)
    naive_loss = weighted_quantile_loss(actual[None], np.repeat(naive[None, :, None], 9, axis=2))
    assert loss < naive_loss


def test_missing_values_are_understood(pipe):
    series = wave(600)
    holes = series.copy()
    holes[np.random.default_rng(1).random(600) < 0.1] = np.nan
    holes[300:330] = np.nan
    full, patchy = pipe.predict([series, holes], 24).median
    assert np.abs(full - patchy).mean() < 0.1 * np.ptp(series)


def test_intervals_widen_within_and_beyond_one_pass(pipe):
    walks = np.random.default_rng(0).normal(size=(20, 400)).cumsum(axis=1)
    lower, upper = pipe.predict(walks, 400).interval(0.8)
    width = (upper - lower).mean(axis=0)
    first, second, third = (width[i : i + 128].mean() for i in (0, 128, 256))
    assert width[:10].mean() < width[118:128].mean()
    assert first < second < 1.02 * third
    _, narrow_upper = pipe.predict(walks, 400, rollout="median").interval(0.8)
    assert (upper - narrow_upper)[:, -50:].mean() > 0


def test_masked_rows_do_not_disturb_others(pipe):
    series = wave(500)
    alone = pipe.predict(series, 30).quantiles[0]
    others = [np.full(40, 3.0), wave(90, 2) * np.nan_to_num(np.nan, nan=1.0), series]
    np.testing.assert_allclose(pipe.predict(others, 30).quantiles[2], alone, atol=1e-3)


# Largest difference, and the median over series, in deviations of the series: in one pass, and
# beyond. Processors round differently; docs/guarantees.md states the usual sizes.
ALONE_OR_TOGETHER = {
    ("float64", None): ((1e-12, 1e-12), (1e-12, 1e-12)),
    ("float32", None): ((2e-5, 1e-5), (2e-4, 1e-4)),
    ("bfloat16", None): ((0.3, 0.05), (0.6, 0.1)),
    ("float32", "int8"): ((0.3, 0.05), (0.6, 0.1)),
}


@pytest.mark.parametrize(("dtype", "quantization"), ALONE_OR_TOGETHER)
def test_series_are_independent_as_far_as_guaranteed(dtype, quantization, request):
    if quantization is not None:
        request.getfixturevalue("int8_kernel")
    options = {"dtype": dtype, "quantization": quantization, "device": "cpu"}
    pipe = ForecastPipeline.from_pretrained("timer-s1-small", **options)
    random = np.random.default_rng(0)
    series = [10 + random.normal(size=n).cumsum() for n in (300, 300, 120, 500, 77, 40)]
    deviations = np.array([values.std() for values in series])[:, None, None]
    for horizon, (most, median) in zip(
        (24, 300), ALONE_OR_TOGETHER[dtype, quantization], strict=True
    ):
        together = pipe.predict(series, horizon).quantiles
        alone = np.concatenate([pipe.predict(one, horizon).quantiles for one in series])
        turned = pipe.predict(series[::-1], horizon).quantiles[::-1]
        for other in (alone, turned):
            differences = (np.abs(together - other) / deviations).max(axis=(1, 2))
            assert differences.max() < most
            assert np.median(differences) < median
