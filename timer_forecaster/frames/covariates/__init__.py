"""Columns beside the targets of a frame: known over the horizon, or known in the past alone."""
