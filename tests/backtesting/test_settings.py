"""Settings of a backtest."""

import pytest

from timer_forecaster.backtesting.settings import BacktestSettings, Way
from timer_forecaster.evaluation import LEVELS


def test_defaults_follow_the_horizon():
    settings = BacktestSettings(7)
    assert (settings.windows, settings.step, settings.min_history) == (5, 7, 7)
    assert settings.levels == LEVELS
    assert BacktestSettings(7, levels=[0.975, 0.5]).levels == (*LEVELS, 0.975)


def test_ways_are_checked():
    with pytest.raises(ValueError, match="on_error='skip'"):
        Way(on_error="skip")
    with pytest.raises(TypeError, match="progress=1 "):
        Way(progress=1)
