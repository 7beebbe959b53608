"""Columns beside the targets of a frame: known over the horizon, or known in the past alone."""

from timer_forecaster.frames.covariates.tables import CovariateFrame

__all__ = ["CovariateFrame"]
