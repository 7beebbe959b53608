"""The mean of forecasts beyond one pass, for networks of one context."""

import numpy as np


def mean_of_parts(rolled_out, strides):
    """Return mean medians of the median roll-out and the strides, with the strides' mean widths."""
    widths = np.mean([part - part[..., 4:5] for part in strides], axis=0)
    return np.mean([rolled_out, *strides], axis=0)[..., 4:5] + widths
