"""Settings of a backtest."""

import numpy as np
import pytest

from timer_forecaster.backtesting.settings import BacktestSettings, Way
from timer_forecaster.evaluation import LEVELS


def test_defaults_follow_the_horizon():
    settings = BacktestSettings(7)
    assert (settings.windows, settings.step, settings.min_history) == (5, 7, 7)
    assert settings.levels == LEVELS
    assert BacktestSettings(7, levels=[0.975, 0.5]).levels == (*LEVELS, 0.975)


def test_levels_of_one_column_are_one_level():
    steps = np.arange(0.1, 1, 0.1)
    assert set(steps) != set(LEVELS)  # 0.30000000000000004
    assert BacktestSettings(7, levels=steps).levels == LEVELS


def test_ways_are_checked():
    with pytest.raises(ValueError, match="on_error='skip'"):
        Way(on_error="skip")
    with pytest.raises(TypeError, match="progress=1 "):
        Way(progress=1)
