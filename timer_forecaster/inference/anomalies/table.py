"""Tails of one-step forecasts on training data, by `python -m benchmarks.anomaly_table`."""

CHANCES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005)

LOWER = (0.6931, 1.379, 2.255, 2.824, 3.432, 4.374, 5.037, 5.851, 8.073, 10.62, 12.02)
UPPER = (0.6931, 1.355, 2.289, 2.928, 3.715, 4.931, 6.135, 7.909, 11.26, 16.84, 25.09)
"""Depths below and above the median that a step exceeds with a two-sided chance of `CHANCES`."""
