"""Options of forecasts with covariates."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from timer_forecaster.checks import check_choice, check_flag, check_integer

MODES = ("auto", "always", "off")
"""Uses of covariates: as far as the check shows that they help, in any case, or not at all."""

CHOICES = ("auto", "always", "fast", "off")
"""Options in one word; ``"fast"`` is ``"auto"`` with less effort."""

MODELS = (
    "levels",
    "differences",
    "levels+cycles",
    "log levels",
    "log differences",
    "log levels+cycles",
)
"""The linear models, by the scale that they are fitted on."""

FEW_MODELS = ("differences", "levels+cycles", "log levels+cycles")
"""The models of the fast setting."""


class Effort(NamedTuple):
    """The work that a forecast with covariates may cost."""

    models: Sequence[str]
    groups: int
    """Groups of windows with fits of their own, for a short series."""
    phases: int
    """Rows of the network for each group, where windows are shorter than a patch."""


@dataclasses.dataclass(frozen=True)
class CovariateOptions:
    """Options of forecasts with covariates, for experts.

    Pass it as the option ``covariates`` of a forecast.

    Parameters
    ----------
    mode : {"auto", "always", "off"}
        ``"auto"`` uses covariates as far as the rolling check of a series shows that they help,
        ``"always"`` in any case, ``"off"`` never.
    effort : {"auto", "full", "fast"}
        ``"full"`` fits six linear models, and checks a short series in three groups of windows with
        fits of their own. A long series costs 14 rows of the network, a short one up to 49 short
        rows. ``"fast"`` fits the models `FEW_MODELS` and checks them in one row each: 8 rows.
        ``"auto"`` is ``"full"`` for networks up to a hidden size of 256, and ``"fast"`` for larger
        ones, such as the released one.
    windows : int
        Most windows of the rolling check, at least 2.
    nonlinear : bool
        Whether numeric columns have bends at three of their quantiles and, where steps are shorter
        than half a day, change their effect over the day.

    Raises
    ------
    ValueError, TypeError
        If an option cannot be used. The error names it.

    Examples
    --------
    >>> from timer_forecaster.inference.covariates import CovariateOptions
    >>> CovariateOptions(effort="fast").windows
    10
    """

    mode: str = "auto"
    effort: str = "auto"
    windows: int = 10
    nonlinear: bool = True

    def __post_init__(self) -> None:
        """Check the options."""
        check_choice("mode", self.mode, MODES)
        check_choice("effort", self.effort, ("auto", "full", "fast"))
        object.__setattr__(self, "windows", check_integer("windows", self.windows, least=2))
        object.__setattr__(self, "nonlinear", check_flag("nonlinear", self.nonlinear))

    def effort_for(self, hidden_size: int) -> Effort:
        """Return the models and groups for a network of a hidden size.

        :meta private:
        """
        large = hidden_size > 256
        if self.effort == "fast" or (self.effort == "auto" and large):
            return Effort(FEW_MODELS, groups=1, phases=1)
        return Effort(MODELS, groups=3, phases=2)


def as_covariate_options(covariates: str | CovariateOptions) -> CovariateOptions:
    """Return the options that one word stands for, and options as they are.

    Examples
    --------
    >>> as_covariate_options("fast").effort
    'fast'
    """
    if isinstance(covariates, CovariateOptions):
        return covariates
    check_choice("covariates", covariates, CHOICES)
    if covariates == "fast":
        return CovariateOptions(effort="fast")
    return CovariateOptions(mode=covariates)
