"""Histories and what came true after them."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

from benchmarks.path_cases import (
    UNSEEN,
    frequency_of,
    horizon_of,
    letter_of,
    read_cases,
)


@pytest.mark.parametrize(
    ("name", "horizon", "letter"),
    [
        ("a__H", 48, "H"),
        ("a__15T", 48, "T"),
        ("a__10S", 48, "S"),
        ("a__D", 30, "D"),
        ("a__B", 30, "D"),
        ("a__W", 8, "W"),
        ("a__M", 12, "M"),
        ("a__Q", 8, "Q"),
        ("a__A", 8, "A"),
        ("a__U", 30, "U"),
    ],
)
def test_horizons_by_the_name_of_a_data_set(name, horizon, letter):
    assert horizon_of(name) == horizon
    assert letter_of(name) == letter
    assert (frequency_of(name).name is None) == (letter == "U")


def test_data_sets_that_no_checkpoint_has_seen():
    assert len(UNSEEN) == 20
    assert "nn5__D" in UNSEEN and "m3_other__Q" not in UNSEEN


def test_few_series_give_more_windows_each(tmp_path):
    random = np.random.default_rng(0)
    walks = list(random.normal(size=(3, 400)).cumsum(axis=1))
    flat, holes = np.zeros(400), np.append(np.arange(300.0), np.full(100, np.nan))
    pd.DataFrame({"target": [*walks, flat, holes]}).to_parquet(tmp_path / "odd__D.parquet")
    cases = read_cases(tmp_path / "odd__D.parquet", 20, 10)
    assert cases.name == "odd__D"
    assert [len(history) for history in cases.histories] == [380, 360] * 3
    np.testing.assert_array_equal(cases.actual[1], walks[0][360:380])
    assert (cases.units > 0).all()
    assert len(read_cases(tmp_path / "odd__D.parquet", 200, 10).histories) == 0
    spread = read_cases(tmp_path / "odd__D.parquet", 20, 10, spread=0.5)
    assert [len(history) for history in spread.histories][:2] == [380, 280]
