"""Covariates of Darts' windows as tables of the pipeline.

Shapes in comments: B windows of a batch, L steps of a window, T steps of the output chunk,
C components of the target, P components of covariates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from timer_forecaster.arrays import FloatArray
from timer_forecaster.darts.framework import (
    FeatureType,
    PLModuleInput,
    SequentialTorchInferenceDataset,
    series2seq,
)
from timer_forecaster.frames.calendar.periods import periods_of
from timer_forecaster.inference.covariates.tables import Tables
from timer_forecaster.inference.covariates.warning import warn_of_covariates, warned_once
from timer_forecaster.inference.frequency import Frequency

_INDEPENDENT_ENCODERS = {"cyclic", "datetime_attribute", "tz"}
_ROLES = {"known": "future_covariates", "past": "past_covariates"}

Names = Sequence[str] | None


class Windows(SequentialTorchInferenceDataset):
    """Windows of series, with the future covariates of steps that ``output_chunk_shift`` skips."""

    output_chunk_shift: int

    def _memory_indexer(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        bounds: dict[Any, Any] = super()._memory_indexer(*args, **kwargs)
        start, stop = bounds[FeatureType.HISTORIC_FUTURE_COVARIATES]
        if stop is not None:
            stop += self.output_chunk_shift
        return {**bounds, FeatureType.HISTORIC_FUTURE_COVARIATES: (start, stop)}


class CovariateWindows:
    """Mixin of a Darts model whose module is a `CovariateReader`."""

    def _build_inference_dataset(self: Any, **kwargs: Any) -> Windows:
        return Windows(
            **kwargs,
            input_chunk_length=(self.min_input_chunk_length, self.input_chunk_length),
            output_chunk_length=self.output_chunk_length,
            output_chunk_shift=self.output_chunk_shift,
            use_static_covariates=self.uses_static_covariates,
        )

    def generate_fit_encodings(self: Any, *args: Any, **kwargs: Any) -> Any:
        """Return covariates with encodings of the series, as Darts' own method does.

        Without ``enable_finetuning`` they reach beyond the end of the series, because Darts' end
        an output chunk before it, and `fit` then reads the newest window.
        """
        found = super().generate_fit_encodings(*args, **kwargs)  # type: ignore[misc]
        if self._requires_training:
            return found
        return self.generate_fit_predict_encodings(1, *args, **kwargs)

    def _setup_for_predict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super()._setup_for_predict(*args, **kwargs)  # type: ignore[misc]
        module = found["model"]
        module.column_names = components_of(found["datamodule"].predict_dataset)
        module.first_window = 0
        return found

    def predict_from_dataset(self, *args: Any, **kwargs: Any) -> Any:
        """Forecast a dataset as Darts' own method does, with one warning of each kind."""
        with warned_once():
            return super().predict_from_dataset(*args, **kwargs)  # type: ignore[misc]

    def _train(self: Any, *args: Any, **kwargs: Any) -> None:
        if self._requires_training and (self.uses_past_covariates or self.uses_future_covariates):
            warn_of_covariates(
                "covariates take no part in finetuning: the network learns from the target alone, "
                "and predict() uses the covariates around it"
            )
        super()._train(*args, **kwargs)  # type: ignore[misc]


def components_of(dataset: Any) -> tuple[Names, Names]:
    """Return the names of future and of past covariates; None where a dataset tells none."""
    names = []
    for role in ("future_covariates", "past_covariates"):
        series = getattr(dataset, role, None)
        first = series[0] if isinstance(series, Sequence) and len(series) else series
        found = getattr(first, "components", None)
        names.append(None if found is None else [str(name) for name in found])
    return names[0], names[1]


def steps_of(schemas: Sequence[Any] | None) -> list[Any]:
    """Return the frequencies of the series of windows; None where there is none."""
    return [None if schema is None else schema.get("time_freq") for schema in schemas or [None]]


def common_frequency(dataset: Any) -> Any:
    """Return the frequency that all series of a dataset have; None if they have several."""
    series = getattr(dataset, "series", None)
    found = {getattr(one, "freq", None) for one in series2seq(series) or ()}
    return found.pop() if len(found) == 1 else None


