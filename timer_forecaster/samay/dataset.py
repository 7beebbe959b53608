"""Windows of a CSV file, by Samay's arguments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.checks import check_choice, check_integer
from timer_forecaster.samay.splits import MODES, check_boundaries, ends_of, rows_of
from timer_forecaster.samay.table import Channels, read_channels
from timer_forecaster.samay.windows import Windows


class TinyTimeMixerDataset:
    r"""Windows of the channels of a CSV file.

    A window is a history and the steps after it. The steps after it lie in one part of the file;
    the history may reach back into the parts before. ``len`` is the number of windows, and
    ``dataset[i]`` the history (channels, ``context_len``) and the future (channels,
    ``horizon_len``) of one.

    Parameters
    ----------
    name : str, optional
        Name of the data in errors. Default: the path.
    datetime_col : str
        Column of the times, which are on a regular grid. Every other column of numbers is a
        channel.
    path : str or Path
        The file. A data set without it has no windows, and says so when they are needed.
    mode : {"train", "val", "test"}, optional
        Part of the file. Default: all parts.
    context_len, horizon_len : int
        Steps of a history and of a future.
    batch_size : int
        Windows that enter the network at once.
    boundaries : sequence of three int
        The rows before which train, val and test end. 0 is the default: 50 %, 70 %, and the end of
        the file.
    stride : int
        Rows from a window to the next one. The last window ends with the last row of its part.
    target_columns : str or sequence of str, optional
        The channels. Default: all columns that hold measurements; others are named in a warning.

    Raises
    ------
    TypeError, ValueError
        If an argument or the file cannot be used, or a part is too short for a window.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "shop.csv"
    ...     rows = [f"2024-01-{day:02},{day * 3 % 11},{day * 5 % 13}" for day in range(1, 31)]
    ...     _ = file.write_text("\n".join(["day,bread,milk", *rows]))
    ...     dataset = TinyTimeMixerDataset(
    ...         datetime_col="day", path=file, mode="test", context_len=14, horizon_len=4, stride=2
    ...     )
    >>> dataset.columns, len(dataset), dataset[0][0].shape
    (['bread', 'milk'], 4, (2, 14))
    """

    def __init__(
        self,
        name: str | None = None,
        datetime_col: str = "ds",
        path: str | Path | None = None,
        mode: str | None = None,
        context_len: int = 512,
        horizon_len: int = 64,
        batch_size: int = 128,
        boundaries: Sequence[int] = (0, 0, 0),
        stride: int = 10,
        *,
        target_columns: Sequence[str] | str | None = None,
    ) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name={name!r} must be a text")
        if mode is not None:
            check_choice("mode", mode, MODES)
        self.name, self.datetime_col, self.path, self.mode = name, datetime_col, path, mode
        self.context_len = check_integer("context_len", context_len)
        self.horizon_len = check_integer("horizon_len", horizon_len)
        self.batch_size = check_integer("batch_size", batch_size)
        self.boundaries = check_boundaries(boundaries)
        self.stride = check_integer("stride", stride)
        self.target_columns = target_columns
        if path is not None:
            _ = self.windows  # errors of the file and its parts come at once

    @property
    def label(self) -> str:
        """Name of the data in errors."""
        return str(self.path) if self.name is None else f"{self.name} ({self.path})"

    @cached_property
    def _channels(self) -> Channels:
        if self.path is None:
            raise ValueError("path: this data set has no file; name a CSV file as path=...")
        path = Path(self.path).expanduser()
        return read_channels(path, self.datetime_col, self.target_columns)

    @cached_property
    def _ends(self) -> tuple[int, int, int]:
        n_rows = self._channels.values.shape[1]
        try:
            return ends_of(self.boundaries, n_rows)
        except ValueError as error:
            raise ValueError(f"{self.label}: {error}") from None

    @cached_property
    def windows(self) -> Windows:
        """The windows of the part."""
        rows = rows_of(self.mode, self._ends)
        sizes = self.context_len, self.horizon_len, self.stride
        try:
            return Windows.cut(self._channels.values, rows, *sizes)
        except ValueError as error:
            part = "" if self.mode is None else f", mode={self.mode!r}"
            raise ValueError(f"{self.label}{part}: {error}") from None

    @property
    def columns(self) -> list[str]:
        """Names of the channels."""
        return list(self._channels.names)

    @cached_property
    def scales(self) -> FloatArray:
        """Standard deviation of each channel in the part that trains, (channels,).

        Where it is zero, that of all rows or, in the end, 1 takes its place.
        """
        values = self._channels.values
        parts = values[:, : self._ends[0]], values
        found = [[_deviation(one) for one in part] for part in parts]
        return np.array([train or whole or 1.0 for train, whole in zip(*found, strict=True)])

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.windows.origins)

    def __getitem__(self, place: int) -> tuple[FloatArray, FloatArray]:
        """Return the history and the future of a window."""
        chosen = np.arange(len(self))[[place]]
        return self.windows.histories(chosen)[0], self.windows.futures(chosen)[0]

    def __repr__(self) -> str:
        """Return the settings that tell data sets apart."""
        return f"TinyTimeMixerDataset(path={str(self.path)!r}, mode={self.mode!r})"


def _deviation(values: FloatArray) -> float:
    seen = values[~np.isnan(values)]
    unit = float(np.abs(seen).max(initial=0)) or 1.0  # squares may leave the range of floats
    return unit * float((seen / unit).std()) if len(seen) else 0.0
