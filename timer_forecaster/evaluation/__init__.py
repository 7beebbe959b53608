"""GIFT-Eval: its protocol and scores, baselines, a runner for any forecaster, and its tables.

`docs/evaluation.md` shows how to use it.
"""

from timer_forecaster.evaluation.baselines import (
    fill_missing,
    naive_forecaster,
    seasonal_naive,
    seasonal_naive_forecaster,
    seasonal_naive_quantiles,
)
from timer_forecaster.evaluation.data import (
    StoredConfiguration,
    find_configurations,
    load_configuration,
    load_configurations,
)
from timer_forecaster.evaluation.gift_eval import TERMS, Configuration, terms_of
from timer_forecaster.evaluation.leaderboard import (
    aggregate,
    baseline_deviation,
    check_published,
    compare,
    read_published,
    relative_scores,
    report,
)
from timer_forecaster.evaluation.metrics import (
    LEVELS,
    geometric_mean,
    interval_coverage,
    mape,
    mase,
    msis,
    quantile_loss,
    score,
    seasonal_error,
    seasonal_errors,
    smape,
    weighted_quantile_loss,
)
from timer_forecaster.evaluation.runner import (
    BASELINES,
    Forecaster,
    PipelineForecaster,
    evaluate,
    evaluate_gift_eval,
    forecast_windows,
)

__all__ = [
    "BASELINES",
    "LEVELS",
    "TERMS",
    "Configuration",
    "Forecaster",
    "PipelineForecaster",
    "StoredConfiguration",
    "aggregate",
    "baseline_deviation",
    "check_published",
    "compare",
    "evaluate",
    "evaluate_gift_eval",
    "fill_missing",
    "find_configurations",
    "forecast_windows",
    "geometric_mean",
    "interval_coverage",
    "load_configuration",
    "load_configurations",
    "mape",
    "mase",
    "msis",
    "naive_forecaster",
    "quantile_loss",
    "read_published",
    "relative_scores",
    "report",
    "score",
    "seasonal_error",
    "seasonal_errors",
    "seasonal_naive",
    "seasonal_naive_forecaster",
    "seasonal_naive_quantiles",
    "smape",
    "terms_of",
    "weighted_quantile_loss",
]
