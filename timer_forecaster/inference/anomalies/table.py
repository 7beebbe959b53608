"""Errors of one-step forecasts on training data, by `python -m benchmarks.anomaly_table`."""

WEIGHTS = (
    (0.0002, 0.0077, 0.0002, 0.0002, 0.0002),
    (0.0002, 0.0002, 0.0400, 0.0002, 0.0002),
    (0.0002, 0.0370, 0.2586, 0.1626, 0.0240),
    (0.0002, 0.0002, 0.0859, 0.2554, 0.1208),
    (0.0002, 0.0002, 0.0002, 0.0002, 0.0003),
    (0.0002, 0.0002, 0.0002, 0.0002, 0.0002),
    (0.0002, 0.0002, 0.0002, 0.0002, 0.0002),
    (0.0002, 0.0002, 0.0002, 0.0002, 0.0002),
    (0.0002, 0.0002, 0.0002, 0.0002, 0.0002),
)
"""Of the kinds of `timer_forecaster.inference.anomalies.kinds`: a row for each scale, a
column for each degrees of freedom."""

CHANCES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005)

LOWER = (0, 0.7543, 1.541, 2.127, 2.732, 3.603, 4.163, 4.944, 5.967, 6.958, 7.483)
UPPER = (0, 0.7556, 1.627, 2.257, 2.969, 3.96, 4.7, 5.405, 6.711, 7.667, 9.039)
"""Surprises below and above the median that a step exceeds with a two-sided chance of `CHANCES`."""
