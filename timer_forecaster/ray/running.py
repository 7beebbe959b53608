"""A run on Ray: the partitions that are not finished are grouped, answered and written."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from tqdm.auto import tqdm

from timer_forecaster.callers import stacklevel_of_caller
from timer_forecaster.checkpoints.quantization import INT8
from timer_forecaster.checks import check_choice, check_flag, check_integer
from timer_forecaster.failures import SeriesWarning
from timer_forecaster.inference.pipeline import ForecastPipeline
from timer_forecaster.ray.cluster import Workers, quiet_data, require_ray, running_ray
from timer_forecaster.ray.partitions import NUMBER, numbered, partitions_for
from timer_forecaster.ray.sources import Data, Source
from timer_forecaster.ray.worker import ERROR, Job, PartitionWorker
from timer_forecaster.scale import PartitionAnswer, Task, Totals
from timer_forecaster.scale.folder import REJECTED, Content, RunFolder, name_of
from timer_forecaster.scale.identity import run_identity

if TYPE_CHECKING:
    from ray.data import Dataset


@dataclass(frozen=True)
class Way:
    """How a run is divided.

    Parameters
    ----------
    workers, partitions : int, optional
        Numbers of both. Default: by the cluster, and by the number of rows.
    gpus : bool
        Whether workers may compute on GPUs.
    progress : bool
        Whether to show a bar, if standard error is a terminal.

    Raises
    ------
    ValueError, TypeError
        If a number cannot be. The error names it.
    """

    workers: int | None
    partitions: int | None
    gpus: bool
    progress: bool

    def __post_init__(self) -> None:
        """Check the numbers before anything is read."""
        for name in ("workers", "partitions"):
            if getattr(self, name) is not None:
                check_integer(name, getattr(self, name))
        check_flag("progress", self.progress)


def run(
    data: Data, future: Data, pipeline: ForecastPipeline, task: Task, output: str | Path, way: Way
) -> Totals:
    """Answer a task about all series of a dataset, on the Ray that runs or a local one.

    Parameters
    ----------
    data, future
        As `timer_forecaster.ray.forecast` takes them.
    pipeline : ForecastPipeline
        The network; each worker loads it on its own device.
    task : Task
    output : str or Path
    way : Way

    Raises
    ------
    ValueError, TypeError
        If the data or the output cannot be used, or no series can be answered for one reason.
    """
    require_ray()
    with running_ray(), quiet_data(data):
        source = Source.of(data, "data", task.columns.names)
        partitions = way.partitions or partitions_for(source.rows, task.rows_of_series())
        described = {**source.described("data"), "partitions": partitions}
        dataset = source.dataset
        if future is not None:
            later = Source.of_future(future, task.columns)
            described |= later.described("future")
            dataset = source.with_future(later)
        identity = run_identity(pipeline, task, described)
        folder = RunFolder.begin(Path(output).absolute(), identity)
        finished = {n for n in range(partitions) if folder.finished(name_of(n)) is not None}
        if len(finished) < partitions:
            _answer(dataset, pipeline, task, folder, way, partitions, finished)
    totals = Totals.of(folder.all_finished())
    if totals.rejected:
        text = f"{totals.rejected:,} series of {totals.series:,} ids have no answer"
        where = f"the files in {folder.path / REJECTED} name them, with the reasons"
        warnings.warn(SeriesWarning(f"{text}; {where}", {}), stacklevel=stacklevel_of_caller())
    return totals


def _answer(
    dataset: Dataset,
    pipeline: ForecastPipeline,
    task: Task,
    folder: RunFolder,
    way: Way,
    partitions: int,
    finished: Collection[int],
) -> None:
    """Group the partitions that are not finished, and let workers answer them."""
    import ray

    left = partitions - len(finished)
    workers = Workers.of(way.workers, way.gpus, ray.cluster_resources())
    number = min(workers.number, left)
    job = Job(pipeline, task, folder.path, bool(workers.num_gpus))
    bar = tqdm(
        total=left, unit="partition", desc="grouping", disable=None if way.progress else True
    )
    with bar:
        # All tasks of the shuffle are over before the first worker starts. In one execution with
        # them the workers would reserve the cores that the shuffle waits for.
        groups = _grouped(dataset, task.columns.id_column, partitions, finished).materialize()
        bar.set_description("answering")
        for reports in groups.map_batches(
            PartitionWorker,
            fn_constructor_args=(job,),
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=number, max_tasks_in_flight_per_actor=2),
            num_cpus=workers.num_cpus,
            num_gpus=workers.num_gpus,
        ).iter_batches(batch_size=None, batch_format="pyarrow"):
            for error in reports[ERROR].drop_null().to_pylist():
                raise ValueError(error)
            bar.update(reports.num_rows)
    _finish_empty(folder, task, partitions)


def _grouped(
    dataset: Dataset, id_column: str, partitions: int, finished: Collection[int]
) -> Dataset:
    """Return a dataset each of whose blocks has all rows of some partitions."""
    mark = partial(
        numbered, id_column=id_column, partitions=partitions, finished=frozenset(finished)
    )
    marked = dataset.map_batches(mark, batch_size=None, batch_format="pyarrow")
    return marked.repartition(partitions - len(finished), keys=[NUMBER])


def _finish_empty(folder: RunFolder, task: Task, partitions: int) -> None:
    """Finish the partitions that no id falls in, so that a second run looks for nothing."""
    nothing = PartitionAnswer(pd.DataFrame(), task.columns.rejected({}))
    for name in map(name_of, range(partitions)):
        if folder.finished(name) is None:
            folder.write(name, nothing, Content(0, 0, ""))


def allows_gpus(pipeline: ForecastPipeline, device: str) -> bool:
    """Return whether workers may compute on GPUs.

    Raises
    ------
    ValueError
        If the device is none that Ray gives to workers.
    """
    check_choice("device", device, ("auto", "cpu"))
    return device == "auto" and pipeline.key.quantization != INT8
