"""Very odd values are missing in later histories, unless they go on."""

import math

import numpy as np

from timer_forecaster.inference.anomalies.reading import LEFT_OUT, LONGEST_RUN, Reading

ODD, USUAL = (math.log(LEFT_OUT) - 0.1, -9.0), (math.log(LEFT_OUT) + 0.1, -9.0)
RANKED = (math.log(LEFT_OUT) - 0.1, -3.0)


def test_a_spike_is_missing_later():
    given = np.arange(5.0)
    reading = Reading(given)
    assert [
        reading.note(step, *chances) for step, chances in ((1, USUAL), (2, ODD), (3, RANKED))
    ] == [
        False,
        True,
        False,
    ]
    assert np.flatnonzero(np.isnan(reading.values)).tolist() == [2]
    assert given.tolist() == [0, 1, 2, 3, 4]


def test_values_that_stay_odd_are_read_again():
    reading = Reading(np.arange(12.0))
    changed = [reading.note(step, *ODD) for step in range(2, 2 + LONGEST_RUN)]
    assert changed == [True] * LONGEST_RUN
    assert reading.values.tolist() == list(range(12))
    assert not reading.note(2 + LONGEST_RUN, *ODD)  # the run goes on
    assert not reading.note(3 + LONGEST_RUN, *USUAL)
    assert reading.note(4 + LONGEST_RUN, *ODD)  # another one begins
    assert np.isnan(reading.values[4 + LONGEST_RUN])


def test_without_repairs_nothing_changes():
    reading = Reading(np.arange(5.0), repairs=False)
    assert not reading.note(2, *ODD)
    assert reading.values.tolist() == [0, 1, 2, 3, 4]
