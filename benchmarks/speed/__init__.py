"""Speed and memory of forecasts: `python -m benchmarks.speed`."""
