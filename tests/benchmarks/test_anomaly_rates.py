"""Shares of flags, from a tiny data set."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

from benchmarks import anomaly_rates


@pytest.fixture
def data(tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"item_id": ["a"], "target": [random.normal(size=120)]})
    frame.to_parquet(tmp_path / "noise.parquet")
    return tmp_path


@pytest.mark.parametrize("more", [[], ["--spikes", "--fast", "--calibrate", "table"]])
def test_a_table_of_shares(data, capsys, more):
    anomaly_rates.main(
        ["--data", str(data), "--sets", "noise", "--checkpoint", "timer-s1-test", *more]
    )
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[-1].endswith(" ms a step")
    assert lines[2].startswith(f"| noise | 1 | {85 if more else 88} |")
    assert len({line.count("|") for line in lines[:4]}) == 1


def test_spikes_lie_in_the_second_half():
    values = np.random.default_rng(0).normal(size=100)
    moved, odd = anomaly_rates.with_spikes(values, 0)
    assert (moved != values).tolist() == odd.tolist()
    assert odd.sum() == 3
    assert not odd[:50].any()
