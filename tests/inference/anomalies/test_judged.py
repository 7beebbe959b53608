"""Which steps have enough history."""

import numpy as np

from timer_forecaster.inference.anomalies.judged import Judged, Known

NAN = np.nan


def test_observed_values_before_the_origin_are_counted():
    known = Known.of(np.array([1.0, NAN, 2.0, 3.0, NAN, 4.0]), 1, min_history=2, reads=100)
    assert known.observed.tolist() == [True, False, True, True, False, True]
    assert known.seen.tolist() == [0, 1, 1, 2, 3, 3]
    assert known.enough.tolist() == [False, False, False, True, True, True]


def test_a_longer_horizon_sees_less():
    known = Known.of(np.arange(6.0), 3, min_history=2, reads=100)
    assert known.seen.tolist() == [0, 0, 0, 1, 2, 3]
    assert known.enough.tolist() == [False] * 4 + [True] * 2


def test_only_what_the_network_reads_counts():
    values = np.array([1.0, 2.0, 3.0, NAN, NAN, NAN, 4.0])
    assert Known.of(values, 1, 2, reads=3).enough.tolist() == [0, 0, 1, 1, 1, 0, 0]
    assert Known.of(values, 1, 8, reads=3).enough.tolist() == [0, 0, 0, 1, 0, 0, 0]


def test_nothing_is_judged_at_first():
    found = Judged.nothing(3)
    assert np.isnan(found.log_p).all()
    assert (found.reason > 0).all()
