"""Tails of one-step forecasts on training data, by `python -m benchmarks.anomaly_table`."""

CHANCES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005)

LOWER = (0.6931, 1.386, 2.303, 2.996, 3.689, 4.605, 5.298, 5.991, 6.908, 7.601, 8.294)
UPPER = (0.6931, 1.386, 2.303, 2.996, 3.689, 4.605, 5.298, 5.991, 6.908, 7.601, 8.294)
"""Depths below and above the median that a step exceeds with a two-sided chance of `CHANCES`."""
