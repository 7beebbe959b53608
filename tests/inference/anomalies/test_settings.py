"""Settings that cannot be are refused by name."""

import numpy as np
import pytest

from timer_forecaster.inference.anomalies.settings import AnomalySettings


@pytest.mark.parametrize(
    "given, error, message",
    [
        ({"level": 1.0}, ValueError, "level=1.0 must be one number"),
        ({"level": "high"}, ValueError, "level='high'"),
        ({"horizon": 0}, ValueError, "horizon=0 must be at least 1"),
        ({"min_history": 2.5}, TypeError, "min_history=2.5 must be an integer"),
        ({"calibrate": "yes"}, ValueError, "calibrate='yes' is unknown"),
        ({"repair": 1}, TypeError, "repair=1 must be True or False"),
        ({"on_error": "skip"}, ValueError, "on_error='skip' is unknown"),
    ],
)
def test_errors_name_the_setting(given, error, message):
    with pytest.raises(error, match=message):
        AnomalySettings(**given)


def test_numbers_of_numpy_are_plain():
    settings = AnomalySettings(np.float32(0.9), np.uint8(3))
    assert (settings.level, settings.horizon) == (0.9, 3)
    assert settings.chance == pytest.approx(0.1)
