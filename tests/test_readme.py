"""The README's Python blocks run, and say what is true."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def block(words):
    found = [text for text in BLOCKS if words in text]
    assert len(found) == 1
    return found[0]


def wave(steps):
    return np.sin(np.arange(steps) / 4)


def test_there_is_no_other_block():
    assert len(BLOCKS) == 5


def test_sktime():
    datasets = pytest.importorskip("sktime.datasets")
    names = {"y": datasets.load_airline()}
    exec(block("TimerS1Forecaster"), names)  # noqa: S102
    assert len(names["y_pred"]) == 24
    assert names["intervals"].shape == (24, 4)


def test_darts():
    darts = pytest.importorskip("darts")
    names = {"series": darts.TimeSeries.from_values(wave(300))}
    exec(block("TimerS1Model"), names)  # noqa: S102
    assert names["quantiles"].n_components == 3


def test_sklearn():
    pytest.importorskip("sklearn")
    names = {"series": wave(400)}
    exec(block("TimerS1Regressor"), names)  # noqa: S102
    assert names["quantiles"].shape == (400 - 168 - 24 + 1, 24, 3)
    assert names["search"].best_score_ > 0.9


def test_arrays_and_frames():
    days = pd.date_range("2024-01-01", periods=60)
    frames = [pd.DataFrame({"store": s, "date": days, "sales": wave(60)}) for s in "xy"]
    names = {"a": wave(50), "b": wave(90), "c": wave(7), "df": pd.concat(frames)}
    exec(block("predict_frame"), names)  # noqa: S102
    assert names["forecast"].quantiles.shape == (3, 48, 9)


def test_what_it_names_exists():
    root = Path(__file__).parents[1]
    for path in re.findall(r"(?:tests|benchmarks|docs|examples)/[\w/.-]+\w", README):
        assert (root / path).exists(), path
    assert "bytedance-research/Timer-S1" in block("bytedance-research")
