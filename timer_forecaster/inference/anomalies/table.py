"""Tails of one-step forecasts on training data, by `python -m benchmarks.anomaly_table`."""

CHANCES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005)

LOWER = (0.6931, 1.376, 2.27, 2.917, 3.578, 4.538, 5.28, 6.48, 8.612, 11.98, 13.65)
UPPER = (0.6931, 1.37, 2.362, 3.054, 3.856, 5.036, 6.531, 8.22, 12.57, 18.15, 25.17)
"""Depths below and above the median that a step exceeds with a two-sided chance of `CHANCES`."""
