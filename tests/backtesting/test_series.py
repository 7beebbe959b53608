"""Backtests of plain series, and their scores beside those of `evaluation`."""

import numpy as np
import pandas as pd
import pytest
from ttm_channels import mixing

from timer_forecaster.backtesting import backtest
from timer_forecaster.evaluation import (
    Configuration,
    PipelineForecaster,
    evaluate,
    naive_forecaster,
    seasonal_naive_forecaster,
)


def configuration(frequency="H", season=24, horizon=12, windows=3):
    rng = np.random.default_rng(1)
    series = [
        scale * (3 + np.sin(np.arange(n) * 2 * np.pi / 24) + 0.3 * rng.normal(size=n))
        for n, scale in ((100, 1.0), (151, 50.0), (77, 0.1))
    ]
    series[1][[0, 1, 60, 140]] = np.nan
    series.append(np.full(90, 4.0))
    return Configuration(f"shop/{frequency}/short", frequency, horizon, windows, season, series)


@pytest.mark.parametrize("checkpoint", ["timer-s1-test", "ttm-test"])
def test_the_scores_are_those_of_evaluation(checkpoint):
    from timer_forecaster import ForecastPipeline

    pipe = ForecastPipeline.from_pretrained(checkpoint, device="cpu")
    data = configuration()
    result = backtest(
        pipe, data.series, data.horizon, windows=data.windows, freq="h", baselines="naive"
    )
    models = {
        checkpoint: PipelineForecaster(pipe),
        "seasonal_naive": seasonal_naive_forecaster,
        "naive": naive_forecaster,
    }
    assert result.data.seasonality == [24] * 4
    for name, forecaster in models.items():
        expected = evaluate(forecaster, data)
        own = result.leaderboard.loc[name]
        assert own["WQL"] == pytest.approx(expected["mean_weighted_sum_quantile_loss"], rel=1e-6)
        assert own["MASE"] == pytest.approx(expected["MASE[0.5]"], rel=1e-6)
        assert own["coverage_80"] == pytest.approx(expected["coverage"], abs=1e-12)
        assert own["windows"] == len(data)


@pytest.mark.parametrize(("freq", "season"), [("h", 24), ("MS", 12), ("bh", 8), ("D", 1)])
def test_dates_have_the_season_that_they_have_in_a_frame(pipe, freq, season):
    times = pd.date_range("2020-01-01 09:00", periods=90, freq=freq)
    values = np.sin(np.arange(90) * 2 * np.pi / 8) + np.random.default_rng(0).normal(size=90)
    dated = backtest(pipe, pd.Series(values, times), 6, windows=2)
    frame = pd.DataFrame({"time": times, "y": values})
    expected = pipe.backtest_frame(frame, 6, time_column="time", windows=2).leaderboard
    assert dated.data.seasonality == [season]
    pd.testing.assert_frame_equal(dated.leaderboard, expected)
    mixed = backtest(pipe, [pd.Series(values, times), values], 6, windows=2)
    assert mixed.data.seasonality == [season, 1]


def test_the_scores_of_a_series_are_those_of_evaluation_on_it_alone(pipe):
    data = configuration()
    result = backtest(pipe, data.series, data.horizon, windows=data.windows, seasonality=24)
    scores = result.scores[result.scores["model"] == "seasonal_naive"]
    for number in range(3):
        alone = Configuration("shop/H/short", "H", 12, 3, 24, [data.series[number]])
        expected = evaluate(seasonal_naive_forecaster, alone)
        own = scores.iloc[number]
        assert own["WQL"] == pytest.approx(expected["mean_weighted_sum_quantile_loss"], rel=1e-12)
        assert own["MASE"] == pytest.approx(expected["MASE[0.5]"], rel=1e-12)
    assert np.isnan(scores.iloc[3]["MASE"])  # a constant series has no seasonal error


def test_windows_of_a_dict_with_covariates_equal_predict(pipe):
    rng = np.random.default_rng(0)
    price = rng.normal(size=120)
    series = {"a": 10 + 3 * price + rng.normal(size=120), "b": 5 - 2 * price[:100]}
    known = {"a": {"price": price}, "b": {"price": price[:100]}}
    visits = {"a": rng.normal(size=(120, 1)), "b": rng.normal(size=(100, 1))}
    asked = {"cycles": (24,), "covariates": "always"}
    result = backtest(pipe, series, 10, windows=2, known=known, past=visits, **asked)
    assert result.data.labels.names == ["series['a']", "series['b']"]
    answers = iter(result.answers[result.model].quantiles)
    for key, values in series.items():
        for origin in (len(values) - 20, len(values) - 10):
            expected = pipe.predict(
                values[:origin],
                10,
                known={"price": known[key]["price"][: origin + 10]},
                past=visits[key][:origin],
                **asked,
            )
            np.testing.assert_allclose(next(answers), expected.quantiles[0], rtol=1e-6)


