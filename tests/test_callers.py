"""Warnings of the package point at the line of the user."""

import warnings

import numpy as np

from timer_forecaster import ForecastPipeline


def test_a_warning_points_at_the_caller_of_the_package():
    pipe = ForecastPipeline.from_pretrained("timer-s1-test")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pipe.predict([np.arange(9.0), []], 2, on_error="nan")
    assert [warning.filename for warning in caught] == [__file__]
