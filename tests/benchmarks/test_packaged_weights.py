"""Scores of packages with weights inside, at their smallest: one data set, no Fracast."""

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

from benchmarks import packaged_weights


class StandIn:
    """A model with Fracast's interface: quantiles about the newest value."""

    @classmethod
    def from_pretrained(cls):
        return cls()

    def forecast(self, context, *, horizon):
        assert np.isfinite(context).sum() >= packaged_weights.FEWEST
        newest = context[np.isfinite(context)][-1]
        return np.tile(newest + np.linspace(-1, 1, 9)[:, None], horizon)


@pytest.fixture
def fracast(monkeypatch):
    monkeypatch.setitem(sys.modules, "fracast", SimpleNamespace(FracastModel=StandIn))
    return packaged_weights.Fracast()


def test_each_package_has_scores(fracast, tmp_path, capsys):
    rows = np.random.default_rng(0).normal(size=(3, 200)).cumsum(axis=1)
    frame = pd.DataFrame({"item_id": list("abc"), "freq": "D", "target": list(rows)})
    frame.to_parquet(tmp_path / "walks__D.parquet")
    packaged_weights.main(["--data", str(tmp_path), "--only", "timer-s1-mini", "fracast"])
    printed = capsys.readouterr().out
    assert "fracast" in printed and "timer-s1-mini" in printed


def test_quantiles_of_fracast_are_levels_last_and_short_histories_get_their_newest_value(fracast):
    contexts = [np.arange(20.0), np.array([1.0, np.nan, 5.0])]
    found = fracast(contexts, 4)
    assert found.shape == (2, 4, 9)
    np.testing.assert_allclose(found[0], np.tile(19 + np.linspace(-1, 1, 9), (4, 1)))
    np.testing.assert_array_equal(found[1], np.full((4, 9), 5.0))
