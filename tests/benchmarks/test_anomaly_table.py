"""Weights of kinds and the table, from tiny data sets."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

from benchmarks import anomaly_table
from timer_forecaster.inference.anomalies.kinds import FREEDOMS, SCALES
from timer_forecaster.inference.anomalies.table import CHANCES


def test_the_table_is_written_as_a_module(tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"item_id": ["a", "b"], "target": [random.normal(size=150)] * 2})
    frame.to_parquet(tmp_path / "noise.parquet")
    output = tmp_path / "table.py"
    arguments = ["--data", str(tmp_path), "--sets", "noise", "--output", str(output)]
    anomaly_table.main([*arguments, "--checkpoint", "timer-s1-test"])
    names = {}
    exec(output.read_text(), names)  # noqa: S102
    assert names["CHANCES"] == CHANCES
    assert np.shape(names["WEIGHTS"]) == (len(SCALES), len(FREEDOMS))
    assert np.sum(names["WEIGHTS"]) == pytest.approx(1, abs=0.01)
    for side in (names["LOWER"], names["UPPER"]):
        assert len(side) == len(CHANCES)
        assert list(side) == sorted(side)


def test_surprises_of_true_chances_are_their_logarithms():
    random = np.random.default_rng(0)
    sets = [random.choice([-1, 1], size=n) * random.exponential(size=n) for n in (40_000, 400_000)]
    for side in anomaly_table.table_of(sets):
        expected = -np.log(CHANCES)
        np.testing.assert_allclose(side[1:-2], expected[1:-2], rtol=0.05)


def test_each_data_set_has_the_same_weight():
    few, many = np.full(10, 9.0), np.full(990, 1.0)
    _, upper = anomaly_table.table_of([few, many])
    assert upper[CHANCES.index(0.5)] == 9


def test_weights_are_those_of_the_kinds_that_made_the_series():
    """Depths of forecasts that are right are exponential; each data set has the same weight."""
    random = np.random.default_rng(0)
    right = [-np.log(random.uniform(0, 0.5, size=400)) for _ in range(3)]
    wild = [np.abs(random.standard_t(1, size=400)) * 20 + 1]
    few, many = anomaly_table.learned([right, wild]), anomaly_table.learned([right * 20, wild])
    np.testing.assert_allclose(few, many, atol=1e-3)
    weights = few.reshape(len(SCALES), len(FREEDOMS))
    assert weights[SCALES.index(0.8) : SCALES.index(1.4)].sum() == pytest.approx(0.5, abs=0.03)
    assert weights[SCALES.index(6.0) :].sum() == pytest.approx(0.5, abs=0.03)
