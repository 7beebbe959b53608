"""Results on disk: whole files, taken up again by the same settings alone."""

import pandas as pd
import pytest

from timer_forecaster.evaluation.leaderboard import COLUMNS
from timer_forecaster.evaluation.results import Results

SETTINGS = {"forecaster": "v1", "version": "1"}


def make_row(dataset="ett1/H/short", model="mine"):
    numbers = {name: 0.1 for name in COLUMNS if name.startswith("eval_metrics/")}
    further = {"coverage": 0.8, "horizon": 48, "windows": 2, "series": 7, "seconds": 0.3}
    return {
        "dataset": dataset,
        "model": model,
        "domain": "Energy",
        "num_variates": 7,
        **numbers,
        **further,
    }


def test_rows_are_kept_in_memory_without_an_output():
    results = Results(None)
    assert not results.holds("ett1/H/short", "mine", SETTINGS)
    results.add(make_row(), SETTINGS)
    assert results.holds("ett1/H/short", "mine", SETTINGS)
    frame = results.frame([("ett1/H/short", "mine")])
    assert frame["coverage"].tolist() == [0.8]


def test_a_new_object_knows_the_rows_of_the_file(tmp_path):
    output = tmp_path / "all_results.csv"
    Results(output).add(make_row(), SETTINGS)
    again = Results(output)
    assert again.holds("ett1/H/short", "mine", SETTINGS)
    again.add(make_row(model="other"), SETTINGS)
    table = pd.read_csv(output)
    assert list(table.columns) == list(COLUMNS)
    assert table["model"].tolist() == ["mine", "other"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "all_results.csv",
        "all_results.details.csv",
    }


def test_rows_of_other_settings_are_refused(tmp_path):
    results = Results(tmp_path / "all_results.csv")
    results.add(make_row(), SETTINGS)
    with pytest.raises(ValueError, match="version was 1, is 2"):
        results.holds("ett1/H/short", "mine", SETTINGS | {"version": "2"})


def test_outputs_that_cannot_be_used_are_named(tmp_path):
    with pytest.raises(ValueError, match="there is no folder"):
        Results(tmp_path / "absent" / "all_results.csv")
    (tmp_path / "foreign.csv").write_text("a,b\n")
    with pytest.raises(ValueError, match=r"exists, but not foreign\.details\.csv"):
        Results(tmp_path / "foreign.csv")
