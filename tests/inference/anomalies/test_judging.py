"""Flags, bounds and reasons of single series."""

import numpy as np
import pytest


def walk(steps, seed=0):
    return np.random.default_rng(seed).normal(size=steps).cumsum()


def test_a_flag_is_a_value_beyond_the_bounds(pipe):
    y = np.round(3 * walk(150)) / 3
    for level in (0.2, 0.9):
        report = pipe.detect_anomalies(y, level)
        (lower, upper), flags = report.intervals[0], report.flags[0]
        judged = report.judged[0].reason == 0
        assert flags[judged].mean() < 1
        assert flags.any() or level > 0.5
        beyond = (y < lower - 1e-9) | (y > upper + 1e-9)
        inside = (y > lower + 1e-9) & (y < upper - 1e-9)
        assert not (beyond & ~flags)[judged].any()
        assert not (inside & flags)[judged].any()


def test_a_change_after_a_constant_is_as_rare_as_its_history_is_long(pipe):
    y = np.full(120, 3.0)
    y[110] = 4.0
    report = pipe.detect_anomalies(y)
    assert report.p_values[0][110] == pytest.approx(1 / 111)
    assert np.flatnonzero(report.flags[0]).tolist() == [110]
    short = pipe.detect_anomalies(y[60:])
    assert not short.flags[0].any()
    assert np.isinf(short.intervals[0][0][50])
    assert (report.p_values[0][32:110] == 1).all()


def test_a_second_change_after_a_constant_is_twice_as_likely(pipe):
    y = np.full(120, 3.0)
    y[[110, 115]] = 4.0, -1.0
    chances = pipe.detect_anomalies(y).p_values[0]
    assert chances[[110, 115]].tolist() == pytest.approx([1 / 111, 2 / 116])


def test_integers_and_zeros(pipe):
    random = np.random.default_rng(0)
    y = random.poisson(0.3, size=200)
    report = pipe.detect_anomalies(y)
    assert np.isfinite(report.scores[0][32:]).all()
    assert report.flags[0].sum() < 20
