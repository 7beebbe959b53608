"""The README's Python blocks run, and say what is true."""

import re

import numpy as np
import pandas as pd
import pytest
from places import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def block(words):
    found = [text for text in BLOCKS if words in text]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def run(monkeypatch):
    """Run the block with these words as it stands; returns its names."""
    monkeypatch.chdir(ROOT)

    def run(words):
        names = {}
        exec(block(words), names)  # noqa: S102
        return names

    return run


def test_there_is_no_other_block():
    assert len(BLOCKS) == 7


def test_sktime(run):
    pytest.importorskip("sktime")
    names = run("TimerS1Forecaster")
    assert len(names["y_pred"]) == 24
    assert names["y_pred"].index[0] == pd.Timestamp("2018-10-15")
    assert names["intervals"].shape == (24, 4)


def test_darts(run):
    pytest.importorskip("darts")
    quantiles = run("TimerS1Model")["quantiles"]
    assert quantiles.n_components == 3
    assert quantiles.start_time() == pd.Timestamp("2018-10-15")


def test_sklearn(run):
    pytest.importorskip("sklearn")
    names = run("TimerS1Regressor")
    assert names["quantiles"].shape == (1344 - 168 - 24 + 1, 24, 3)
    assert names["search"].best_score_ > 0.8


def test_tuning(run):
    names = run("finetune(pipe")
    assert names["adapter"].report.improved
    assert names["tuned"].adapter is names["adapter"]


def test_arrays_and_frames(run):
    names = run("forecast.interval")
    assert names["forecast"].quantiles.shape == (1, 48, 9)
    assert names["samples"].shape == (100, 1, 48)
    assert len(names["table"]) == 48


def test_covariates(run):
    names = run("future_frame")
    table, bikes = names["table"], names["bikes"]
    assert list(table["time"].astype(str).str[:16]) == list(bikes["time"][-24:])
    forecast = names["pipe"].predict(
        bikes["rentals"][:-24], 24, known=bikes[names["known"]], cycles=(24, 168, 8766)
    )
    np.testing.assert_allclose(table["q0.5"], forecast.median[0], rtol=1e-6)
    assert forecast.covariates.to_frame()["t"].item() > 0


def test_what_it_names_exists():
    for path in re.findall(r"(?:tests|benchmarks|docs|examples)/[\w/.-]+\w", README):
        assert (ROOT / path).exists(), path
    assert "bytedance-research/Timer-S1" in block("bytedance-research")
