"""Columns of a report of anomalies beside ids, targets and times."""

STEP = "step"
"""In place of the time, for series without times."""

OBSERVED, MEDIAN, LOWER, UPPER = "y", "median", "lower", "upper"
P_VALUE, SCORE, ANOMALY, REASON = "p_value", "score", "anomaly", "reason"
COLUMNS = (OBSERVED, MEDIAN, LOWER, UPPER, P_VALUE, SCORE, ANOMALY, REASON)
