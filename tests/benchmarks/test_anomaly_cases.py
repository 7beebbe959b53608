"""Series with planted anomalies."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("pyarrow")

from benchmarks.anomaly_cases import (
    FAMILIES,
    KINDS,
    PERIOD,
    cases,
    robust_deviation,
    series_of,
    spread_places,
)


def test_cases_are_made_by_their_seed():
    made, again = (list(cases(1, 2, 300, 150)) for _ in range(2))
    assert len(made) == 2 * len(FAMILIES) * len(KINDS)
    for one, other in zip(made, again, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert not one.odd[:150].any()
    counts = {kind: {int(case.odd.sum()) for case in made if case.kind == kind} for kind in KINDS}
    assert counts == {"spikes": {3}, "level shifts": {1}, "missing seasons": {PERIOD}}


def test_the_robust_deviation_is_that_of_most_values():
    values = np.random.default_rng(0).normal(0, 3, size=4000)
    values[:40] = 1e9
    assert robust_deviation(values) == pytest.approx(3, rel=0.1)


def test_places_are_spread():
    places = spread_places(np.random.default_rng(0), 100, 400, 3)
    assert [100 + 100 * part < place < 200 + 100 * part for part, place in enumerate(places)]


def test_series_of_examples_are_left_out(tmp_path):
    frame = pd.DataFrame({"item_id": ["a", "m1_monthly/MNI166"], "target": [np.arange(90.0)] * 2})
    frame.to_parquet(tmp_path / "m1_monthly__M.parquet")
    found = series_of(tmp_path / "m1_monthly__M.parquet", 5, 70)
    assert [len(one) for one in found] == [70]
