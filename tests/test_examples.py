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
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / program)],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "2018-10-15" in done.stdout
    assert (tmp_path / picture).stat().st_size > 10_000


def test_the_weeks_follow_each_other_without_gaps():
    names = ["french_load.csv", "french_load_next_week.csv"]
    load = pd.concat([pd.read_csv(EXAMPLES / name, parse_dates=["time"]) for name in names])
    expected = pd.date_range("2018-08-20", "2018-10-21 23:00", freq="h")
    assert load["time"].tolist() == expected.tolist()
    assert load["load_mw"].between(30_000, 60_000).all()
