import logging
import re
import runpy
import tempfile

import numpy as np
import pandas as pd
import pytest
from places import ROOT

EXAMPLES = ROOT / "examples"


@pytest.fixture
def written(tmp_path):
    """Return the file of this name in the temporary folder of the program."""

    def written(name):
        (path,) = (tmp_path / "temporary").glob(f"*/{name}")
        return path

    return written


def contents_of_examples():
    return {path: path.stat().st_mtime_ns for path in EXAMPLES.rglob("*")}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a program, and return what it printed. It leaves files in its temporary folder alone.

    It runs in this process: a new one would load torch and the frameworks again.
    """
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    temporary, here = tmp_path / "temporary", tmp_path / "here"
    temporary.mkdir()
    here.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.chdir(here)

    def run(program):
        before = contents_of_examples()
        runpy.run_path(str(EXAMPLES / program), run_name="__main__")
        assert not list(here.iterdir())
        assert contents_of_examples() == before
        printed = capsys.readouterr().out
        assert str(temporary) in printed
        return printed

    yield run
    pyplot.close("all")
    logging.captureWarnings(False)
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    "program, framework, picture",
    [
        ("quickstart.py", "matplotlib", "french_load_forecast.png"),
        ("sktime_quickstart.py", "sktime", "french_load_sktime.png"),
        ("darts_quickstart.py", "darts", "french_load_darts.png"),
    ],
)
def test_example_runs_and_draws(program, framework, picture, run, written):
    pytest.importorskip(framework)
    assert "2018-10-15" in run(program)
    assert written(picture).stat().st_size > 10_000


def test_own_models_stand_in_one_table(run, written):
    for package in ("sktime", "darts", "pyarrow", "matplotlib"):
        pytest.importorskip(package)
    printed = run("own_model_in_the_table.py")
    results = pd.read_csv(written("my_results.csv")).set_index("model")
    crps = results["eval_metrics/mean_weighted_sum_quantile_loss"]
    assert set(crps.index) == {"timer-s1-small", "Theta (sktime)", "ETS (Darts)", "seasonal_naive"}
    assert crps.between(0.005, 0.2).all()
    assert all(f"| {model} " in printed for model in crps.index)
    assert written("my_results.png").stat().st_size > 10_000


def test_a_grid_search_over_windows_finds_the_longest_context(run, written):
    for package in ("sklearn", "matplotlib"):
        pytest.importorskip(package)
    table, *errors = run("sklearn_grid_search.py").split("\nTimerS1Regressor: ")
    lines = table.splitlines()
    assert lines[1].split()[:2] == ["TimerS1Regressor", "context_length=504"]
    maes = [float(line.split()[2]) for line in lines[1:]]
    assert len(maes) == 8
    assert maes == sorted(maes)
    assert errors[0].count("MW in the week of 2018-10-15") == 3
    assert written("french_load_sklearn.png").stat().st_size > 10_000


def test_covariates_lower_the_errors_of_bike_rentals(run, written):
    for package in ("sklearn", "lightgbm", "matplotlib"):
        pytest.importorskip(package)
    printed = run("covariates.py")
    scores = printed_table(printed, n_columns=3)
    alone, beside = "Timer-S1, rentals alone", "Timer-S1, with covariates"
    assert scores.index.tolist() == [alone, beside, "LightGBM", "ridge regression"]
    maes, losses, inside = (scores[column] for column in scores)
    assert maes[beside] < 0.95 * maes[alone]
    assert losses[beside] < 0.95 * losses[alone]
    assert losses[beside] < losses["ridge regression"]
    assert 0.72 < inside[beside] < 0.9
    assert re.search(r"saved in the check: [1-9]\d*% of the quantile loss", printed)
    assert written("bike_sharing_covariates.png").stat().st_size > 10_000


@pytest.mark.slow
def test_model_selection_ranks_models_and_shows_the_best(run, written):
    for package in ("sktime", "statsmodels", "matplotlib"):
        pytest.importorskip(package)
    errors = printed_table(run("sktime_model_selection.py"), n_columns=2)
    classical = {"naive", "seasonal naive", "ETS", "theta", "mean of ETS and timer"}
    assert set(errors.index) == classical | {f"timer, context {n}" for n in (120, "all")}
    searched, unseen = errors[0], errors[1]
    assert searched.is_monotonic_increasing
    assert errors.drop("naive").stack().between(0.5, 2).all()
    assert searched["timer, context all"] < searched["seasonal naive"] < searched["naive"]
    assert unseen["timer, context all"] < unseen["seasonal naive"] < unseen["naive"]
    assert written("retail_model_selection.png").stat().st_size > 10_000


@pytest.mark.slow
def test_reconciled_forecasts_add_up_and_keep_their_accuracy(run, written):
    for package in ("sktime", "matplotlib"):
        pytest.importorskip(package)
    results = printed_table(run("sktime_reconciliation.py"), n_columns=4)
    assert results.index.tolist() == ["each by itself", "bottom-up", "top-down", "OLS", "WLS"]
    errors, gap = results.drop(columns=3), results[3]
    assert gap["each by itself"] > 1  # million AUD, of some 20,000
    assert gap.drop("each by itself").eq(0).all()
    assert errors.stack().between(0.5, 1.5).all()
    assert errors.div(errors.loc["each by itself"]).stack().between(0.8, 1.2).all()
    # each of these leaves a level as it is
    assert errors[2]["bottom-up"] == errors[2]["each by itself"]
    assert errors[0]["top-down"] == errors[0]["each by itself"]
    assert written("retail_reconciliation.png").stat().st_size > 10_000


def printed_table(text, n_columns):
    """Rows of numbers by their names, which may have blanks."""
    rows = [line.rsplit(maxsplit=n_columns) for line in text.splitlines()]
    numbers = {
        row[0]: [float(value) for value in row[1:]]
        for row in rows
        if len(row) == n_columns + 1 and re.fullmatch(r"-?\d+\.\d+", row[-1])
    }
    return pd.DataFrame.from_dict(numbers, orient="index")


@pytest.mark.slow
def test_a_backtest_beside_models_of_darts(run, written):
    for package in ("darts", "lightgbm", "matplotlib"):
        pytest.importorskip(package)
    *lines, _ = run("darts_backtest.py").splitlines()[1:]  # the last one names the picture
    scores = {name: [float(score) for score in row] for name, *row in map(str.split, lines)}
    assert set(scores) == {"ExponentialSmoothing", "Theta", "LightGBM", "Timer-S1"}
    load, retail, gasoline, _ = scores["Timer-S1"]
    assert 0.4 < load < 0.9
    assert 1 < retail < 1.3
    assert 1.5 < gasoline < 2.1
    assert written("darts_backtest.png").stat().st_size > 10_000


@pytest.mark.slow
def test_tuning_in_darts_stops_early_and_helps_on_weeks_not_trained_on(run, written):
    for package in ("darts", "pytorch_lightning", "matplotlib"):
        pytest.importorskip(package)
    printed = run("darts_finetuning.py")
    epochs = int(re.search(r"stopped after (\d+) epochs", printed)[1])
    assert 4 <= epochs < 20
    assert "tuned: 61,344 parameters" in printed
    assert {file.name for file in written("adapter").iterdir()} == {
        "adapter.json",
        "adapter.safetensors",
    }
    errors = printed_table(printed.partition("forecasts of a day:")[2], n_columns=3)
    assert written("french_load_finetuning.png").stat().st_size > 10_000
    change = errors[2]
    np.testing.assert_allclose(100 * (errors[1] / errors[0] - 1), change, atol=0.1)
    assert change["validation: quantile loss"] < -10
    assert change["newest week: quantile loss"] < -10
    assert change["newest week: MAE"] < 5


def test_the_weeks_follow_each_other_without_gaps():
    names = ["french_load.csv", "french_load_next_week.csv"]
    load = pd.concat([pd.read_csv(EXAMPLES / name, parse_dates=["time"]) for name in names])
    expected = pd.date_range("2018-08-20", "2018-10-21 23:00", freq="h")
    assert load["time"].tolist() == expected.tolist()
    assert load["load_mw"].between(30_000, 60_000).all()


def test_retail_turnover_is_complete():
    turnover = pd.read_csv(EXAMPLES / "australian_retail.csv", header=[0, 1], index_col=0)
    assert pd.PeriodIndex(turnover.index, freq="M").equals(
        pd.period_range("1982-04", "2018-12", freq="M", name="month")
    )
    assert [len(level) for level in turnover.columns.levels] == [5, 6]
    assert turnover.shape == (441, 30)
    assert turnover.gt(1).all(axis=None)


def test_the_weeks_of_gasoline_are_complete():
    gasoline = pd.read_csv(EXAMPLES / "us_gasoline.csv", parse_dates=["week"])
    expected = pd.date_range("1991-02-08", "2021-04-30", freq="W-FRI")
    assert gasoline["week"].tolist() == expected.tolist()
    assert gasoline["thousand_barrels_a_day"].between(5_000, 10_000).all()


def test_the_hours_of_bike_rentals_are_complete():
    bikes = pd.read_csv(EXAMPLES / "bike_sharing.csv", parse_dates=["time"])
    assert bikes["time"].tolist() == pd.date_range("2012-08-29", periods=3000, freq="h").tolist()
    assert bikes["time"].iloc[-1] == pd.Timestamp("2012-12-31 23:00")
    assert not bikes.isna().any(axis=None)
    assert bikes["rentals"].between(1, 977).all()
    assert set(bikes["weather"]) == {"clear", "mist", "rain"}
