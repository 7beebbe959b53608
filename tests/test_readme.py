"""The README's Python blocks run outside a clone, and say what is true."""

import re

import numpy as np
import pandas as pd
import pytest
from places import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the first block and the one with this word as they stand; returns their names."""
    monkeypatch.chdir(tmp_path)

    def run(word):
        (found,) = (text for text in BLOCKS if word in text)
        names = {}
        for text in dict.fromkeys([BLOCKS[0], found]):
            exec(text, names)  # noqa: S102
        assert not list(tmp_path.iterdir())
        return names

    return run


def test_it_takes_a_minute():
    assert len(BLOCKS) == 4
    assert README.count("\n") < 120


def test_the_pipeline(run):
    names = run("ForecastPipeline")
    assert names["forecast"].quantiles.shape == (1, 14, 9)
    assert (names["low"] < names["high"]).all()
    assert len(names["table"]) == 14
    weekend = names["forecast"].median[0] > 80
    following = names["days"][-1] + pd.to_timedelta(range(1, 15), unit="D")
    assert list(weekend) == list(following.dayofweek >= 5)


def test_sktime(run):
    pytest.importorskip("sktime")
    names = run("TimerS1Forecaster")
    assert list(names["median"].index) == list(pd.date_range("2024-07-19", periods=14))
    assert names["intervals"].shape == (14, 4)
    np.testing.assert_allclose(names["median"], names["forecast"].median[0], rtol=1e-4)


def test_darts(run):
    pytest.importorskip("darts")
    names = run("TimerS1Model")
    assert names["median"].start_time() == pd.Timestamp("2024-07-19")
    np.testing.assert_allclose(names["median"].values()[:, 0], names["forecast"].median[0], 1e-4)


def test_sklearn(run):
    pytest.importorskip("sklearn")
    names = run("TimerS1Regressor")
    assert names["quantiles"].shape == (1, 14, 3)
    assert names["model"].score(names["X"], names["y"]) > 0.8


def test_what_it_names_exists():
    for path in re.findall(r"(?:tests|benchmarks|docs|examples)/[\w/.-]+\w", README):
        assert (ROOT / path).exists(), path
