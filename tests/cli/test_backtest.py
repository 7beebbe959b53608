"""The command `backtest`."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.backtesting.models import PipelineModel

WORDS = ["--checkpoint", "timer-s1-test", "--horizon", 7, "--windows", 3, "--quiet"]


@pytest.fixture
def sales(tmp_path):
    """A file of two shops, in the folder of the test."""
    days = pd.date_range("2024-01-01", periods=60)
    rng = np.random.default_rng(0)
    parts = [
        pd.DataFrame(
            {
                "shop": name,
                "day": days[:steps],
                "sold": 10 + np.arange(steps) % 7 + rng.normal(size=steps).round(3),
                "price": rng.normal(size=steps).round(3),
            }
        )
        for name, steps in {"east": 60, "west": 30}.items()
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame.to_csv(tmp_path / "sales.csv", index=False)
    return frame


COLUMNS = ["--time-column", "day", "--id-column", "shop", "--target", "sold"]


def test_the_leaderboard_and_the_sentence_are_printed(run, sales):
    code, out, err = run("backtest", "sales.csv", *COLUMNS, *WORDS, "--against", "naive")
    assert code == 0
    header, *rows = out.splitlines()
    assert header.split() == "WQL MASE coverage_80 bias relative WQL relative MASE windows".split()
    assert {row.split()[0] for row in rows[:3]} == {"timer-s1-test", "seasonal_naive", "naive"}
    assert rows[4].startswith("timer-s1-test beats Seasonal Naive on these data: over 6 windows")
    assert rows[-1].startswith("Forecast 6 windows by 3 models in ")
    assert err == ""


def test_the_forecasts_are_those_of_the_pipeline(run, sales):
    pytest.importorskip("pyarrow")
    code, out, _ = run("backtest", "sales.csv", *COLUMNS, *WORDS, "--output", "out.parquet")
    assert code == 0 and out.endswith("-> out.parquet\n")
    found = pd.read_parquet("out.parquet")
    pipe = ForecastPipeline.from_pretrained("timer-s1-test")
    names = {"time_column": "day", "id_column": "shop", "target_columns": "sold"}
    expected = pipe.backtest_frame(sales, 7, windows=3, **names).forecasts
    assert found.columns.tolist() == expected.columns.tolist()
    np.testing.assert_allclose(found["q0.9"], expected["q0.9"])
    assert found["cutoff"].tolist() == expected["cutoff"].tolist()


def test_a_folder_gets_scores_too(run, sales, tmp_path):
    pytest.importorskip("matplotlib")
    given = ["--output", "results", "--plot", "windows.png", "--step", 3, "--seasonality", 7]
    code, out, _ = run("backtest", "sales.csv", *COLUMNS, *WORDS, *given)
    assert code == 0 and out.endswith("-> results, windows.png\n")
    names = sorted(path.name for path in (tmp_path / "results").iterdir())
    assert names[0] == "by_step.csv" and names[-2:] == ["leaderboard.csv", "scores.csv"]
    assert names[1].startswith("forecasts.")
    assert len(names) == 4
    assert len(pd.read_csv("results/scores.csv")) == 4


def test_covariates_take_part(run, sales):
    words = ["backtest", "sales.csv", *COLUMNS, *WORDS, "--output"]
    given = ["--known", "price", "--covariates", "always"]
    assert run(*words, "without.csv")[0] == 0
    assert run(*words, "with.csv", *given)[0] == 0
    one, other = pd.read_csv("without.csv"), pd.read_csv("with.csv")
    assert not np.allclose(one["q0.5"], other["q0.5"])


def test_the_table_may_go_to_the_standard_output(run, sales):
    code, out, err = run("backtest", "sales.csv", *COLUMNS, *WORDS, "--output", "-")
    assert code == 0
    assert out.startswith("shop,target,cutoff,day,step,y,q0.1")
    assert len(out.splitlines()) == 1 + 2 * 6 * 7
    assert "on these data" in err


def test_a_killed_run_goes_on(run, sales, monkeypatch, tmp_path):
    from timer_forecaster.backtesting import models

    monkeypatch.setattr(models, "_TOGETHER", 2)
    forecast, asked = PipelineModel.forecast, []

    def stops(self, *arguments):
        if len(asked) == 2:
            raise KeyboardInterrupt
        asked.append(1)
        return forecast(self, *arguments)

    words = ["backtest", "sales.csv", *COLUMNS, *WORDS, "--output", "out.csv"]
    monkeypatch.setattr(PipelineModel, "forecast", stops)
    assert run(*words)[0] == 130
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == ["out.csv.parts"]
    code, _, err = run(*words, "--flip")
    assert code == 2
    assert "holds parts of another backtest, with another timer-s1-test" in err
    asked[:] = [1]  # one more is left, and the third would stop it again
    code, *_ = run(*words)
    assert code == 0
    assert len(asked) == 2
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == ["out.csv"]


def test_short_series_are_named(run, sales):
    code, _, err = run("backtest", "sales.csv", *COLUMNS, *WORDS[:4], "--windows", 5, "--quiet")
    assert code == 0
    assert "note: 1 series has fewer than 5 windows: shop 'west' (3)" in err
    code, _, err = run("backtest", "sales.csv", *COLUMNS, *WORDS[:2], "--horizon", 20, "--quiet")
    assert code == 3
    assert "note: 1 series has no window: shop 'west' (its 30 steps do not hold" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--windows", "0"], "windows=0 must be at least 1"),
        (["--horizon", "50"], "no series has a window"),
        (["--output", "out.doc"], "cannot write out.doc"),
        (["--output", "sales.csv"], "is the input sales.csv"),
        (["--plot", "p.doc"], "cannot draw p.doc"),
        (["--against", "naive,naive"], "--against: two models are named 'naive'"),
        (["--known", "rain"], "there is no column 'rain'"),
    ],
)
def test_what_cannot_be_is_refused(run, sales, words, message):
    code, out, err = run("backtest", "sales.csv", *COLUMNS, *WORDS, *words)
    assert (code, out) == (2, "")
    assert message in err


def test_forecasters_of_sktime(run, sales):
    pytest.importorskip("sktime")
    code, out, _ = run("backtest", "sales.csv", *COLUMNS, *WORDS, "--against", "NaiveForecaster")
    assert code == 0
    assert "NaiveForecaster" in out
