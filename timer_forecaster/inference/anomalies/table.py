"""Errors of one-step forecasts on training data, by `python -m benchmarks.anomaly_table`."""

WEIGHTS = (
    (0.0002, 0.0152, 0.0002, 0.0002, 0.0002),
    (0.0002, 0.0002, 0.0241, 0.0002, 0.0002),
    (0.0002, 0.0092, 0.2368, 0.1812, 0.0243),
    (0.0002, 0.0002, 0.0897, 0.2769, 0.1345),
    (0.0002, 0.0002, 0.0002, 0.0002, 0.0002),
    (0.0002, 0.0002, 0.0002, 0.0002, 0.0002),
    (0.0002, 0.0002, 0.0002, 0.0002, 0.0002),
    (0.0002, 0.0002, 0.0002, 0.0002, 0.0002),
    (0.0002, 0.0002, 0.0002, 0.0002, 0.0002),
)
"""Of the kinds of `timer_forecaster.inference.anomalies.kinds`: a row for each scale, a column for each
degrees of freedom."""

CHANCES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005)

LOWER = (0, 0.7476, 1.542, 2.118, 2.712, 3.569, 4.134, 4.779, 5.795, 6.572, 7.518)
UPPER = (0, 0.7592, 1.625, 2.255, 2.947, 3.92, 4.667, 5.446, 6.888, 7.603, 8.933)
"""Surprises below and above the median that a step exceeds with a two-sided chance of `CHANCES`."""
