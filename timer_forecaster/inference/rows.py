"""Series as the rows that a network reads, and what it reads beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.channels import read_series, width_of
from timer_forecaster.inference.engine.choice import engine_of
from timer_forecaster.inference.scaling import Row, in_units, scaled_together
from timer_forecaster.models.network import Network


class Beside(NamedTuple):
    """What a network reads beside each of its rows."""

    tokens: Sequence[int] | None = None
    """Of the frequency of its series."""
    known: Sequence[FloatArray] | None = None
    """Columns (columns, steps + horizon), as `timer_forecaster.inference.known` has them."""

    def take(self, rows: Sequence[int]) -> Beside:
        """Return what stands beside some of the rows."""
        tokens = None if self.tokens is None else [self.tokens[i] for i in rows]
        known = None if self.known is None else [self.known[i] for i in rows]
        return Beside(tokens, known)

    def mirrored(self) -> Beside:
        """Return this for rows, followed by this for their negatives."""
        tokens = None if self.tokens is None else [*self.tokens, *self.tokens]
        if self.known is None:
            return Beside(tokens)
        return Beside(tokens, [*self.known, *(-columns for columns in self.known)])

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of `forecast_rows` of an engine; only some engines take them."""
        return {name: part for name, part in self._asdict().items() if part is not None}


NOTHING = Beside()


class Rows(NamedTuple):
    """Series, and the rows of them that a network reads: those with a series that varies."""

    scaled: list[Row]
    """All series."""
    numbers: list[int]
    """Numbers of the series that are read."""
    varies: NDArray[np.bool_]
    """Whether each of them varies; others are read beside a series of their row that does."""
    values: list[FloatArray]
    """Of the series that are read, standardized."""
    beside: Beside

    @classmethod
    def of(
        cls,
        network: Network,
        series: Sequence[FloatArray],
        zeros_before: bool = False,
        beside: Beside = NOTHING,
    ) -> Rows:
        """Scale checked series; `beside` is for the rows of all of them."""
        width = width_of(network.config)
        scaled = scaled_rows(network, series, zeros_before)
        numbers, varies = read_series([row.scale for row in scaled], width)
        own = beside.take([number // width for number in numbers[::width]])
        return cls(scaled, numbers, varies, [scaled[i].values for i in numbers], own)

    def forecast(
        self,
        network: Network,
        horizon: int,
        rollout: str,
        batch_size: int | None,
        on_batch: Callable[[int], Any] = lambda n_rows: None,
        offsets: FloatArray | None = None,
        flip: bool = False,
    ) -> FloatArray:
        """Return quantiles (n_series, horizon, Q) in the units of all series.

        The parameters are those of `forecast_rows` of an engine. ``flip`` takes the mean of the
        forecasts of both signs.
        """
        values, beside, how = self.values, self.beside, {}
        if flip:
            values, beside = [*values, *(-row for row in values)], beside.mirrored()
        if offsets is not None:
            how["offsets"] = _of_both_signs(offsets) if flip else offsets
        given = values, horizon, rollout, batch_size, on_batch
        found = engine_of(network).forecast_rows(network, *given, **how, **beside.arguments)
        if flip:
            found, negative = np.split(found, 2)
            found = (found - negative[:, :, ::-1]) / 2
        return in_units(self.scaled, found[self.varies])


def scaled_rows(
    network: Network, series: Sequence[FloatArray], zeros_before: bool = False
) -> list[Row]:
    """Return checked series as a network reads them."""
    config = network.config
    return scaled_together(series, config.max_context_length, config.interior_masks, zeros_before)


def medians(
    network: Network,
    series: Sequence[FloatArray],
    horizon: int,
    rollout: str,
    batch_size: int | None,
    zeros_before: bool = False,
    beside: Beside = NOTHING,
) -> FloatArray:
    """Return the medians (n_series, horizon) that a network forecasts, in the units of series.

    The series are checked. The forecasts of a network without quantiles are its medians.
    """
    rows = Rows.of(network, series, zeros_before, beside)
    quantiles = rows.forecast(network, horizon, rollout, batch_size)
    return quantiles[..., len(network.config.quantiles) // 2]


def _of_both_signs(offsets: FloatArray) -> FloatArray:
    return np.concatenate([offsets, -offsets[:, :, ::-1]])
