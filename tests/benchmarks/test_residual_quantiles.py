"""Residual quantiles beside trained ones, on a tiny data set."""

import re

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

from benchmarks import residual_quantiles


def test_scores_of_each_data_set_and_their_mean(tmp_path, capsys):
    random = np.random.default_rng(0)
    walks = list(random.normal(size=(3, 400)).cumsum(axis=1))
    frame = pd.DataFrame({"item_id": list("abc"), "target": walks})
    frame.to_parquet(tmp_path / "walks.parquet")
    arguments = ["--data", str(tmp_path), "--sets", "walks", "--checkpoint", "timer-s1-test"]
    residual_quantiles.main([*arguments, "--horizon", "6"])
    printed = capsys.readouterr().out
    row = re.search(r"\| walks \| 12 \| 12 \| (\S+) \| (\S+) \|", printed)
    assert 0.6 < float(row[1]) < 0.95
    assert float(row[2]) < 1  # random weights know nothing of errors
    assert "| mean |" in printed


def test_series_that_say_nothing_are_left_out(tmp_path):
    flat, short, holes = np.zeros(100), np.arange(10.0), np.full(100, np.nan)
    frame = pd.DataFrame({"item_id": list("abc"), "target": [flat, short, holes]})
    frame.to_parquet(tmp_path / "odd.parquet")
    assert residual_quantiles.read(tmp_path / "odd.parquet", 5, 6) == []
