"""Backtests: forecasts of the past from rolling origins, and their scores beside baselines.

`docs/backtest.md` shows how to use it.
"""

from timer_forecaster.backtesting.notes import BacktestWarning
from timer_forecaster.backtesting.result import BacktestResult
from timer_forecaster.backtesting.series import backtest
from timer_forecaster.backtesting.settings import BacktestSettings

__all__ = ["BacktestResult", "BacktestSettings", "BacktestWarning", "backtest"]
