"""The report of a backtest."""

import numpy as np
import pandas as pd
import pytest
from backtest_cases import COLUMNS, HORIZON, panel
from pages import page_of

from timer_forecaster.backtesting import backtest
from timer_forecaster.backtesting.page import parts_of_report


@pytest.fixture(scope="module")
def result(pipe):
    given = {"known_columns": "price", "past_columns": "visits", "covariates": "off"}
    return pipe.backtest_frame(panel(), HORIZON, windows=3, freq="h", **COLUMNS, **given)


def test_the_report_has_scores_windows_and_coverage(result, tmp_path):
    result.report(tmp_path / "r.html", reading="sales.csv", settings={"horizon": HORIZON})
    page = page_of(tmp_path / "r.html")
    heads = ["Leaderboard", "Windows", "Coverage by step", "Scores of each series"]
    assert page.texts("h2")[:4] == heads
    assert page.texts("h1") == ["Backtest of timer-s1-test"]
    assert result.summary in page.texts("p")
    assert page.texts("option")[:2] == ["a", "b"]
    board = result.leaderboard
    assert f"{board['WQL'].iloc[0]:.3f}" in page.texts("td")


def test_the_windows_are_those_of_the_result(result):
    gallery = parts_of_report(result)[1]
    fans = gallery.charts[0].fans
    assert [fan.start for fan in fans] == result.windows.origin[:3].tolist() * 2
    assert [fan.model for fan in fans[::3]] == result.models
    np.testing.assert_array_equal(fans[1].quantiles, result.answers[result.model].quantiles[1])
    assert gallery.charts[0].about.startswith("3 windows. timer-s1-test: MASE ")
    assert gallery.apart


def test_series_and_windows_are_ordered_by_their_loss(result):
    gallery = parts_of_report(result)[1]
    own = result.scores[result.scores["model"] == result.model]["MASE"].to_numpy()
    assert gallery.orders["best first"] == np.argsort(own).tolist()
    assert list(gallery.jumps) == ["Best window", "Median window", "Worst window"]
    number, window = gallery.jumps["Worst window"]
    assert window in {fan.window for fan in gallery.charts[number].fans}


def test_coverage_is_that_of_the_steps(result):
    curves = parts_of_report(result)[2].groups["timer-s1-test"]
    own = result.by_step[result.by_step["model"] == "timer-s1-test"]
    assert [curve.name for curve in curves] == ["80 %", "60 %", "40 %"]
    np.testing.assert_array_equal(curves[0].shares, own["coverage_80"])


def test_covariates_stand_beside_the_windows(pipe):
    given = {"known_columns": ["price", "fair"], "past_columns": "visits"}
    result = pipe.backtest_frame(panel(), HORIZON, windows=2, freq="h", **COLUMNS, **given)
    (chart, _) = parts_of_report(result)[1].charts
    assert list(chart.columns) == ["price", "fair", "visits"]
    assert {len(values) for values in chart.columns.values()} == {130}


def test_one_series_one_window_and_points(pipe, tmp_path):
    def last(contexts, horizon):
        return np.stack([np.full((horizon, 9), values[-1]) for values in contexts])

    result = backtest(pipe, np.sin(np.arange(60.0)), 6, windows=1, baselines={"last": last})
    parts = parts_of_report(result)
    assert [part.title for part in parts] == ["Leaderboard", "Windows", "Coverage by step"]
    assert (parts[1].orders, parts[1].jumps) == ({}, {})
    result.report(tmp_path / "r.html")


def test_only_the_best_and_the_worst_of_many_series(pipe, monkeypatch):
    from timer_forecaster.backtesting import page

    monkeypatch.setattr(page, "MOST_SERIES", 4)
    rng = np.random.default_rng(0)
    result = backtest(pipe, [rng.normal(size=40).cumsum() for _ in range(9)], 4, windows=1)
    gallery = parts_of_report(result)[1]
    assert len(gallery.charts) == 4
    assert "the 2 best and the 2 worst of 9 series" in gallery.text
    losses = result.scores[result.scores["model"] == result.model]["MASE"].to_numpy()
    kept = [int(chart.name) for chart in gallery.charts]
    assert sorted(kept) == sorted([*np.argsort(losses)[:2], *np.argsort(losses)[-2:]])


def test_overlapping_windows_are_drawn_one_at_a_time(pipe):
    result = backtest(pipe, pd.Series(np.sin(np.arange(60.0))), 6, windows=3, step=2)
    assert not parts_of_report(result)[1].apart
