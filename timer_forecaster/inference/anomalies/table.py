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

LOWER = (0, 0.7493, 1.541, 2.117, 2.704, 3.551, 4.107, 4.827, 5.86, 6.746, 7.302)
UPPER = (0, 0.7518, 1.617, 2.258, 2.943, 3.917, 4.668, 5.425, 6.672, 7.456, 8.554)
"""Surprises below and above the median that a step exceeds with a two-sided chance of `CHANCES`."""
