"""A training of a few minutes on a GPU that is lent once: `python -m benchmarks.gpu_run`."""
