"""The table of relative errors, from a tiny data set."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

from benchmarks import residual_table


def test_the_table_is_written_as_a_module(tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"item_id": ["a", "b"], "target": [random.normal(size=700)] * 2})
    frame.to_parquet(tmp_path / "noise.parquet")
    output = tmp_path / "table.py"
    arguments = ["--data", str(tmp_path), "--sets", "noise", "--output", str(output)]
    residual_table.main([*arguments, "--checkpoint", "timer-s1-test"])
    names = {}
    exec(output.read_text(), names)  # noqa: S102
    table = np.array(names["TABLE"])
    assert table.shape == (8, 9)
    assert (np.diff(table, axis=1) > 0).all()


def test_each_data_set_has_the_same_weight():
    few, many = np.full((1, 96), 1.0), np.full((99, 96), -1.0)
    table = residual_table.quantiles_of([few, many])
    assert table[0, 1] == -1
    assert table[0, -2] == 1
