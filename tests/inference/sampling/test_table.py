"""Rows of weights for checkpoints and frequencies."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import list_checkpoints
from timer_forecaster.frames.calendar.opening import OpenHours
from timer_forecaster.inference.frequency import as_frequencies
from timer_forecaster.inference.sampling.copula import ATOMS
from timer_forecaster.inference.sampling.table import (
    OF_OTHERS,
    ROWS,
    SLOWER,
    SUB_DAILY,
    UNKNOWN,
    kind_of,
    weights_of,
)

HOUR = 3_600 * 10**9


@pytest.mark.parametrize(
    ("freq", "kind"),
    [
        ("h", SUB_DAILY),
        ("15min", SUB_DAILY),
        ("S", SUB_DAILY),
        ("23h", SUB_DAILY),
        ("bh", SUB_DAILY),
        ("cbh", SUB_DAILY),
        (OpenHours(HOUR, 0, (9, 10, 11, 33, 34)), SUB_DAILY),
        ("24h", SLOWER),
        ("D", SLOWER),
        ("B", SLOWER),
        ("C", SLOWER),
        ("W-MON", SLOWER),
        ("ME", SLOWER),
        ("QS-FEB", SLOWER),
        ("Y", SLOWER),
        (OpenHours(24 * HOUR, 0, (0, 1, 2, 3, 4)), SLOWER),
        (pd.DateOffset(months=3), SLOWER),
        (None, UNKNOWN),
        (5, UNKNOWN),
    ],
)
def test_kinds_of_frequencies(freq, kind):
    assert kind_of(as_frequencies(freq, 1)[0]) == kind


def test_rows_are_weights():
    for rows in ROWS.values():
        assert set(rows) == {SUB_DAILY, SLOWER, UNKNOWN}
        for row in rows.values():
            assert len(row) == len(ATOMS)
            assert min(row) > 0
            assert sum(row) == pytest.approx(1, abs=0.02)
    found = weights_of("timer-s1-mini", as_frequencies(["h", "D", None], 3))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert len(np.unique(found, axis=0)) == 3


def test_rows_are_of_checkpoints_of_the_registry():
    embedded = {checkpoint.name for checkpoint in list_checkpoints() if checkpoint.embedded}
    assert {name for name in embedded if not name.endswith("-test")} == set(ROWS)


@pytest.mark.parametrize("name", ["ttm-test", "untrained", "/folder/of/timer-s1-mini"])
def test_another_network_takes_the_row_for_unknown_frequencies(name):
    found = weights_of(name, as_frequencies(["h", "D", None], 3))
    expected = weights_of(OF_OTHERS, as_frequencies(None, 1))
    np.testing.assert_array_equal(found, np.repeat(expected, 3, axis=0))


def test_no_series_have_no_weights():
    assert weights_of("timer-s1-mini", []).shape == (0, len(ATOMS))
