"""Gains of finetuning on unseen data sets: `python -m benchmarks.finetuning`."""
