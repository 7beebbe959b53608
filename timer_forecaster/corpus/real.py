"""Real training series: one compact file on disk, random windows on the device.

`pack` gathers a folder of Parquet files into one compressed archive of 16-bit integers;
`RealSeries` unpacks it into the memory of a device and draws windows there, so that the training
loop never waits for the disk or for the host.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from timer_forecaster.corpus.primitives import local_generator

__all__ = [
    "HELD_OUT",
    "HELD_OUT_SERIES",
    "DatasetSummary",
    "RealSeries",
    "pack",
    "summary_table",
]

HELD_OUT: tuple[str, ...] = (
    "np_load_rte__H",
    "vic_elec__30T",
    "darts_taylor__30T",
    "us_gasoline__W",
    "tourism_monthly__M",
    "tourism_quarterly__Q",
    "pedestrian4__H",
    "hourly_peds__H",
    "metro_interstate__H",
    "nn5__D",
    "sunspot_daily__D",
    "spain_price__H",
    "tetouan_power__10T",
    "steel_energy__15T",
    "avocado__W",
    "aus_retail__M",
    "nab__5T",
    "call_center_aht__15T",
    "fremont_bridge__H",
    "bikeshare_dc__H",
)
"""Datasets kept out of training: they serve validation, examples and fine-tuning studies."""

HELD_OUT_SERIES: tuple[str, ...] = (
    # air passengers
    "m1_monthly/MNI166",
    "r_small/tsdl_160",
    # US gasoline
    "r_small/fpp2-package_gasoline",
    # sunspots
    "r_small/tsdl_618",
    "r_small/fpp2-package_sunspotarea",
    "r_small/tswge_sunspot2.0",
    "r_small/tswge_sunspot2.0.month",
    "r_small/Rdatasets_datasets_sunspot.m2014",
    "r_small/Rdatasets_datasets_sunspot.month",
    # lynx, Nile, wine, beer, wool, deaths: the teaching series of most manuals
    "r_small/fma_lynx",
    "r_small/astsa_Lynx",
    "r_small/tswge_llynx",
    "r_small/tsdl_321",
    "r_small/tsdl_155_6",
    "r_small/forecast_wineind",
    "r_small/fpp2-package_ausbeer",
    "aus_production/Beer",
    "r_small/tsdl_157",
    "r_small/Rdatasets_MASS_deaths",
)
"""Single series of other datasets that repeat a held-out one or a series used in examples."""

MISSING = -32768
"""The 16-bit integer that stands for a missing step."""

_LARGEST = 32767
_MIN_OBSERVED = 12
_MAX_FACTOR = 8

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class DatasetSummary:
    """What `pack` kept of one dataset."""

    name: str
    series_found: int
    points_found: int
    series_kept: int
    points_kept: int


def pack(
    folder: str | Path,
    output: str | Path,
    exclude: Sequence[str] | None = None,
    exclude_series: Sequence[str] = HELD_OUT_SERIES,
    max_points_per_dataset: int = 2_000_000,
    max_points_per_series: int = 32_768,
    seed: int = 0,
) -> list[DatasetSummary]:
    """Gather Parquet files of series into one compressed archive.

    Every series is mapped affinely to 16-bit integers (exactly, where its values lie on a decimal
    grid of at most 65 535 steps; else with an error of at most 1/131 068 of its range) and stored
    as differences in two byte planes, which compress to about half the size of the plain integers.

    Parameters
    ----------
    folder : path
        Holds one file ``<dataset>__<freq>.parquet`` per dataset with columns ``item_id`` and
        ``target`` (list of floats, NaN = missing).
    output : path
        The ``.npz`` file to write.
    exclude : sequence of str
        File stems to leave out. Default: those of `HELD_OUT` that are there.
    exclude_series : sequence of str
        Values of ``item_id`` to leave out.
    max_points_per_dataset : int
        Series are kept in random order until this many points are reached.
    max_points_per_series : int
        Longer series are cut to a random window of this many points.
    seed : int
        Seed of both choices.

    Returns
    -------
    list of DatasetSummary
        One per dataset, in the order of the file names.

    Raises
    ------
    ValueError
        If the folder holds no Parquet file, or none of an excluded name.
    """
    if exclude is None:
        exclude = [name for name in HELD_OUT if (Path(folder) / f"{name}.parquet").exists()]
    files = _dataset_files(Path(folder), exclude)
    unwanted = frozenset(exclude_series)
    summaries, codes, lengths, datasets, scales, shifts = [], [], [], [], [], []
    for number, file in enumerate(files):
        rng = np.random.default_rng([seed, number])
        frame = pd.read_parquet(file, columns=["item_id", "target"])
        series = list(_usable(frame, unwanted))
        kept = list(_limit(series, max_points_per_dataset, max_points_per_series, rng))
        for values in kept:
            code, scale, shift = _quantise(values)
            codes.append(code)
            lengths.append(len(code))
            datasets.append(number)
            scales.append(scale)
            shifts.append(shift)
        summaries.append(
            DatasetSummary(
                name=file.stem,
                series_found=len(frame),
                points_found=sum(len(values) for values in frame["target"]),
                series_kept=len(kept),
                points_kept=sum(len(values) for values in kept),
            )
        )
    low, high = _to_planes(np.concatenate(codes))
    np.savez_compressed(
        output,
        low=low,
        high=high,
        length=np.array(lengths, dtype=np.int32),
        dataset=np.array(datasets, dtype=np.int16),
        scale=np.array(scales, dtype=np.float64),
        shift=np.array(shifts, dtype=np.float64),
        names=np.array([file.stem for file in files]),
    )
    return summaries


def _dataset_files(folder: Path, exclude: Sequence[str]) -> list[Path]:
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise ValueError(f"folder={str(folder)!r} holds no Parquet file (*.parquet)")
    unknown = sorted(set(exclude) - {file.stem for file in files})
    if unknown:
        raise ValueError(
            f"exclude names datasets that are not in {str(folder)!r}: {', '.join(unknown)}. "
            "Give the stems of its files, such as 'electricity__H'"
        )
    return [file for file in files if file.stem not in exclude]


def _usable(frame: pd.DataFrame, unwanted: frozenset[str]) -> Iterator[Array]:
    for name, target in zip(frame["item_id"], frame["target"], strict=True):
        if name not in unwanted:
            yield from _trimmed(np.asarray(target, dtype=np.float32))


def _trimmed(values: Array) -> Iterator[Array]:
    """Cut gaps off both ends; yield the series if it is varied enough to learn from."""
    observed = np.flatnonzero(np.isfinite(values))
    if len(observed) >= _MIN_OBSERVED and np.ptp(values[observed]) > 0:
        yield np.where(np.isfinite(values), values, np.nan)[observed[0] : observed[-1] + 1]


def _limit(
    series: Sequence[Array], max_points: int, max_length: int, rng: np.random.Generator
) -> Iterator[Array]:
    """Series in random order until `max_points` are reached, long ones cut at random.

    Datasets within the limit are kept whole.
    """
    if sum(len(values) for values in series) <= max_points:
        yield from series
        return
    left = max_points
    for index in rng.permutation(len(series)):
        values = _cut(series[index], max_length, rng)
        if len(values) > left:
            return
        left -= len(values)
        yield values


def _cut(values: Array, max_length: int, rng: np.random.Generator) -> Array:
    if len(values) <= max_length:
        return values
    start = int(rng.integers(len(values) - max_length + 1))
    return next(_trimmed(values[start : start + max_length]), values[:max_length])


def _quantise(values: Array) -> tuple[npt.NDArray[np.int16], float, float]:
    """Codes, scale and shift with ``values = codes * scale + shift`` and NaN as `MISSING`."""
    exact = values.astype(np.float64)
    low, high = float(np.nanmin(exact)), float(np.nanmax(exact))
    scale = _decimal_step(exact, high - low) or (high - low) / (2 * _LARGEST)
    middle = np.round((high - low) / scale / 2)
    steps = np.round((exact - low) / scale) - middle
    codes = np.where(np.isfinite(exact), steps, MISSING).astype(np.int16)
    return codes, scale, low + middle * scale


def _decimal_step(values: npt.NDArray[np.float64], span: float) -> float | None:
    """Find the coarsest step 1, .1, .01, .001 whose multiples hold all values in 16 bits."""
    observed = values[np.isfinite(values)]
    # Parquet holds float32: a decimal number is recovered up to its rounding.
    tolerance = 1e-6 * float(np.abs(observed).max())
    for digits in range(4):
        step = 10.0**-digits
        if span > 2 * _LARGEST * step or tolerance > 0.1 * step:
            return None
        if np.abs(observed - np.round(observed / step) * step).max() <= tolerance:
            return step
    return None


def _to_planes(codes: npt.NDArray[np.int16]) -> tuple[npt.NDArray[np.uint8], ...]:
    """Differences modulo 2**16, folded to small unsigned numbers, as low and high bytes."""
    step = np.diff(codes, prepend=np.int16(0))
    folded = ((step << 1) ^ (step >> 15)).view(np.uint16)
    return (folded & 0xFF).astype(np.uint8), (folded >> 8).astype(np.uint8)


def _from_planes(low: npt.NDArray[np.uint8], high: npt.NDArray[np.uint8]) -> npt.NDArray[np.int16]:
    folded = low.astype(np.uint16) | (high.astype(np.uint16) << 8)
    step = (folded >> 1) ^ (np.uint16(0) - (folded & 1))
    return np.cumsum(step, dtype=np.uint16).view(np.int16)


class RealSeries:
    """Random windows of packed real series.

    A dataset is drawn with probability proportional to ``points ** tempering``, a series of it in
    proportion to its length, a window uniformly.

    Parameters
    ----------
    file : path
        An archive written by `pack`.
    device : torch.device or str
        Where the archive is held (two bytes per point) and windows are made.
    tempering : float
        1 draws all points alike, 0 all datasets alike.
    """

    def __init__(
        self, file: str | Path, device: torch.device | str = "cpu", tempering: float = 0.5
    ) -> None:
        self.device = torch.device(device)
        with np.load(file) as archive:
            codes = _from_planes(archive["low"], archive["high"])
            length = archive["length"].astype(np.int64)
            dataset = archive["dataset"].astype(np.int64)
            self.names: tuple[str, ...] = tuple(str(name) for name in archive["names"])
            scale, shift = archive["scale"], archive["shift"]
        points = np.bincount(dataset, weights=length, minlength=len(self.names))
        weight = length * points[dataset] ** (tempering - 1.0)
        self.points = int(length.sum())
        self._codes = torch.from_numpy(codes).to(self.device)
        self._length = torch.from_numpy(length).to(self.device)
        self._offset = torch.from_numpy(np.cumsum(length) - length).to(self.device)
        self._scale = torch.from_numpy(scale.astype(np.float32)).to(self.device)
        self._shift = torch.from_numpy(shift.astype(np.float32)).to(self.device)
        self._weight = torch.from_numpy((weight / weight.sum()).astype(np.float32)).to(self.device)

    def __len__(self) -> int:
        """Count the series."""
        return len(self._length)

    def sample(
        self,
        batch_size: int,
        length: int,
        generator: torch.Generator,
        device: torch.device | str | None = None,
        downsample: float = 0.3,
        flip: float = 0.5,
    ) -> torch.Tensor:
        """Draw windows.

        Parameters
        ----------
        batch_size, length : int
            Number of rows and of steps in each.
        generator : torch.Generator
            On the CPU, or on the device of the archive.
        device : torch.device or str, optional
            Where to return the windows. Default: where the archive is.
        downsample : float
            Share of rows whose steps are means of 2 to 8 original steps (as far as the series is
            long enough for that).
        flip : float
            Share of rows with their sign changed.

        Returns
        -------
        torch.Tensor of shape (batch_size, length), float32
            NaN where a step is missing and before the start of a series shorter than the window.
        """
        generator = local_generator(generator, self.device)
        # Windows without variation teach nothing: draw some more and keep the best.
        drawn = batch_size + max(8, batch_size // 8)
        series = torch.multinomial(self._weight, drawn, replacement=True, generator=generator)
        averaged = round(downsample * drawn)
        windows = torch.cat(
            [
                self._averaged(series[:averaged], length, generator),
                self._plain(series[averaged:], length, generator),
            ]
        )
        sign = torch.rand(drawn, 1, generator=generator, device=self.device) < flip
        windows = torch.where(sign, -windows, windows)
        # Ranks of random numbers shuffle the rows, with the poor ones last.
        rank = torch.rand(drawn, generator=generator, device=self.device) + _is_poor(windows)
        chosen = windows[torch.argsort(rank)[:batch_size]]
        return chosen if device is None else chosen.to(device)

    def _start(
        self, series: torch.Tensor, span: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """First step of a window of `span` steps; negative where the series is shorter."""
        room = self._length[series] - span
        position = torch.rand(len(series), generator=generator, device=self.device)
        start = (position * (room + 1)).long().minimum(room)
        return torch.where(room > 0, start, room)[:, None]

    def _plain(self, series: torch.Tensor, length: int, generator: torch.Generator) -> torch.Tensor:
        span = torch.full_like(series, length)
        steps = torch.arange(length, device=self.device)
        return self._read(series, self._start(series, span, generator) + steps)

    def _averaged(
        self, series: torch.Tensor, length: int, generator: torch.Generator
    ) -> torch.Tensor:
        drawn = torch.randint(
            2, _MAX_FACTOR + 1, series.shape, generator=generator, device=self.device
        )
        factor = torch.minimum(drawn, (self._length[series] // length).clamp(min=1))
        start = self._start(series, length * factor, generator)
        total = torch.zeros(len(series), length, device=self.device)
        count = torch.zeros_like(total)
        for offset in range(_MAX_FACTOR):
            steps = torch.arange(length, device=self.device) * factor[:, None] + offset
            values = self._read(series, start + steps)
            used = torch.isfinite(values) & (offset < factor)[:, None]
            total += torch.where(used, values, 0.0)
            count += used
        return total / count  # 0 / 0 = NaN: all steps missing

    def _read(self, series: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
        """Values at the given steps of each series; NaN before its start."""
        last = self._length[series][:, None] - 1
        index = self._offset[series][:, None] + step.clamp(min=0).minimum(last)
        codes = self._codes[index]
        values = codes * self._scale[series][:, None] + self._shift[series][:, None]
        return values.masked_fill((codes == MISSING) | (step < 0), torch.nan)


def _is_poor(windows: torch.Tensor) -> torch.Tensor:
    """Rows that are constant or hardly observed."""
    observed = torch.isfinite(windows)
    high = torch.where(observed, windows, -torch.inf).amax(dim=1)
    low = torch.where(observed, windows, torch.inf).amin(dim=1)
    return ~(high > low) | (observed.sum(dim=1) < _MIN_OBSERVED)


def summary_table(summaries: Iterable[DatasetSummary]) -> str:
    """Format what `pack` kept as a plain-text table."""
    rows = list(summaries)
    lines = [f"{'dataset':<32}{'series':>8}{'of':>8}{'points':>12}{'of':>12}"]
    for row in rows:
        lines.append(
            f"{row.name:<32}{row.series_kept:>8}{row.series_found:>8}"
            f"{row.points_kept:>12}{row.points_found:>12}"
        )
    lines.append(
        f"{'total':<32}{sum(r.series_kept for r in rows):>8}{sum(r.series_found for r in rows):>8}"
        f"{sum(r.points_kept for r in rows):>12}{sum(r.points_found for r in rows):>12}"
    )
    return "\n".join(lines)
