"""GIFT-Eval: protocol, scores, baselines, a runner for any forecaster, and tables.

`docs/evaluation.md` shows how to use it.
"""

from timer_forecaster.evaluation.baselines import (
    fill_missing,
    naive_forecaster,
    seasonal_naive,
    seasonal_naive_forecaster,
    seasonal_naive_quantiles,
)
from timer_forecaster.evaluation.data import find_configurations, load_configuration
from timer_forecaster.evaluation.gift_eval import TERMS, Configuration
from timer_forecaster.evaluation.leaderboard import aggregate, compare, read_published, report
from timer_forecaster.evaluation.metrics import (
    LEVELS,
    geometric_mean,
    interval_coverage,
    mape,
    mase,
    msis,
    quantile_loss,
    seasonal_error,
    smape,
    weighted_quantile_loss,
)
from timer_forecaster.evaluation.runner import (
    Forecaster,
    PipelineForecaster,
    evaluate,
    evaluate_gift_eval,
)
from timer_forecaster.evaluation.scores import score

__all__ = [
    "LEVELS",
    "TERMS",
    "Configuration",
    "Forecaster",
    "PipelineForecaster",
    "aggregate",
    "compare",
    "evaluate",
    "evaluate_gift_eval",
    "fill_missing",
    "find_configurations",
    "geometric_mean",
    "interval_coverage",
    "load_configuration",
    "mape",
    "mase",
    "msis",
    "naive_forecaster",
    "quantile_loss",
    "read_published",
    "report",
    "score",
    "seasonal_error",
    "seasonal_naive",
    "seasonal_naive_forecaster",
    "seasonal_naive_quantiles",
    "smape",
    "weighted_quantile_loss",
]
