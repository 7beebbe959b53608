"""Covariates: columns beside a series that say more about its future than its past does.

The network reads one series. Small linear models in the context of the series explain a part of it
by the columns, and the network forecasts each remainder. A rolling check in the newest half of the
context weighs these forecasts against the plain one, and falls back on it where the check does not
convince. `docs/covariates.md` describes the method.
"""

from timer_forecaster.inference.covariate_options import CovariateOptions
from timer_forecaster.inference.covariates.report import CovariateReport
from timer_forecaster.inference.covariates.warning import CovariateWarning

__all__ = ["CovariateOptions", "CovariateReport", "CovariateWarning"]
