"""Columns of the forecasts of a backtest beside ids, targets, times and quantiles."""

CUTOFF, STEP, OBSERVED, MODEL = "cutoff", "step", "y", "model"
COLUMNS = (CUTOFF, STEP, OBSERVED, MODEL)
