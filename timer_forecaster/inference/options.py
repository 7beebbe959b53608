"""Options of a forecast, checked in one place for every door."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from timer_forecaster.checks import check_choice, check_flag, check_integer, plain
from timer_forecaster.inference import multiscale
from timer_forecaster.inference.covariate_options import CovariateOptions, as_covariate_options
from timer_forecaster.inference.scaling import PADDINGS
from timer_forecaster.models.network import Architecture
from timer_forecaster.models.timer_s1 import ROLLOUTS
from timer_forecaster.models.timer_s1.architecture import QUALITIES

ROLLOUT_CHOICES = ("auto", *ROLLOUTS)


@dataclasses.dataclass(frozen=True)
class ForecastOptions:
    """Options of a forecast, as in `ForecastPipeline.predict`.

    Every door has a parameter, and the command an option, of each of these names.

    Parameters
    ----------
    context_length : int, optional
        Newest steps to forecast from. Default: as many as the network reads.
    rollout : {"auto", "quantile", "median", "multiscale"}
        How to continue beyond one pass.
    flip : bool
        Whether to average with the mirror image of the forecast of the negative.
    batch_size : int, optional
        Most series that enter the network at once. Default: by a budget of tokens.
    covariates : {"auto", "always", "fast", "off"} or CovariateOptions
        How covariates take part, if there are any.
    padding : {"mean", "released"}
        Values before a history that is shorter than the only context of a network.
    quality : {"fast", "best", "plain"}
        How much work goes into a forecast. ``"fast"``: one reading of each series, transformed if
        the checkpoint prefers it. ``"best"``: the mean of both signs and, within one pass, of a
        transformed series as it is. ``"plain"``: the series as it is.
    nonnegative : {"auto", True, False}
        Whether forecasts are cut off at zero. ``"auto"``: those of a history without negative
        values, where series are transformed. True: all, and negative values are refused.

    Raises
    ------
    ValueError, TypeError
        If an option cannot be used. The error names it.

    Examples
    --------
    >>> from timer_forecaster.inference.options import ForecastOptions
    >>> ForecastOptions(flip=True).rollout
    'auto'
    """

    context_length: int | None = None
    rollout: str = "auto"
    flip: bool = False
    batch_size: int | None = None
    covariates: str | CovariateOptions = "auto"
    padding: str = "mean"
    quality: str = "fast"
    nonnegative: bool | str = "auto"

    def __post_init__(self) -> None:
        """Check the options as far as no network is needed."""
        check_choice("rollout", self.rollout, ROLLOUT_CHOICES)
        as_covariate_options(self.covariates)
        check_choice("padding", self.padding, PADDINGS)
        check_choice("quality", self.quality, QUALITIES)
        self._settle("flip", check_flag)
        self._settle("nonnegative", _check_nonnegative)
        for name in ("context_length", "batch_size"):
            if getattr(self, name) is not None:
                self._settle(name, check_integer)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> ForecastOptions:
        """Return keyword arguments as options, and refuse others.

        Raises
        ------
        TypeError
            If an argument is no option of a forecast. The error names it.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(options) - set(known))
        if unknown:
            raise TypeError(
                f"unexpected keyword argument {unknown[0]!r}; the options of a forecast are "
                f"{', '.join(known)}"
            )
        return cls(**options)

    @property
    def ignores_covariates(self) -> bool:
        """Whether covariates take no part in a forecast."""
        return as_covariate_options(self.covariates).mode == "off"

    @property
    def both_signs(self) -> bool:
        """Whether forecasts are averaged with the mirror images of those of the negatives."""
        return self.flip or self.quality == "best"

    def transforms(self, config: Architecture) -> bool:
        """Whether series are transformed before the network reads them."""
        return self.quality != "plain" and config.transforms_series

    @property
    def zeros_before(self) -> bool:
        """Whether zeros that count as observed go before a short history."""
        return self.padding == "released"

    def check_padding(self, config: Architecture, name: str) -> None:
        """Refuse zeros before short histories where the network reads contexts of any length.

        Raises
        ------
        ValueError
        """
        if self.zeros_before and not config.fixed_context:
            raise ValueError(
                f"padding={self.padding!r} is for networks of one context length, such as "
                f"TinyTimeMixer: {name} reads a short history as it is; leave padding out"
            )

    @property
    def arguments(self) -> dict[str, Any]:
        """The options as keyword arguments of `ForecastPipeline.predict`."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def _settle(self, name: str, check: Callable[[str, Any], Any]) -> None:
        """Check an option and keep it as a Python value, which numpy cannot make wrap around."""
        object.__setattr__(self, name, check(name, getattr(self, name)))

    def rollout_of(self, config: Architecture) -> str:
        """Return the roll-out; ``"auto"`` is the preference of the checkpoint."""
        return config.preferred_rollout if self.rollout == "auto" else self.rollout

    def reads_beyond_pass(self, config: Architecture) -> bool:
        """Whether a forecast depends on older steps than one pass of the network reads.

        They tell how a series is transformed, or have errors of point forecasts at past origins.
        """
        return self.transforms(config) or not config.forecasts_quantiles

    def longest_history(self, config: Architecture) -> int:
        """Return the number of newest steps that a forecast of any horizon can read."""
        looks_back = self.rollout_of(config) == "multiscale" or self.reads_beyond_pass(config)
        return self._at_most(multiscale.LOOK_BACK if looks_back else config.max_context_length)

    def longest_context(self, config: Architecture) -> int:
        """Return the number of newest steps that one pass of the network reads at most."""
        return self._at_most(config.max_context_length)

    def _at_most(self, longest: int) -> int:
        return min(self.context_length or longest, longest)


def _check_nonnegative(name: str, value: Any) -> bool | str:
    """Return True or False as a Python bool, or "auto"."""
    choice = plain(value)
    if isinstance(choice, bool) or (isinstance(choice, str) and choice == "auto"):
        return choice
    raise TypeError(f"{name}={value!r} must be 'auto', True or False")


DEFAULT = ForecastOptions()


def check_symmetric(levels: Sequence[float]) -> None:
    """Refuse levels that are not symmetric about 0.5, which the mean of both signs needs."""
    if not np.allclose(np.add(levels, levels[::-1]), 1.0):
        raise ValueError(
            "flip=True and quality='best' need levels symmetric about 0.5; the checkpoint's are "
            f"{tuple(levels)}"
        )
