"""The cost of missing values at its smallest: one data set of short series."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

from benchmarks import gaps, inference_options


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder with the one data set that is held out."""
    random = np.random.default_rng(0)
    rows = [np.sin(np.arange(n)) + random.normal(size=n) / 5 for n in (400, 420, 410)]
    frame = pd.DataFrame({"item_id": list("abc"), "freq": "D", "target": rows})
    frame.to_parquet(tmp_path / "nn5__D.parquet")
    monkeypatch.setattr(inference_options, "HELD_OUT", ("nn5__D",))
    return tmp_path


def test_a_row_for_each_kind_of_gap(data, capsys):
    gaps.main(["--data", str(data), "--checkpoint", "timer-s1-test"])
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [line[0].strip("| ") for line in lines] == list(gaps.GAPS)
    found = {line[0].strip("| "): line[1] for line in lines}
    assert found["nothing"] == "1.000"
    assert found["eight of 24 hours"] == "–"  # the series are of days


@pytest.mark.parametrize(
    ("gap", "share"),
    [
        ("nothing", 0.0),
        ("one step in five", 0.2),
        ("two of seven steps", 2 / 7),
        ("eight of 24 hours", 1 / 3),
        ("blocks of 24 steps", 0.1),
        ("the newest 20 steps", 20 / 24_000),
    ],
)
def test_gaps_have_the_share_that_their_name_says(gap, share):
    missing = gaps.GAPS[gap](24_000, np.random.default_rng(0))
    assert missing.mean() == pytest.approx(share, abs=0.015)
