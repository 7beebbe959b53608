"""Frames, sentences and files of a result."""

import numpy as np
import pandas as pd
import pytest
from backtest_cases import COLUMNS, HORIZON, panel

from timer_forecaster.evaluation import LEVELS


@pytest.fixture(scope="module")
def result(pipe):
    levels = [0.05, 0.95]
    return pipe.backtest_frame(
        panel(), HORIZON, windows=3, freq="h", levels=levels, baselines="naive", **COLUMNS
    )


def test_forecasts_are_a_long_frame(result):
    forecasts = result.forecasts
    quantiles = [f"q{level:g}" for level in (0.05, *LEVELS, 0.95)]
    assert forecasts.columns.tolist() == [
        *["shop", "target", "cutoff", "time", "step", "y", *quantiles, "model"]
    ]
    assert len(forecasts) == 3 * 2 * 3 * HORIZON
    steps = (forecasts["time"] - forecasts["cutoff"]) / pd.Timedelta(hours=1)
    assert (steps == forecasts["step"]).all()
    merged = forecasts.merge(panel(), on=["shop", "time"])
    np.testing.assert_array_equal(merged["y"], merged["sold"])


def test_tables_have_all_models(result):
    board = result.leaderboard
    assert set(board.index) == {"timer-s1-test", "seasonal_naive", "naive"}
    assert board["WQL"].is_monotonic_increasing
    assert board.loc["seasonal_naive", "relative WQL"] == 1
    assert {"coverage_90", "coverage_80", "bias"} <= set(board)
    assert result.scores["windows"].tolist() == [3, 3] * 3
    assert result.by_step["step"].tolist() == list(range(1, HORIZON + 1)) * 3
    assert len(result.by_window) == 18
    assert result.failures.empty


def test_scores_follow_from_the_forecasts(result):
    own = result.forecasts[result.forecasts["model"] == "naive"].dropna()
    bias = (own["q0.5"] - own["y"]).sum() / own["y"].abs().sum()
    assert result.leaderboard.loc["naive", "bias"] == pytest.approx(bias)
    inside = own["y"].between(own["q0.05"], own["q0.95"]).groupby(own["step"]).mean()
    by_step = result.by_step[result.by_step["model"] == "naive"]
    np.testing.assert_allclose(by_step["coverage_90"], inside)


def test_the_summary_is_a_sentence(result):
    assert result.summary.startswith("timer-s1-test does not beat Seasonal Naive on these data")
    assert "over 6 windows of 2 series" in result.summary
    assert result.notes == []


@pytest.mark.parametrize("name", ["forecasts.parquet", "forecasts.csv"])
def test_forecasts_are_saved(result, tmp_path, name):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    result.save(tmp_path / name)
    read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
    stored = read(tmp_path / name)
    assert stored.columns.tolist() == result.forecasts.columns.tolist()
    np.testing.assert_allclose(stored["q0.5"], result.forecasts["q0.5"], rtol=1e-9)
    with pytest.raises(ValueError, match=r"out\.doc"):
        result.save(tmp_path / "out.doc")


def test_an_unknown_model_is_refused(result):
    with pytest.raises(ValueError, match="model='x' took no part; there are"):
        result.points("x")
