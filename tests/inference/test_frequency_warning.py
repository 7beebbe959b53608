"""Forecasts of a network that reads the frequency of series, and warnings of unknown ones."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from far_forecasts import mean_of_parts
from ttm import OWN, ParityModel, save, tiny_network

from timer_forecaster import ForecastPipeline
from timer_forecaster.backtesting import backtest
from timer_forecaster.inference import memo
from timer_forecaster.inference.covariates.warning import warned_once
from timer_forecaster.inference.frequency_warning import FrequencyWarning, frequencies_for
from timer_forecaster.inference.multiscale import interleave, phases, strides
from timer_forecaster.models.ttm.frequencies import names_of

R2_FT = OWN / "r2_ft"
NAMES = ("MS", *names_of(10))


@pytest.fixture(scope="module")
def pipe():
    return ForecastPipeline.from_pretrained(R2_FT, device="cpu")


def walk(n=90, seed=0):
    return 20 + np.random.default_rng(seed).normal(size=n).cumsum()


def warned(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(one.message) for one in caught if one.category is FrequencyWarning]


@pytest.mark.filterwarnings("ignore::timer_forecaster.inference.frequency_warning.FrequencyWarning")
@pytest.mark.parametrize("key", ["case00", "case02"])  # of 90 steps, and of 50
def test_the_numbers_are_the_released_ones(key, pipe):
    parity = ParityModel(R2_FT)
    inputs = parity.golden[f"{key}.past_values"][..., 0].double().numpy()
    golden = parity.golden[f"{key}.out.prediction_outputs"][..., 0].numpy()
    freq = [NAMES[token] for token in parity.golden[f"{key}.freq_token"].tolist()]
    found = pipe.predict(inputs, golden.shape[1], freq=freq, padding="released").median
    assert np.abs(found - golden).max() <= 1e-4 * np.abs(golden).max()


def test_the_frequency_takes_part_under_any_of_its_names(pipe):
    by_hour = pipe.predict(walk(), 30, freq="h").quantiles
    for same in ("1h", "60min", "H", pd.offsets.Hour(), ["60T"]):
        np.testing.assert_array_equal(pipe.predict(walk(), 30, freq=same).quantiles, by_hour)
    others = [pipe.predict(walk(), 30, freq=freq).quantiles for freq in ("D", "W-SUN", "15T")]
    for one, other in itertools.combinations([by_hour, *others], 2):
        assert np.abs(one - other).max() > 1e-3


def test_each_series_has_its_own_frequency(pipe):
    rows, freq = [walk(), np.full(9, 3.0), walk(200, 1), walk(90, 2)], ["D", "h", "h", "D"]
    for options in ({}, {"flip": True}, {"rollout": "quantile"}):
        together = pipe.predict(rows, 45, freq=freq, **options).quantiles
        for i, row in enumerate(rows):
            alone = pipe.predict(row, 45, freq=freq[i], **options).quantiles[0]
            np.testing.assert_allclose(together[i], alone, rtol=1e-5, atol=1e-5)
    holes = [np.full(5, np.nan), *rows]
    with pytest.warns(UserWarning, match="no forecast"):
        left = pipe.predict(holes, 45, freq=["W", *freq], on_error="nan").quantiles
    np.testing.assert_allclose(left[1:], pipe.predict(rows, 45, freq=freq).quantiles, rtol=1e-5)


def test_coarser_strides_have_coarser_frequencies(pipe):
    series, horizon = walk(1_500), 60
    rolled_out = pipe.predict(series, horizon, rollout="median", freq="30min").quantiles
    parts = []
    found = strides(len(series), horizon, pipe.network.pass_length)
    for stride, freq in zip(found, ("h", "2h"), strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FrequencyWarning)  # 2h has no token
            own = {"rollout": "quantile", "freq": freq}
            split = phases(series[-stride * 90 :], stride)
            coarse = pipe.predict(split, -(-horizon // stride), **own).quantiles
        parts.append(interleave(coarse, stride, horizon))
    assert len(parts) == 2
    found = pipe.predict(series, horizon, rollout="multiscale", freq="30min").quantiles
    np.testing.assert_allclose(found, mean_of_parts(rolled_out, parts), rtol=1e-5)


def test_covariates_are_checked_at_the_frequency(pipe):
    prices = np.random.default_rng(3).normal(size=306)
    sales, known = 5 * prices[:300] + walk(300), [{"price": prices}]
    both = pipe.predict([sales, sales], 6, known=known * 2, freq=["h", "D"])
    for i, freq in enumerate(("h", "D")):
        alone = pipe.predict(sales, 6, known=known, freq=freq)
        np.testing.assert_allclose(both.quantiles[i], alone.quantiles[0], rtol=1e-4, atol=1e-4)
    assert np.abs(both.quantiles[0] - both.quantiles[1]).max() > 1e-2


def test_an_embedding_reads_it_too(pipe):
    hour, day = (pipe.embed(walk(), freq=freq) for freq in ("h", "D"))
    assert np.abs(hour - day).max() > 1e-4


def test_one_warning_of_a_call_names_the_frequencies(pipe):
    rows = [walk(seed=seed) for seed in range(5)]
    (text,) = warned(lambda: pipe.predict(rows, 5, freq=["MS", "h", "B", "MS", "3h"]))
    assert "no token for 'MS', 'B', '3h', only for min, 2min, 5min" in text
    (text,) = warned(lambda: pipe.predict(rows, 5))
    assert "the frequency of series[0] is not known; give freq" in text
    assert warned(lambda: pipe.predict(rows, 5, freq="h")) == []
    assert len(warned(lambda: pipe.predict(rows, 5, freq=["MS", None, "h", "h", "h"]))) == 2


def test_an_unknown_frequency_is_that_of_none(pipe):
    with pytest.warns(FrequencyWarning):
        unknown = pipe.predict(walk(), 30).quantiles
        np.testing.assert_array_equal(pipe.predict(walk(), 30, freq="MS").quantiles, unknown)


def test_a_network_with_a_smaller_vocabulary(tmp_path):
    network = tiny_network(resolution_prefix_tuning=True, frequency_token_vocab_size=8)
    save(network, tmp_path / "eight")
    pipe = ForecastPipeline.from_pretrained(tmp_path / "eight", device="cpu")
    (text,) = warned(lambda: pipe.predict(walk(), 12, freq="D"))
    assert "'D', only for min, 2min, 5min, 10min, 15min, 30min, h;" in text
    assert warned(lambda: pipe.predict(walk(), 12, freq="1h")) == []


def test_other_networks_make_nothing_of_it_but_refuse_nonsense():
    pipe = ForecastPipeline.from_pretrained("ttm-test", device="cpu")
    plain = pipe.predict(walk(), 12).quantiles
    assert warned(lambda: pipe.predict(walk(), 12, freq="MS")) == []
    np.testing.assert_array_equal(pipe.predict(walk(), 12, freq="h").quantiles, plain)
    assert frequencies_for(pipe.network.config, "h", 1) is None
    with pytest.raises(ValueError, match="freq='often'"):
        pipe.predict(walk(), 12, freq="often")


def test_frames_take_it_from_the_times(pipe):
    frame = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=90, freq="h"), "y": walk()})
    found = pipe.predict_frame(frame, 12, time_column="t")["q0.5"]
    np.testing.assert_allclose(found, pipe.predict(walk(), 12, freq="h").median[0])
    days = frame.assign(t=pd.date_range("2024-01-01", periods=90, freq="D"))
    both = pd.concat([frame.assign(id="hourly"), days.assign(id="daily")])
    table = pipe.predict_frame(both, 12, time_column="t", id_column="id").set_index("id")
    for name, freq in (("hourly", "h"), ("daily", "D")):
        expected = pipe.predict(walk(), 12, freq=freq).median[0]
        np.testing.assert_allclose(table.loc[name, "q0.5"], expected, rtol=1e-5)
    months = frame.assign(t=pd.date_range("2000-01-01", periods=90, freq="MS"))
    (text,) = warned(lambda: pipe.predict_frame(months, 12, time_column="t"))
    assert "'MS'" in text


def test_dates_of_a_series_tell_its_frequency(pipe):
    hours = pd.date_range("2024-01-01", periods=90, freq="h")
    plain = pd.DatetimeIndex(hours.to_numpy())  # has no freq of its own
    cut = pd.Series(walk(), hours).drop(hours[[40, 41]])  # is laid on a grid
    days = pd.period_range("2024-01-01", periods=90, freq="D")
    rows = [pd.Series(walk(), plain), cut, pd.Series(walk(), days)]
    gap = walk()
    gap[40:42] = np.nan
    expected = pipe.predict([walk(), gap, walk()], 9, freq=["h", "h", "D"]).quantiles
    assert warned(lambda: pipe.predict(rows, 9)) == []
    np.testing.assert_array_equal(pipe.predict(rows, 9).quantiles, expected)
    given = pipe.predict(rows, 9, freq=["D", None, None]).quantiles
    np.testing.assert_allclose(given[1:], expected[1:], rtol=1e-5)
    assert np.abs(given[0] - expected[0]).max() > 1e-3
    np.testing.assert_array_equal(pipe.embed(rows[0]), pipe.embed(walk(), freq="h"))
    (text,) = warned(lambda: pipe.predict([walk(), rows[0]], 9))
    assert "series[0] is not known; give freq, such as freq='h'" in text


def test_anomalies_and_backtests_read_dates_too(pipe):
    hourly = pd.Series(walk(), pd.date_range("2024-01-01", periods=90, freq="h"))
    found = [pipe.detect_anomalies(one, freq=freq) for one, freq in ((hourly, None), (walk(), "h"))]
    pd.testing.assert_frame_equal(*(one.to_frame() for one in found))
    assert warned(lambda: pipe.detect_anomalies(hourly)) == []
    results = [
        backtest(pipe, one, 6, windows=2, seasonality=24, freq=freq)
        for one, freq in ((hourly, None), (walk(), "h"))
    ]
    pd.testing.assert_frame_equal(*(one.forecasts for one in results))


def test_remembered_forecasts_are_told_apart_by_it(pipe):
    hour, day = (memo.predict(pipe, [walk()], 9, freq=freq).quantiles for freq in ("h", "D"))
    assert np.abs(hour - day).max() > 1e-4
    np.testing.assert_array_equal(memo.predict(pipe, [walk()], 9, freq=["60min"]).quantiles, hour)
    both = memo.predict(pipe, [walk(), walk(), walk()], 9, freq=["D", "h", "D"]).quantiles
    np.testing.assert_allclose(both[[1, 0, 2]], np.concatenate([hour, day, day]), rtol=1e-5)
    questions = [
        memo.Question([walk(80)], 7, frequencies=["h"]),
        memo.Question([walk(80)], 7, frequencies=["D"]),
    ]
    memo.prefetch(pipe, questions)
    for freq in ("h", "D"):
        found = memo.predict(pipe, [walk(80)], 7, freq=freq).quantiles
        expected = pipe.predict(walk(80), 7, freq=freq).quantiles
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_recalled_forecast_warns_no_more(pipe):
    ask = lambda: memo.predict(pipe, [walk(61), walk(62)], 9, freq="QE")  # noqa: E731
    assert len(warned(ask)) == 1
    assert warned(ask) == []

    def many():
        with warned_once():
            for steps in range(50, 55):
                memo.predict(pipe, [walk(steps)], 9, freq="QE")

    assert len(warned(many)) == 1


def test_random_weights_read_it_too():
    sizes = {"model_type": "tinytimemixer", "resolution_prefix_tuning": True}
    sizes |= {"frequency_token_vocab_size": 10, "context_length": 64, "patch_length": 8}
    sizes |= {"patch_stride": 8, "prediction_length": 8, "d_model": 16, "decoder_d_model": 8}
    pipe = ForecastPipeline.from_pretrained(None, config=sizes, device="cpu", dtype=torch.float64)
    hour, day = (pipe.predict(walk(), 8, freq=freq).quantiles for freq in ("h", "D"))
    assert np.abs(hour - day).max() > 1e-6
