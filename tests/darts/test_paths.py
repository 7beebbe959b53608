"""Samples are joint paths, from one run of the network."""

import pickle

import numpy as np
import pytest
from darts.utils.likelihood_models import QuantileRegression
from darts_cases import (
    UNAVOIDABLE,
    assert_close,
    elsewhere,
    make,
    make_series,
    rows_of_calls,
    without_chatter,
)

from timer_forecaster import ForecastPipeline
from timer_forecaster.darts import TinyTimeMixerModel

__all__ = ["elsewhere", "rows_of_calls", "without_chatter"]  # fixtures

pytestmark = UNAVOIDABLE

LEVELS = [0.1, 0.5, 0.9]


def drawing(**options):
    return make(likelihood=QuantileRegression(LEVELS), **options)


def mixer(**options):
    return TinyTimeMixerModel(
        input_chunk_length=64,
        output_chunk_length=24,
        hub_model_name="ttm-test",
        likelihood=QuantileRegression(LEVELS),
        pl_trainer_kwargs={"enable_progress_bar": False, "logger": False},
        **options,
    )


def sums(forecast):
    return forecast.all_values().sum(axis=0)  # (components, samples)


@pytest.mark.parametrize("make_model", [drawing, mixer])
def test_sums_vary_as_those_of_joint_paths(make_model):
    series = make_series(components=2)
    model = make_model().fit(series)
    drawn = model.predict(24, num_samples=1000, random_state=0)
    name = model.model_params["hub_model_name"]
    forecast = ForecastPipeline.from_pretrained(name, device="cpu").predict(
        list(series.values()[-64:].T), 24, freq=series.freq
    )
    found = np.quantile(sums(drawn), LEVELS, axis=1).T
    expected = forecast.total(LEVELS, n_paths=4000)
    wide = np.ptp(expected, axis=1)[:, None]
    np.testing.assert_allclose(found / wide, expected / wide, atol=0.12)
    marginal = np.quantile(forecast.sample(1000, 0).sum(axis=-1), LEVELS, axis=0).T
    assert (np.ptp(found, axis=1) > 1.5 * np.ptp(marginal, axis=1)).all()
    assert abs(np.corrcoef(sums(drawn))[0, 1]) < 0.15  # components are independent


@pytest.mark.parametrize("make_model", [drawing, mixer])
def test_shares_are_exact_at_each_step(make_model):
    model = make_model(batch_size=3).fit(make_series())
    drawn = model.predict(24, num_samples=200, random_state=0).all_values()[:, 0]
    exact = model.predict(24, predict_likelihood_parameters=True).values()
    for place, level in enumerate(LEVELS):
        shares = (drawn <= exact[:, place, None]).mean(axis=1)
        assert np.abs(shares - level).max() <= 2 / 200


def test_a_series_draws_alike_alone_and_in_a_list():
    many = [make_series(seed=seed) for seed in range(3)]
    model = drawing().fit(many)
    together = model.predict(24, series=many, num_samples=50, random_state=1)
    alone = model.predict(24, series=many[2], num_samples=50, random_state=1)
    assert_close(together[2].all_values(), alone.all_values())


def test_a_shift_and_fewer_steps_than_a_chunk(rows_of_calls):
    series = make_series()
    model = drawing(output_chunk_shift=4).fit(series)
    drawn = model.predict(10, num_samples=300, random_state=0)
    assert drawn.all_values().shape == (10, 1, 300)
    assert drawn.start_time() == series.end_time() + 5 * series.freq
    exact = model.predict(10, predict_likelihood_parameters=True).values()
    shares = (drawn.all_values()[:, 0] <= exact[:, 1, None]).mean(axis=1)
    assert np.abs(shares - 0.5).max() <= 2 / 300
    assert rows_of_calls == [1]


def test_backtests_draw_paths_of_every_window(rows_of_calls):
    series = make_series(120)
    options = {"forecast_horizon": 24, "stride": 12, "last_points_only": False}
    drawn = drawing().historical_forecasts(series, num_samples=500, **options)
    assert rows_of_calls == [len(drawn)]
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    windows = [series.drop_after(one.start_time()).values()[-64:, 0] for one in drawn]
    forecast = pipe.predict(windows, 24, freq=series.freq)
    joint = np.ptp(forecast.total([0.1, 0.9]), axis=1)
    found = [np.ptp(np.quantile(sums(one)[0], [0.1, 0.9])) for one in drawn]
    np.testing.assert_allclose(found, joint, rtol=0.15)


def test_paths_go_on_beyond_a_chunk():
    drawn = drawing().fit(make_series()).predict(40, num_samples=150, random_state=0)
    values = drawn.all_values()[:, 0]
    assert np.corrcoef(values[10], values[11])[0, 1] > 0.4
    assert np.corrcoef(values[30], values[31])[0, 1] > 0.4


def test_a_single_sample_is_that_of_darts():
    model = drawing().fit(make_series())
    drawn = np.array([model.predict(24, random_state=seed).values()[:, 0] for seed in range(60)])
    exact = model.predict(24, predict_likelihood_parameters=True).values()
    assert (drawn >= exact[:, 0] - 1e-6).all() and (drawn <= exact[:, 2] + 1e-6).all()


def test_a_model_without_likelihood_gives_its_median_still():
    model = make().fit(make_series())
    assert model.predict(24).n_samples == 1
    with pytest.raises(ValueError, match="probabilistic"):
        model.predict(24, num_samples=5)


def test_windows_without_values_have_no_paths():
    series = make_series(components=2)
    values = series.all_values().copy()
    values[:, 0] = np.nan
    drawn = drawing().fit(series).predict(24, series.with_values(values), num_samples=20)
    assert np.isnan(drawn.all_values()[:, 0]).all()
    assert np.isfinite(drawn.all_values()[:, 1]).all()


@pytest.mark.parametrize("make_model", [drawing, mixer])
def test_bounded_samples_are_never_negative(make_model):
    counts = np.random.default_rng(0).poisson(0.6, size=(100, 1)).astype(float)
    series = make_series().slice_n_points_after(make_series().start_time(), 100)
    series = series.with_values(counts)
    drawn = {}
    for choice in (False, True):
        model = make_model(nonnegative=choice).fit(series)
        drawn[choice] = model.predict(24, num_samples=200, random_state=0).all_values().min()
        assert pickle.loads(pickle.dumps(model)).model_params["nonnegative"] is choice  # noqa: S301
    assert drawn[False] < 0 <= drawn[True]
    model = make_model(nonnegative=True).fit(series)
    with pytest.raises(ValueError, match="window 0 has negative values"):
        model.predict(24, series - 3.0)
    with pytest.raises(TypeError, match="nonnegative='yes' must be 'auto', True or False"):
        make_model(nonnegative="yes")


def test_a_model_of_version_0_2_is_bounded_by_its_history():
    model = drawing().fit(make_series())
    del model.model_params["nonnegative"]
    old = pickle.loads(pickle.dumps(model))  # noqa: S301
    assert old.model.options.nonnegative == "auto"
