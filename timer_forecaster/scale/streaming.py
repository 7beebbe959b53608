"""Answer all series of a source, partition by partition, into the folder of a run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from tqdm.auto import tqdm

from timer_forecaster.checks import check_integer
from timer_forecaster.inference.pipeline import ForecastPipeline
from timer_forecaster.scale.answering import answer_partition, joined
from timer_forecaster.scale.folder import RunFolder, Totals
from timer_forecaster.scale.identity import run_identity
from timer_forecaster.scale.partitions import Partition, SeriesSource
from timer_forecaster.scale.tasks import PartitionAnswer, Task

PARTITION_ROWS = 1_000_000
"""Rows of a partition with its answers, where a user does not say otherwise."""


def stream(
    pipeline: ForecastPipeline,
    source: SeriesSource,
    task: Task,
    output: str | Path,
    *,
    partition_rows: int = PARTITION_ROWS,
    progress: bool = False,
) -> Totals:
    """Answer all series of a source. Partitions that the output holds are not answered again.

    Parameters
    ----------
    pipeline : ForecastPipeline
    source : SeriesSource
    task : Task
        About the columns of the source.
    output : str or Path
        A folder (docs/scale.md has what it holds): new, empty, or of the same run that was stopped.
    partition_rows : int
        Rows that are held at once: of a partition and of the answers about it. It bounds the
        memory, but for a series that alone has more.
    progress : bool
        Show a progress bar, with the time that is left.

    Returns
    -------
    Totals

    Raises
    ------
    ValueError, TypeError
        If the source cannot be read, the task cannot be done, or the output is of another run.

    Examples
    --------
    >>> import tempfile, numpy as np, pandas as pd
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.scale import ForecastTask, Names, SeriesSource, stream
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> shops = pd.MultiIndex.from_product([["a", "b", "c"], days], names=["shop", "day"])
    >>> sales = pd.DataFrame({"sold": np.arange(180.0) % 7}, index=shops).reset_index()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sales.to_parquet(f"{folder}/sales.parquet")
    ...     source = SeriesSource(f"{folder}/sales.parquet", Names("shop"))
    ...     task = ForecastTask(source.columns, horizon=2)
    ...     totals = stream(pipe, source, task, f"{folder}/out", partition_rows=100)
    ...     forecast = pd.read_parquet(f"{folder}/out/forecast")
    >>> totals.series, totals.rejected
    (3, 0)
    >>> forecast["shop"].tolist()
    ['a', 'a', 'b', 'b', 'c', 'c']
    """
    partition_rows = check_integer("partition_rows", partition_rows)
    data = {**source.rows.described(), "partition_rows": partition_rows}
    folder = RunFolder.begin(output, run_identity(pipeline, task, data))
    every = []
    with _bar(source, progress) as bar:
        for part in source.partitions(partition_rows, task.rows_of_series()):
            found = folder.finished(part.name, part.content)
            if found is None:
                found = folder.write(part.name, _answer(pipeline, part, task), part.content)
            elif progress:
                bar.initial += part.done - bar.n  # tells nothing of the time that is left
            bar.update(part.done - bar.n)
            every.append(found)
    return Totals.of(every)


def _bar(source: SeriesSource, progress: bool) -> tqdm:
    """Return a bar that expects all partitions to take the same time a row."""
    return tqdm(
        total=source.rows.total,
        unit=source.rows.unit,
        unit_scale=True,
        smoothing=0,
        disable=not progress,
        desc="series",
    )


def _answer(pipeline: ForecastPipeline, part: Partition, task: Task) -> PartitionAnswer:
    """Return the answer about a partition, with the columns of ids that the source has."""
    if part.read is None:
        return PartitionAnswer(pd.DataFrame(), part.rejected)
    answer = answer_partition(pipeline, part.read.frame, task)
    table, rejected = (part.read.with_ids(one) if len(one) else one for one in answer)
    return PartitionAnswer(table, joined([part.rejected, rejected]))
