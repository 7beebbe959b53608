"""A backtest that was stopped goes on; few calls of the pipeline; failures of models."""

import numpy as np
import pytest

from timer_forecaster.backtesting import backtest, models
from timer_forecaster.evaluation import naive_forecaster
from timer_forecaster.inference import memo

SERIES = [np.random.default_rng(i).normal(size=60 + i).cumsum() for i in range(5)]


def test_all_windows_of_all_series_are_one_call(pipe, calls):
    result = backtest(pipe, SERIES, 6, windows=4)
    assert calls == [(20, 6)]
    again = backtest(pipe, SERIES, 6, windows=4, baselines="naive")
    assert calls == [(20, 6)]  # recalled
    assert again.models == ["timer-s1-test", "seasonal_naive", "naive"]
    np.testing.assert_array_equal(
        result.answers[result.model].quantiles, again.answers[again.model].quantiles
    )


@pytest.fixture
def asked(monkeypatch):
    """Names and numbers of windows of the models that compute, in small parts."""
    made = []
    monkeypatch.setattr(models, "_TOGETHER", 6)
    forecast = models.PipelineModel.forecast

    def counted(self, data, windows, rows, levels):
        if len(made) == asked_stop[0]:
            raise KeyboardInterrupt
        made.append(len(rows))
        return forecast(self, data, windows, rows, levels)

    asked_stop = [None]
    made_and_stop = (made, asked_stop)
    monkeypatch.setattr(models.PipelineModel, "forecast", counted)
    return made_and_stop


def test_a_stopped_backtest_goes_on(pipe, asked, tmp_path):
    made, stop = asked
    whole = backtest(pipe, SERIES, 6, windows=4)
    assert made == [6, 6, 6, 2]
    made.clear()
    stop[0] = 2
    with pytest.raises(KeyboardInterrupt):
        backtest(pipe, SERIES, 6, windows=4, parts=tmp_path / "parts")
    stop[0] = None
    resumed = backtest(pipe, SERIES, 6, windows=4, parts=tmp_path / "parts")
    assert made == [6, 6, 6, 2]  # two before the stop, two after it
    for name in whole.models:
        np.testing.assert_allclose(
            whole.answers[name].quantiles, resumed.answers[name].quantiles, rtol=1e-9
        )
    more = backtest(pipe, SERIES, 6, windows=4, parts=tmp_path / "parts", baselines="naive")
    assert len(made) == 4
    assert "naive" in more.models


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"series": [y + 1 for y in SERIES]}, "other data"),
        ({"windows": 3}, "other settings"),
        ({"horizon": 5}, "other settings"),
        ({"levels": [0.05]}, "other settings"),
        ({"flip": True}, "another timer-s1-test"),
        ({"known": [np.arange(len(y)) for y in SERIES]}, "other data"),
    ],
)
def test_parts_of_another_backtest_are_refused(pipe, tmp_path, changes, message):
    given = {"series": SERIES, "horizon": 6, "windows": 4, "parts": tmp_path}
    backtest(pipe, **given)
    with pytest.raises(ValueError, match=f"holds parts of another backtest, with {message}"):
        backtest(pipe, **(given | changes))


def failing(contexts, horizon):
    quantiles = naive_forecaster(contexts, horizon)
    quantiles[1::4] = np.nan
    return quantiles


def test_windows_without_a_forecast_are_left_out_of_the_scores(pipe):
    with pytest.warns(UserWarning, match="failing failed in 5 of 20 windows"):
        result = backtest(pipe, SERIES, 6, windows=4, baselines=[failing, "naive"])
    board = result.leaderboard
    assert board.loc["failing", "windows"] == 15
    kept = np.arange(20) % 4 != 1
    own, naive = result.points("failing"), result.points("naive").only_in(kept)
    zeros = np.zeros((20, 1), np.intp)
    assert own.scores(zeros, 1)["WQL"] == pytest.approx(naive.scores(zeros, 1)["WQL"])
    assert len(result.failures) == 5
    assert set(result.failures["reason"]) == {"its forecast is not finite"}
    assert result.forecasts["q0.5"].isna().sum() == 5 * 6


def test_a_function_that_raises_is_noted(pipe):
    def broken(contexts, horizon):
        raise RuntimeError("no luck")

    with pytest.warns(
        UserWarning, match="broken failed in 20 of 20 windows.*RuntimeError: no luck"
    ):
        result = backtest(pipe, SERIES, 6, windows=4, baselines=[broken])
    assert result.leaderboard.index[-1] == "broken"
    assert np.isnan(result.leaderboard.loc["broken", "WQL"])


def test_a_window_that_the_pipeline_cannot_forecast(pipe, monkeypatch):
    predict = memo.predict

    def spoiled(*arguments, **options):
        forecast = predict(*arguments, **options)
        forecast.failures[0] = "series[0] is bad"
        return forecast

    monkeypatch.setattr(memo, "predict", spoiled)
    with pytest.raises(ValueError, match=r"series\[0\], window after 35: is bad; on_error='nan'"):
        backtest(pipe, SERIES, 6, windows=4)
