"""The worker that Ray starts for each GPU or core: it holds a network and answers partitions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timer_forecaster.inference.pipeline import ForecastPipeline
from timer_forecaster.ray.partitions import frames_of
from timer_forecaster.scale import Task, answer_partition
from timer_forecaster.scale.folder import MANIFEST, Content, RunFolder, name_of

if TYPE_CHECKING:
    import pyarrow as pa

PARTITION, IDS, PROCESS, ERROR = "partition", "ids", "process", "error"
"""Columns of the report of a worker."""


@dataclass(frozen=True)
class Job:
    """What a worker needs to know.

    Parameters
    ----------
    pipeline : ForecastPipeline
    task : Task
    output : Path
        The folder of the run, on a disk that all machines share.
    gpu : bool
        Whether a worker has a GPU.
    """

    pipeline: ForecastPipeline
    task: Task
    output: Path
    gpu: bool


class PartitionWorker:
    """Answers partitions, and writes each as a whole file; one that is repeated is there once.

    Parameters
    ----------
    job : Job

    Raises
    ------
    ValueError
        If this machine does not see the folder of the run.
    """

    def __init__(self, job: Job) -> None:
        if not (job.output / MANIFEST).exists():
            raise ValueError(
                f"a worker finds no {job.output / MANIFEST}: output must be a folder on a disk "
                "that all machines of the cluster share"
            )
        self._job = job
        self._run = RunFolder(job.output)
        # Ray shows a worker its own GPU alone, as the first one.
        key = job.pipeline.key._replace(device="cuda:0" if job.gpu else "cpu")
        self._pipeline = ForecastPipeline(key, job.pipeline.adapter)
        _ = self._pipeline.network  # loads it, once for all partitions

    def __call__(self, table: pa.Table) -> pa.Table:
        """Answer the partitions of a table, and report what was written.

        An error that the user caused is reported too: of an error that a worker raises, Ray hands
        on a text alone, in the middle of its own.

        Parameters
        ----------
        table : pyarrow.Table
            All rows of some partitions, as `numbered` returns them.

        Returns
        -------
        pyarrow.Table
            A row for each partition: its number, the number of its ids, the process, and the error
            in place of an answer.
        """
        import pyarrow as pa

        columns, reports = self._job.task.columns, list[dict[str, Any]]()
        for number, frame in frames_of(table, columns.id_column, columns.time_column):
            content = Content.of(frame, columns.id_column)
            reports.append({PARTITION: number, IDS: content.series, PROCESS: os.getpid()})
            try:
                answer = answer_partition(self._pipeline, frame, self._job.task)
                self._run.write(name_of(number), answer, content)
            except (ValueError, TypeError, ImportError) as error:
                reports[-1][ERROR] = str(error)
        types = {PARTITION: pa.int64(), IDS: pa.int64(), PROCESS: pa.int64(), ERROR: pa.string()}
        return pa.Table.from_pylist(reports, pa.schema(types.items()))
