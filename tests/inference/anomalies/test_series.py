"""Anomalies of arrays, lists and dicts, with covariates, and of series that are read together."""

import numpy as np
import pandas as pd
import pytest
from ttm_channels import QUANTILES, mixing

from timer_forecaster.inference.frequency_warning import FrequencyWarning


def test_arrays_lists_and_dicts_are_the_same(pipe, spiked):
    one = pipe.detect_anomalies(spiked)
    two = pipe.detect_anomalies([spiked, spiked[:90]])
    named = pipe.detect_anomalies({"a": spiked, "b": spiked[:90]})
    matrix = pipe.detect_anomalies(np.stack([spiked, -spiked]))
    for report in (two, named, matrix):
        np.testing.assert_allclose(report.scores[0], one.scores[0], rtol=1e-4, atol=1e-5)
    assert named.summary["series"].tolist() == ["a", "b"]
    assert set(named.anomalies["series"]) <= {"a", "b"}


def test_a_frame_is_sent_to_the_other_method(pipe):
    with pytest.raises(TypeError, match="or use detect_anomalies_frame"):
        pipe.detect_anomalies(pd.DataFrame({"y": np.arange(50.0)}))


@pytest.mark.parametrize("horizon", [1, 2])
def test_covariates_are_known_up_to_the_step_that_is_judged(timer_s1, horizon):
    random = np.random.default_rng(0)
    price, visits = random.normal(size=60), random.normal(size=60)
    y = 10 + 3 * price + random.normal(size=60) / 10
    beside = {"known": pd.DataFrame({"price": price}), "past": visits[:, None]}
    asked = {"cycles": (7,), "covariates": "always"}
    report = timer_s1.detect_anomalies(
        y, horizon=horizon, min_history=50, repair=False, **beside, **asked
    )
    for step in np.flatnonzero(report.judged[0].reason == 0):
        origin = step - horizon + 1
        known, past = beside["known"].iloc[: origin + horizon], visits[:origin, None]
        expected = timer_s1.predict(y[:origin], horizon, known=known, past=past, **asked)
        assert report.medians[0][step] == pytest.approx(expected.median[0, -1], rel=1e-5)
    off = timer_s1.detect_anomalies(y, min_history=50, **(beside | asked | {"covariates": "off"}))
    plain = timer_s1.detect_anomalies(y, min_history=50)
    np.testing.assert_array_equal(off.scores[0], plain.scores[0])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"known": [np.zeros((60, 1))] * 2}, "known has 2 tables for 1 series"),
        ({"known": np.zeros((60, 1)), "categories": ["x"]}, r"categories=\['x'\] are no columns"),
        ({"freq": ["h", "h"]}, "freq has 2 frequencies for 1 series"),
        ({"context_length": 0}, "context_length=0"),
        ({"level": 2}, "level=2"),
    ],
)
def test_bad_arguments_are_named(timer_s1, options, message):
    with pytest.raises(ValueError, match=message):
        timer_s1.detect_anomalies(np.arange(60.0) % 7, **options)


def test_series_that_are_read_as_one_row():
    pipe = mixing(**QUANTILES)
    series = np.random.default_rng(0).normal(size=(6, 50)).cumsum(axis=1)
    series[4, 45] += 1e5
    report = pipe.detect_anomalies(series, min_history=30, calibrate="table")
    assert report.summary["judged"].tolist() == [20] * 6
    assert report.flags[4][45]
    without = series[3:].copy()
    without[1, 45] = np.nan  # of the same row
    expected = pipe.predict(without[:, :46], 1).median[:, 0]
    after = [report.medians[number][46] for number in (3, 4, 5)]
    np.testing.assert_allclose(after, expected, rtol=1e-4)
    with pytest.raises(ValueError, match="give a multiple of 3"):
        pipe.detect_anomalies(series[:2])
    uneven = [*series[:2], series[2, :40], *series[3:]]
    with pytest.warns(UserWarning, match="3 of 6 series"):
        report = pipe.detect_anomalies(uneven, min_history=30, on_error="nan")
    assert report.summary["judged"].tolist() == [0, 0, 0, 20, 20, 20]


def test_one_warning_of_a_frequency(recwarn):
    pipe = mixing(
        **QUANTILES,
        num_input_channels=1,
        decoder_mode="common_channel",
        resolution_prefix_tuning=True,
        frequency_token_vocab_size=5,
    )
    pipe.detect_anomalies(np.random.default_rng(0).normal(size=150))
    assert sum(isinstance(one.message, FrequencyWarning) for one in recwarn) == 1
