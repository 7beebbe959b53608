"""Weights that are learned from tiny data sets."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

from benchmarks import path_weights
from timer_forecaster.inference.sampling.copula import ATOMS, log_likelihood, normal_paths


def test_rows_are_printed_as_the_table_has_them(tmp_path, capsys):
    random = np.random.default_rng(0)
    for name in ("walks__H", "walks__D", "walks__U"):
        walks = list(random.normal(size=(3, 400)).cumsum(axis=1))
        pd.DataFrame({"target": walks}).to_parquet(tmp_path / f"{name}.parquet")
    path_weights.main(["--data", str(tmp_path), "--checkpoint", "timer-s1-test"])
    printed = capsys.readouterr().out
    lines = [line for line in printed.splitlines() if not line.startswith("#")]
    names = {"UNKNOWN": 0, "SUB_DAILY": 1, "SLOWER": 2}
    (rows,) = eval("{" + "".join(lines) + "}", names).values()  # noqa: S307
    assert sorted(rows) == [0, 1, 2]
    for row in rows.values():
        assert len(row) == len(ATOMS) and min(row) >= 0.002
        assert sum(row) == pytest.approx(1, abs=0.01)


def test_the_weights_of_a_mixture_are_found():
    true = np.zeros(len(ATOMS))
    true[[1, 4]] = 0.3, 0.7
    scores = normal_paths(3000, 60, true, np.random.default_rng(0)).T
    found = path_weights.learned([log_likelihood(scores)])
    np.testing.assert_allclose(found, 0.98 * true + 0.002, atol=0.04)


def test_each_data_set_has_the_same_weight():
    few, many = np.full((1, len(ATOMS)), -50.0), np.full((99, len(ATOMS)), -50.0)
    few[0, 2], many[:, 5] = 0, 0
    found = path_weights.learned([few, many])
    assert found[2] == pytest.approx(found[5])
