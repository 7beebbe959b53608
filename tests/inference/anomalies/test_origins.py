"""Rows of the network that several origins share."""

import numpy as np
import pytest


def walk(steps, seed=0):
    return np.random.default_rng(seed).normal(size=steps).cumsum()


def test_rows_are_shared_nearly_exactly(mini):
    y = np.sin(np.arange(200) / 4) + walk(200) / 20
    exact, shared = mini.detect_anomalies(y), mini.detect_anomalies(y, exact=False)
    width = np.nanmedian(exact.intervals[0][1] - exact.intervals[0][0])
    difference = np.abs(exact.medians[0] - shared.medians[0])[32:]
    assert 0 < np.median(difference) < 0.05 * width


def test_rows_that_cannot_be_shared_are_refused(pipe):
    y = walk(60)
    if pipe.network.config.origin_step == 1:
        with pytest.raises(ValueError, match="exact=False: each forecast of a TinyTimeMixer"):
            pipe.detect_anomalies(y, exact=False)
    else:
        with pytest.raises(ValueError, match="without covariates and both signs; leave exact out"):
            pipe.detect_anomalies(y, exact=False, flip=True)


def test_shared_rows_of_an_only_origin_are_exact(timer_s1):
    y = walk(40)
    exact = timer_s1.detect_anomalies(y, min_history=33)
    shared = timer_s1.detect_anomalies(y, min_history=33, exact=False)
    np.testing.assert_allclose(shared.medians[0], exact.medians[0], atol=1e-5)


def test_constants_and_gaps_in_shared_rows(timer_s1):
    y = np.r_[np.full(50, 2.0), walk(60)]
    y[[60, 61, 80]] = np.nan
    report = timer_s1.detect_anomalies(y, exact=False)
    assert report.summary["no forecast"].tolist() == [0]
    assert report.summary["judged"].tolist() == [110 - 3 - 32]
