"""Frames: pandas in, regular series out, and forecasts back into frames."""
