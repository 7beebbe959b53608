"""Darts models of both families: the same verbs, whatever the network is."""

import copy
import functools
import pickle

import numpy as np
import pytest
from darts import TimeSeries
from darts.utils.likelihood_models import QuantileRegression
from darts_cases import (
    LEVELS,
    QUIET,
    UNAVOIDABLE,
    assert_close,
    assert_same_forecasts,
    elsewhere,
    make_series,
    pipeline_quantiles,
    without_chatter,
)
from ttm_channels import mixing_folder

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.checkpoints import cache
from timer_forecaster.darts import TimerS1Model, TinyTimeMixerModel

__all__ = ["elsewhere", "without_chatter"]  # fixtures

pytestmark = UNAVOIDABLE

PAIRS = [
    pytest.param((TimerS1Model, "timer-s1-test"), id="TimerS1Model"),
    pytest.param((TinyTimeMixerModel, "ttm-test"), id="TinyTimeMixerModel"),
    pytest.param((TimerS1Model, "ttm-test"), id="by-name-alone"),
]


@pytest.fixture(params=PAIRS)
def make(request):
    cls, name = request.param
    return functools.partial(cls, hub_model_name=name, pl_trainer_kwargs=dict(QUIET))


@pytest.fixture
def pipe(make):
    return ForecastPipeline.from_pretrained(make.keywords["hub_model_name"], device="cpu")


@pytest.mark.parametrize("options", [{}, {"flip": True}, {"rollout": "median"}])
@pytest.mark.parametrize("horizon", [12, 80])
def test_quantiles_are_the_pipelines(make, pipe, options, horizon):
    series = make_series(components=2)
    model = make(100, horizon, likelihood=QuantileRegression(LEVELS), **options).fit(series)
    found = model.predict(horizon, predict_likelihood_parameters=True)
    expected = pipeline_quantiles(pipe, series.values(), horizon, LEVELS, **options)
    assert_close(found.values(), expected)


def test_gaps_and_short_series(make, pipe):
    array = make_series(60).values()
    array[20:30] = np.nan
    series = make_series(60).with_values(array)
    found = make((1, 100), 12).fit(series).predict(12)
    assert_close(found.values(), pipeline_quantiles(pipe, array, 12, [0.5]))


def test_backtests_are_those_of_the_loop(make):
    series = make_series(90)
    options = {"forecast_horizon": 6, "stride": 12, "last_points_only": False}
    loop = make(40, 6).historical_forecasts(series, enable_optimization=False, **options)
    at_once = make(40, 6).historical_forecasts(series, **options)
    assert_same_forecasts(at_once, loop)


def test_files_copies_and_pickles(make, tmp_path):
    series = make_series()
    model = make(40, 8, covariates="fast").fit(series)
    model.save(str(tmp_path / "model.pt"))
    loaded = type(model).load(str(tmp_path / "model.pt"))
    for other in (loaded, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
        assert type(other) is type(model)
        assert other.model_params["covariates"] == "fast"
        assert_same_forecasts(other.predict(8), model.predict(8))


def test_future_covariates_take_part(make):
    rows = make_series(140, seed=3)
    prices = rows.with_values(np.random.default_rng(3).normal(size=(140, 1)))
    series = (make_series(100) + 20 * prices[:100]).with_columns_renamed("c0", "sales")
    model = make(100, 8, covariates="always").fit(series, future_covariates=prices)
    dearer = prices[:100].append(prices[100:] + 3)
    one, other = (model.predict(8, future_covariates=x) for x in (prices, dearer))
    assert (other - one).values().min() > 10


def test_fit_loads_nothing(make):
    release()
    make(40, 8).fit(make_series())
    assert not cache._networks


@pytest.mark.parametrize("steps", [600, (1, 600)])
def test_longer_windows_than_the_checkpoint_reads_are_refused(make, pipe, steps):
    longest = pipe.network.config.max_context_length
    with pytest.raises(ValueError, match=rf"input_chunk_length=.*600.* at most {longest} steps"):
        make(steps, 8)
    assert make(longest, 8)
    assert make(steps, 8, rollout="multiscale")


@pytest.fixture(scope="module")
def mixing_checkpoint(tmp_path_factory):
    return mixing_folder(tmp_path_factory.mktemp("mixing") / "three")


def components(n, length=70, seed=0):
    values = np.random.default_rng(seed).normal(size=(length, n)).cumsum(axis=0)
    return TimeSeries.from_values(values)


def test_components_are_one_row_of_a_checkpoint_that_mixes_channels(mixing_checkpoint):
    likelihood = {"likelihood": QuantileRegression(LEVELS)}
    where = {"local_dir": mixing_checkpoint, "pl_trainer_kwargs": dict(QUIET)}
    model = TinyTimeMixerModel(64, 10, **where, **likelihood)
    series = components(3)
    found = model.fit(series).predict(10, predict_likelihood_parameters=True).values()
    pipe = ForecastPipeline.from_pretrained(mixing_checkpoint, device="cpu")
    forecast = pipe.predict(series.values().T[:, -64:], 10)
    expected = np.stack([forecast.quantile(level) for level in LEVELS], axis=-1)  # (3, 10, N)
    np.testing.assert_allclose(found, expected.swapaxes(0, 1).reshape(10, -1), atol=1e-5)
    backtest = model.historical_forecasts(
        series,
        forecast_horizon=10,
        start=-3,
        start_format="position",
        last_points_only=False,
        retrain=False,
        predict_likelihood_parameters=True,
        overlap_end=True,
    )
    np.testing.assert_allclose(
        backtest[0].values(),
        np.stack(
            [pipe.predict(series[:-3].values().T[:, -64:], 10).quantile(level) for level in LEVELS],
            axis=-1,
        )
        .swapaxes(0, 1)
        .reshape(10, -1),
        atol=1e-5,
    )


def test_another_number_of_components_is_refused_by_both_numbers(mixing_checkpoint):
    model = TinyTimeMixerModel(
        64, 10, local_dir=mixing_checkpoint, pl_trainer_kwargs=dict(QUIET)
    ).fit(components(2))
    with pytest.raises(ValueError, match=r"series has 2 components, .* reads 3 series as one row"):
        model.predict(10)
