"""A part of the data for a small corpus: the newest steps of some series of each data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from timer_forecaster.corpus.curation import MIN_OBSERVED
from timer_forecaster.settings import setting

if TYPE_CHECKING:
    from timer_forecaster.corpus.sources import Array  # needs pyarrow, which the settings do not

__all__ = ["Excerpt"]


@dataclass(frozen=True)
class Excerpt:
    """Bounds of what a corpus takes from each data set; None means no bound.

    The values that are kept stay as they are. The sampler draws a data set in proportion to a power
    of its points, so a bound on the largest data sets also moves draws to the smaller ones.

    Parameters
    ----------
    newest : int, optional
        Keep this many steps of each series, up to its last observed value.
    most_series : int, optional
        Keep at most this many series of each data set, chosen at random.

    Raises
    ------
    ValueError
        If a bound leaves nothing.

    Examples
    --------
    >>> import numpy as np
    >>> Excerpt(newest=12).cut(np.append(np.arange(20.0), np.nan))[:3].tolist()
    [8.0, 9.0, 10.0]
    """

    newest: int | None = setting(None, "keep this many newest steps of each series", "STEPS")
    most_series: int | None = setting(
        None, "keep at most this many series of each data set, chosen at random", "SERIES"
    )

    def __post_init__(self) -> None:
        """Check the bounds."""
        for name, least in (("newest", MIN_OBSERVED), ("most_series", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name}={value!r} must be at least {least}")

    def chosen(self, count: int, dataset: str, seed: int) -> npt.NDArray[np.bool_]:
        """Return which of the series of a data set are kept; other data sets have no influence.

        :meta private:
        """
        kept = np.ones(count, dtype=bool)
        if self.most_series is not None:
            order = np.random.default_rng([seed, *dataset.encode()]).permutation(count)
            kept[order[self.most_series :]] = False
        return kept

    def cut(self, values: Array) -> Array:
        """Return the newest steps of a series, up to its last observed value.

        :meta private:
        """
        if self.newest is None:
            return values
        observed = np.flatnonzero(np.isfinite(values))
        end = observed[-1] + 1 if len(observed) else len(values)
        return values[max(0, end - self.newest) : end]
