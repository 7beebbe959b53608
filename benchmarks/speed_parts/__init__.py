"""The parts of `benchmarks/speed.py`, by theme; see there."""
