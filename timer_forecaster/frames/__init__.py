"""Frames: pandas in, series on regular grids out, and forecasts back into frames."""