def tables_of(
    x_in: PLModuleInput,
    horizon: int,
    steps: Sequence[Any],
    columns: tuple[Names, Names],
    names: Sequence[str],
) -> Tables | None:
    """Return the covariates of a batch, a table for each window and component; None without any.

    Parameters
    ----------
    x_in : PLModuleInput
    horizon : int
        Steps after the window: the shift and the output chunk.
    steps : sequence
        Frequencies of the different windows. Darts repeats them to draw samples.
    columns : tuple of names
        Components of future and of past covariates.
    names : sequence of str
        Name of each window and component.
    """
    n_windows, length, n_components = x_in.past_target.shape
    known = _known(x_in, length + horizon)  # (B, L + shift + T, P)
    past = _values(x_in.past_covariates)  # (B, L, P)
    if known is None and past is None:
        return None
    cycles = [periods_of(step) for step in steps]
    own = [cycles[window % len(cycles)] for window in range(n_windows)]
    future_names, past_names = columns
    return Tables(
        known=_tables(known, future_names, (), n_components),
        past=_tables(past, past_names, _labels(known, future_names), n_components),
        cycles=[periods for periods in own for _ in range(n_components)],
        names=names,
        roles=_ROLES,
    )


def _known(x_in: PLModuleInput, steps: int) -> FloatArray | None:
    """Return future covariates over the window and the horizon, missing where not given."""
    future = _values(x_in.future_covariates)
    history = _values(x_in.historic_future_covariates)
    if future is None:
        return None
    if history is None:
        history = future[:, :0]
    shape = (len(future), steps - history.shape[1] - future.shape[1], future.shape[2])
    return np.concatenate([history, np.full(shape, np.nan), future], axis=1)


def _values(tensor: Tensor | None) -> FloatArray | None:
    """Return a tensor in float64."""
    return None if tensor is None else tensor.cpu().double().numpy()


def _labels(values: FloatArray | None, names: Names) -> Sequence[Any]:
    """Return the names of columns; their numbers if they have no names."""
    if values is None:
        return ()
    return names if names is not None else range(values.shape[2])


def _tables(
    values: FloatArray | None, names: Names, taken: Sequence[Any], n_components: int
) -> list[dict[Any, FloatArray]] | None:
    """Return a table for each window and component; a name that is taken is told apart."""
    if values is None:
        return None
    labels = _labels(values, names)
    labels = [f"{name} of the past" if name in taken else name for name in labels]
    return [
        table
        for window in values
        for table in [dict(zip(labels, window.T, strict=True))] * n_components
    ]


class CovariateReader:
    """Mixin of a Lightning module: what a prediction knows of covariates beside their values."""

    column_names: tuple[Names, Names] = (None, None)
    """Components of future and of past covariates."""

    first_window = 0
    """Number of the first window of a batch."""

    trained_frequency: Frequency | None = None
    """Frequency of the series in training, for a network that reads it."""

    _steps: Sequence[Any] = (None,)
    _n_windows: int | None = None

    def predict_step(self, batch: Any, *args: Any, **kwargs: Any) -> Any:
        """Forecast a batch, whose series have frequencies."""
        self._steps, self._n_windows = steps_of(batch.series_schema), len(batch.past_target)
        found = super().predict_step(batch, *args, **kwargs)  # type: ignore[misc]
        self.first_window += self._n_windows
        self._steps, self._n_windows = (None,), None
        return found

    def _frequencies(self, n_rows: int, n_components: int) -> list[Any]:
        """Return the frequency of each window and component."""
        return [self._steps[row // n_components % len(self._steps)] for row in range(n_rows)]

    def _tables(self, x_in: PLModuleInput, horizon: int, names: Sequence[str]) -> Tables | None:
        """Return the covariates of a batch; None without any."""
        return tables_of(x_in, horizon, self._steps, self.column_names, names)

    def _row_names(self, n_rows: int, n_components: int) -> list[str]:
        """Return the name of each window and component; Darts repeats windows to draw samples."""
        n_windows = self._n_windows or n_rows
        windows = (row // n_components % n_windows + self.first_window for row in range(n_rows))
        if n_components == 1:
            return [f"window {window}" for window in windows]
        return [
            f"window {window}, component {row % n_components}" for row, window in enumerate(windows)
        ]


def encodes_alike(add_encoders: dict[str, Any] | None) -> bool:
    """Whether encoders give a step the same values, whichever window and history it belongs to."""
    return set(add_encoders or {}) <= _INDEPENDENT_ENCODERS


def first_with_covariates(
    series: Any, past_covariates: Any, future_covariates: Any
) -> tuple[Any, dict[str, Any]]:
    """Return the first series as far as its covariates reach, and its covariates for `fit`."""
    found, covariates = series[0], {}
    given = {"past_covariates": past_covariates, "future_covariates": future_covariates}
    for role, many in given.items():
        if many is not None:
            covariates[role] = many[0]
            found = found.slice_intersect(many[0])
    return found, covariates