def test_degenerate_series(pipe):
    series = [np.full(40, np.nan), np.zeros(40), np.r_[np.full(30, np.nan), np.arange(10.0)]]
    series.append(np.r_[np.arange(30.0), np.full(10, np.nan)])
    with pytest.warns(UserWarning, match="1 series has fewer than 3 windows"):
        result = backtest(pipe, series, 4, windows=3, min_history=1, on_error="nan")
    assert list(result.left_out) == ["series[0]"]
    assert result.short == {"series[2]": 2}
    of_last = result.windows.origin[result.windows.number == 3]
    assert of_last.tolist() == [18, 22, 26]  # the newest one ends with the last value
    assert np.isfinite(result.leaderboard["WQL"]).all()
    assert np.isnan(result.scores.loc[0, "WQL"])  # zeros, forecast exactly
    with pytest.raises(ValueError, match="no series has a window"):
        backtest(pipe, np.arange(3.0), 2)
    constant = backtest(pipe, np.zeros(40), 4)
    assert constant.summary.startswith("These data do not tell whether timer-s1-test beats")
    constant.plot()


def test_infinite_values(pipe):
    series = [np.arange(40.0), np.r_[np.arange(39.0), np.inf]]
    with pytest.raises(ValueError, match=r"series\[1\] is infinite at step 39"):
        backtest(pipe, series, 4)
    with pytest.warns(UserWarning, match=r"no window: series\[1\] \(is infinite at step 39"):
        backtest(pipe, series, 4, on_error="nan")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 0}, "horizon=0 must be at least 1"),
        ({"windows": 0}, "windows=0"),
        ({"step": 0}, "step=0"),
        ({"min_history": 0}, "min_history=0"),
        ({"seasonality": 0}, "seasonality=0"),
        ({"levels": [1.5]}, "levels"),
        ({"freq": ["h", "h"]}, "freq has 2 frequencies for 1 series"),
        ({"on_error": "skip"}, "on_error"),
        ({"context_length": 0}, "context_length=0"),
        ({"known": [np.zeros((40, 1))] * 2}, "known has 2 tables for 1 series"),
    ],
)
def test_bad_arguments_are_named(pipe, options, message):
    with pytest.raises(ValueError, match=message):
        backtest(pipe, np.arange(40.0), **({"horizon": 4} | options))


def test_a_result_keeps_the_values_and_tables_of_its_own(pipe, tmp_path):
    values = np.random.default_rng(0).normal(size=100).cumsum()
    expected = backtest(pipe, values, 5, windows=3)
    board = expected.leaderboard
    result = backtest(pipe, values, 5, windows=3)
    given = values.copy()
    values[:] = 0
    pd.testing.assert_frame_equal(result.leaderboard, board)
    forecasts, handed = result.forecasts, result.leaderboard
    forecasts["y"], handed["WQL"] = -1.0, 0.0
    pd.testing.assert_frame_equal(result.leaderboard, board)
    result.save(tmp_path / "forecasts.csv")
    saved = pd.read_csv(tmp_path / "forecasts.csv")
    np.testing.assert_allclose(saved["y"][:15], given[-15:])


def test_a_baseline_reads_the_frequency_of_the_dates(pipe):
    sizes = {"decoder_mode": "common_channel", "num_input_channels": 1}
    reading = mixing(**sizes, resolution_prefix_tuning=True, frequency_token_vocab_size=8)
    hours = pd.date_range("2024-01-01", periods=120, freq="h")
    series = pd.Series(np.random.default_rng(0).normal(size=120).cumsum(), hours)
    how = {"windows": 2, "seasonality": 24, "baselines": {"other": reading}}
    found = backtest(pipe, series, 8, **how).forecasts
    expected = backtest(pipe, series.to_numpy(), 8, freq="h", **how).forecasts
    np.testing.assert_allclose(found["q0.5"], expected["q0.5"], rtol=1e-6)
