"""The comparison of forecasts with and without covariates at its smallest."""

import json

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

from benchmarks import covariates

HORIZON = 4


@pytest.fixture
def data(tmp_path):
    """A folder with two short series, which a column explains whole."""
    random = np.random.default_rng(0)
    times = pd.date_range("2020", periods=80, freq="D")
    frames = []
    for name in "ab":
        switch = random.integers(0, 2, size=80)
        target = 20.0 * switch + random.normal(size=80)
        frames.append(
            pd.DataFrame({"item_id": name, "timestamp": times, "target": target, "switch": switch})
        )
    pd.concat(frames).to_parquet(tmp_path / "made.parquet")
    meta = {"freq": "D", "horizon": HORIZON, "context": None, "windows": 2, "stride": HORIZON}
    columns = {"known": ["switch"], "past": [], "categorical": []}
    (tmp_path / "meta.json").write_text(json.dumps({"made": meta | columns}))
    return tmp_path


def run(data, capsys, *arguments):
    """Return the cells of the row of the data set."""
    options = ["--data", str(data), "--checkpoint", "timer-s1-test", *arguments]
    covariates.main(options)
    row = next(line for line in capsys.readouterr().out.splitlines() if "made" in line)
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_column_that_explains_the_series_helps_and_one_turned_does_not(data, capsys):
    _, forecasts, crps, coverage, *_ = run(data, capsys)
    assert int(forecasts) == 4  # two series at two origins
    assert float(crps) < 0.7
    assert 0 <= float(coverage) <= 1
    turned = run(data, capsys, "--control", "shift")
    assert float(turned[2]) > float(crps) + 0.1


def test_without_covariates_the_ratio_is_one(data, capsys):
    assert float(run(data, capsys, "--covariates", "off")[2]) == 1


def test_the_loss_is_the_sum_of_pinball_losses():
    quantiles = np.tile(covariates.LEVELS, (1, 2, 1))
    actual = np.array([[1.0, np.nan]])
    by_hand = sum(level * (1 - level) for level in covariates.LEVELS)
    assert covariates.pinball(actual, quantiles) == pytest.approx(by_hand)


def test_turned_columns_keep_their_values_and_the_target_stays():
    frame = pd.DataFrame({"target": np.arange(30.0), "x": np.arange(30)})
    found = covariates.shifted(frame, ["x"], "a", "shift")
    assert sorted(found["x"]) == list(range(30))
    assert not found["x"].equals(frame["x"])
    pd.testing.assert_series_equal(found["target"], frame["target"])
