"""The claims of Timer-S1's report at small size: `python -m benchmarks.report_claims`."""
