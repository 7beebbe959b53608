import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize(
    "program, framework, picture",
    [
        ("quickstart.py", "matplotlib", "french_load_forecast.png"),
        ("sktime_quickstart.py", "sktime", "french_load_sktime.png"),
        ("darts_quickstart.py", "darts", "french_load_darts.png"),
    ],
)
def test_example_runs_and_draws(program, framework, picture, tmp_path):
    pytest.importorskip(framework)
    assert "2018-10-15" in run(program, tmp_path)
    assert (tmp_path / picture).stat().st_size > 10_000


def test_own_models_stand_in_one_table(tmp_path):
    for package in ("sktime", "darts", "pyarrow", "matplotlib"):
        pytest.importorskip(package)
    printed = run("own_model_in_the_table.py", tmp_path)
    results = pd.read_csv(tmp_path / "my_results.csv").set_index("model")
    crps = results["eval_metrics/mean_weighted_sum_quantile_loss"]
    assert set(crps.index) == {"timer-s1-mini", "Theta (sktime)", "ETS (Darts)", "seasonal_naive"}
    assert crps.between(0.005, 0.2).all()
    assert all(f"| {model} " in printed for model in crps.index)
    assert (tmp_path / "my_results.png").stat().st_size > 10_000


def test_a_grid_search_over_windows_finds_the_longest_context(tmp_path):
    for package in ("sklearn", "matplotlib"):
        pytest.importorskip(package)
    table, *errors = run("sklearn_grid_search.py", tmp_path).split("\nTimerS1Regressor: ")
    lines = table.splitlines()
    assert lines[1].split()[:2] == ["TimerS1Regressor", "context_length=504"]
    maes = [float(line.split()[2]) for line in lines[1:]]
    assert len(maes) == 8
    assert maes == sorted(maes)
    assert errors[0].count("MW in the week of 2018-10-15") == 3
    assert (tmp_path / "french_load_sklearn.png").stat().st_size > 10_000


def run(program, folder):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / program)],
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_weeks_follow_each_other_without_gaps():
    names = ["french_load.csv", "french_load_next_week.csv"]
    load = pd.concat([pd.read_csv(EXAMPLES / name, parse_dates=["time"]) for name in names])
    expected = pd.date_range("2018-08-20", "2018-10-21 23:00", freq="h")
    assert load["time"].tolist() == expected.tolist()
    assert load["load_mw"].between(30_000, 60_000).all()
