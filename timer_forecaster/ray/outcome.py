"""What a run on Ray has written."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from timer_forecaster.callers import stacklevel_of_caller
from timer_forecaster.failures import SeriesWarning
from timer_forecaster.scale import RunFolder
from timer_forecaster.scale.folder import REJECTED


@dataclass(frozen=True)
class Outcome:
    """What a folder holds after a run, with what earlier runs had finished.

    Parameters
    ----------
    output : Path
        The folder: ``forecast/*.parquet`` and, if there are any, ``rejected/*.parquet``.
    partitions, ids : int
        Numbers of partitions and of ids.
    rows : int
        Rows of all answers.
    rejected : int
        Series, one for each target of an id, without an answer.
    """

    output: Path
    partitions: int
    ids: int
    rows: int
    rejected: int

    @classmethod
    def of(cls, run: RunFolder) -> Outcome:
        """Return the outcome of a run whose partitions are all finished."""
        every = list(run.all_finished())
        return cls(
            run.path,
            len(every),
            sum(one.series for one in every),
            sum(one.forecast_rows for one in every),
            sum(one.rejected for one in every),
        )

    def warn_of_rejected(self) -> None:
        """Warn of series without an answer, if there are any."""
        if self.rejected:
            warnings.warn(
                SeriesWarning(
                    f"{self.rejected:,} series of {self.ids:,} ids have no answer; the files in "
                    f"{self.output / REJECTED} name them, with the reasons",
                    {},
                ),
                stacklevel=stacklevel_of_caller(),
            )
