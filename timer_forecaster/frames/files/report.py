"""The reading report: how a file was read, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from timer_forecaster.frames.calendar.times import step_name

if TYPE_CHECKING:
    from timer_forecaster.frames.files.sources import Source
    from timer_forecaster.frames.panel import Panel
    from timer_forecaster.frames.table import Table

_MOST_NAMES = 12


@dataclass(frozen=True)
class SeriesSummary:
    """The series of a file: their steps, span and gaps.

    Parameters
    ----------
    series : int
        Number of series: ids times targets.
    steps : dict of str to int
        Number of series by the name of their step, the most common one first.
    first, last : str
        The first time, and the last one with a value.
    length : int
        Number of steps of all series together.
    missing : int
        Number of these steps without a value.
    ended : int
        Number of series whose rows go on after the last value. They are forecast from there.
    """

    series: int
    steps: Mapping[str, int]
    first: str
    last: str
    length: int
    missing: int
    ended: int = 0

    @classmethod
    def of(cls, panel: Panel) -> SeriesSummary | None:
        """Summarize the series of a panel that have a value; None if none has.

        Series that cannot be forecast have none.
        """
        observed = [~np.isnan(values).all(axis=1) for values in panel.values]
        kept = [place for place, some in enumerate(observed) if some.any()]
        if not kept:
            return None
        numbers = {place: panel.axis[place] for place in kept}
        lasts = [(panel.axes[numbers[place]], panel.last[place][observed[place]]) for place in kept]
        steps = Counter[str]()
        for place, number in numbers.items():
            steps[step_name(panel.grids[number].step)] += int(observed[place].sum())
        every = zip(panel.series(), np.concatenate(observed), strict=True)
        series = [values for values, some in every if some]
        return cls(
            series=len(series),
            steps=dict(steps.most_common()),
            first=time_text(min(panel.axes[number][0] for number in set(numbers.values()))),
            last=time_text(max(axis[int(places.max())] for axis, places in lasts)),
            length=sum(map(len, series)),
            missing=sum(int(np.count_nonzero(np.isnan(values))) for values in series),
            ended=sum(int(np.count_nonzero(places < len(axis) - 1)) for axis, places in lasts),
        )

    def __str__(self) -> str:
        """Return a line of text."""
        names = [
            name if len(self.steps) == 1 else f"{name} ({count:,} series)"
            for name, count in self.steps.items()
        ]
        gaps = "no gaps"
        if self.missing:
            share = 100 * self.missing / self.length
            gaps = (
                f"{self.missing:,} of {self.length:,} steps without a value ({_percent(share)} %)"
            )
        step = f"step{'' if len(names) == 1 else 's'} {', '.join(names)}"
        if self.ended:
            gaps += f"; {self.ended:,} with rows after the last value, forecast from there"
        return f"{self.series:,} series, {step}, from {self.first} to {self.last}, {gaps}"


def _percent(share: float) -> str:
    """Return a share in percent, of two digits or about so."""
    if share < 0.01:
        return "under 0.01"
    if 99 < share < 100:
        return "over 99"
    return f"{share:.0f}" if share >= 10 else f"{share:.2g}"


@dataclass(frozen=True)
class FutureReport:
    """How a file of the future was read.

    Parameters
    ----------
    file, format : str
    rows : int
        Rows of data.
    skipped : mapping of str to int
        As for the file of the series.
    """

    file: str
    format: str
    rows: int
    skipped: Mapping[str, int]

    @classmethod
    def of(cls, source: Source, table: Table) -> FutureReport:
        """Report on a table."""
        return cls(source.name, table.format, len(table.frame), table.skipped)

    def __str__(self) -> str:
        """Return a line of text."""
        skipped = _skipped(self.skipped)
        more = f"; skipped: {skipped}" if skipped else ""
        return f"{self.file}: {self.rows:,} rows of data; {self.format}{more}"


@dataclass(frozen=True)
class ReadingReport:
    """How a file was read.

    Parameters
    ----------
    file : str
        Name of the file.
    format : str
        How it is written.
    rows : int
        Rows of data.
    skipped : mapping of str to int
        Numbers of rows, lines and columns that are no data, by their kind.
    time : str
        The column of times, and how its first text was read.
    ids : sequence of str
        Columns that tell the series apart.
    targets : mapping of str to str
        The columns that are forecast, and how their numbers are written if not plainly.
    left_out : mapping of str to str
        The other columns, and why they are not forecast.
    summary : SeriesSummary, optional
        The series, once they are cut.
    known, past : mapping of str to str
        Covariates, and how they are written if not as plain numbers.
    future : FutureReport, optional
        How the file of the future was read.
    """

    file: str
    format: str
    rows: int
    skipped: Mapping[str, int]
    time: str
    ids: Sequence[str]
    targets: Mapping[str, str]
    left_out: Mapping[str, str]
    summary: SeriesSummary | None = field(default=None)
    known: Mapping[str, str] = field(default_factory=dict)
    past: Mapping[str, str] = field(default_factory=dict)
    future: FutureReport | None = None

    def __str__(self) -> str:
        """Return the report as lines of text."""
        lines = [f"{self.file}: {self.rows:,} rows of data; {self.format}"]
        skipped = _skipped(self.skipped)
        if skipped:
            lines.append(f"skipped: {skipped}")
        lines.append(f"times: {self.time}")
        if self.ids:
            lines.append(f"ids: {', '.join(map(repr, self.ids))}")
        lines.append(f"targets: {_listed(self.targets)}")
        if self.known:
            lines.append(f"known: {_listed(self.known)}")
        if self.past:
            lines.append(f"past: {_listed(self.past)}")
        if self.left_out:
            lines.append(f"not forecast: {_listed(self.left_out)}")
        if self.future is not None:
            lines.append(f"future: {self.future}")
        if self.summary is not None:
            lines.append(f"series: {self.summary}")
        return "\n  ".join(lines)


def _skipped(counts: Mapping[str, int]) -> str:
    words = [f"{n:,} {kind if n == 1 else _plural(kind)}" for kind, n in counts.items() if n]
    return ", ".join(words)


def _listed(reasons: Mapping[str, str]) -> str:
    words = [f"{name!r} ({why})" if why else repr(name) for name, why in reasons.items()]
    more = len(words) - _MOST_NAMES
    return ", ".join(words[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _plural(kind: str) -> str:
    first, *others = kind.split(" ")
    two = {"title", "comment", "blank", "empty"}
    if first in two and others:
        return " ".join([first, f"{others[0]}s", *others[1:]])
    return " ".join([f"{first}s", *others])


def time_text(time: object) -> str:
    """Return a time as text; a midnight without a time zone is a date."""
    if isinstance(time, pd.Timestamp) and time == time.normalize() and time.tz is None:
        return f"{time:%Y-%m-%d}"
    return str(time)
