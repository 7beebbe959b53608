"""Anomalies by sktime's interface of detectors."""

import doctest
import inspect
import pickle
import re

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")

from timer_forecaster import ForecastPipeline
from timer_forecaster.sktime import ForecastAnomalyDetector


@pytest.fixture(scope="module")
def y():
    values = np.sin(np.arange(140) / 3) + 0.2 * np.random.default_rng(0).normal(size=140)
    values[110] += 500
    return pd.Series(values, index=pd.date_range("2024-01-01", periods=140, freq="h"), name="load")


@pytest.fixture(scope="module", params=["timer-s1-test", "ttm-test"])
def detector(request):
    return ForecastAnomalyDetector(request.param, device_map="cpu")


def test_places_are_those_of_the_pipeline(detector, y):
    pipe = ForecastPipeline.from_pretrained(detector.model_path, device="cpu")
    report = pipe.detect_anomalies(y.to_numpy(), freq="h")
    found = detector.clone().fit(y).predict(y)
    assert found["ilocs"].tolist() == np.flatnonzero(report.flags[0]).tolist()
    assert 110 in found["ilocs"].tolist()
    scores = detector.clone().fit(y).transform_scores(y)
    expected = np.nan_to_num(np.abs(report.scores[0]))
    np.testing.assert_allclose(scores["scores"], expected, rtol=1e-6)
    assert scores.index.equals(y.index)


def test_a_series_with_dates_is_transformed(detector, y):
    labels = detector.clone().fit(y).transform(y)
    found = detector.clone().fit(y).predict(y)["ilocs"]
    assert np.flatnonzero(labels["labels"]).tolist() == found.tolist()


def test_remembered_rows_are_history(detector, y):
    whole = detector.clone().fit(y).predict(y)["ilocs"].to_numpy()
    fitted = detector.clone().fit(y[:100])
    assert fitted.predict(y[100:])["ilocs"].tolist() == (whole[whole >= 100] - 100).tolist()
    updated = detector.clone().fit(y[:50]).update(y[50:100])
    assert updated.predict(y[100:])["ilocs"].tolist() == (whole[whole >= 100] - 100).tolist()
    rest = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    pd.testing.assert_frame_equal(rest.predict(y[100:]), fitted.predict(y[100:]))


def test_a_row_is_odd_if_one_column_is(detector, y):
    both = pd.DataFrame({"a": y, "b": np.roll(y, -20)})
    found = detector.clone().fit(both).predict(both)["ilocs"].tolist()
    assert {90, 110} <= set(found)
    fitted = detector.clone().fit(both)
    assert len(fitted.predict_scores(both)) == len(found)
    other = both.rename(columns={"a": "c"})
    for use in (fitted.update, fitted.predict, fitted.transform_scores, fitted.predict_scores):
        with pytest.raises(ValueError, match="X has the columns"):
            use(other)


def test_columns_are_matched_by_their_names(detector, y):
    both = pd.DataFrame({"b": 100 + np.roll(y, -20), "a": y})
    expected = detector.clone().fit(both[:60]).update(both[60:100]).transform_scores(both[100:])
    swapped = both[["a", "b"]]
    found = detector.clone().fit(both[:60]).update(swapped[60:100]).transform_scores(swapped[100:])
    pd.testing.assert_frame_equal(found, expected)


def test_times_of_another_kind_are_refused(detector, y):
    fitted = detector.clone().fit(y[:100])
    for index in (range(100, 140), y.index[100:].tz_localize("UTC")):
        with pytest.raises(ValueError, match=r"X: times are .*, those of X in fit are datetime64"):
            fitted.predict(y[100:].set_axis(index))


def test_remembered_rows_are_a_copy_and_can_be_withdrawn(detector, y):
    mine = y.copy()
    fitted = detector.clone().fit(mine[:100])
    mine.iloc[:100] = 0.0
    expected = detector.clone().fit(y[:100]).transform_scores(y[100:])
    pd.testing.assert_frame_equal(fitted.transform_scores(y[100:]), expected)
    gaps = y.copy()
    gaps.iloc[90:95] = np.nan
    updated = detector.clone().fit(y[:100]).update(gaps[85:100])
    expected = detector.clone().fit(gaps[:100]).transform_scores(y[100:])
    pd.testing.assert_frame_equal(updated.transform_scores(y[100:]), expected)


def test_missing_values_are_not_odd(detector, y):
    gaps = y.copy()
    gaps.iloc[[20, 60, 61]] = np.nan
    assert not {20, 60, 61} & set(detector.clone().fit(gaps).predict(gaps)["ilocs"])


def test_bad_parameters_are_named(y):
    with pytest.raises(ValueError, match="level=2"):
        ForecastAnomalyDetector(level=2).fit(y)
    with pytest.raises(ValueError, match="rollout"):
        ForecastAnomalyDetector(rollout="often").fit(y)


def test_every_parameter_is_described():
    text = inspect.getdoc(ForecastAnomalyDetector)
    section = text[text.index("Parameters\n---") : text.index("Examples\n---")]
    described = re.findall(r"^(\w+) : ", section, flags=re.MULTILINE)
    assert described == list(inspect.signature(ForecastAnomalyDetector).parameters)


def test_docstring_examples():
    tests = doctest.DocTestFinder(recurse=False).find(ForecastAnomalyDetector, "detector")
    results = [doctest.DocTestRunner().run(test) for test in tests]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0


def test_the_bound_at_zero_reaches_the_pipeline(detector, y):
    given = detector.clone().set_params(nonnegative=True)
    with pytest.warns(UserWarning, match="has negative values"):
        assert given.fit(y).predict(y).empty
    positive = y.abs()
    report = ForecastPipeline.from_pretrained(detector.model_path, device="cpu").detect_anomalies(
        positive.to_numpy(), freq="h", nonnegative=True
    )
    found = given.clone().fit(positive).predict(positive)
    assert found["ilocs"].tolist() == np.flatnonzero(report.flags[0]).tolist()


def test_a_pickle_of_version_0_2_has_the_default_bound(detector, y):
    fitted = detector.clone().fit(y)
    del fitted.__dict__["nonnegative"]
    old = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    pd.testing.assert_frame_equal(old.predict(y), detector.clone().fit(y).predict(y))
