"""sktime's own Timer-S1 class and ours: `python -m benchmarks.sktime_comparison`."""
