"""Answers about a partition: a series that spoils them for the others is found and rejected."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from timer_forecaster.inference.pipeline import ForecastPipeline
from timer_forecaster.scale.tasks import REASON, PartitionAnswer, Task

_OF_DATA = (ValueError, TypeError, ArithmeticError)
"""Errors that a series may cause; a lack of memory, for instance, is none."""


def answer_partition(
    pipeline: ForecastPipeline, frame: pd.DataFrame, task: Task
) -> PartitionAnswer:
    """Ask a pipeline about the whole series of a partition.

    Each series has the answer that it has in any other partition. Series that cannot be answered
    are in the table of rejected ones, with their reasons. If the error of one series stops the
    answer of the partition, halves of the partition are asked until this series is alone.

    Parameters
    ----------
    pipeline : ForecastPipeline
    frame : pandas.DataFrame
        All rows of some ids, in any order.
    task : Task

    Returns
    -------
    PartitionAnswer
        Its table has the columns of the pipeline's frame, its ids in the order of the partition.

    Raises
    ------
    ValueError, TypeError
        If each of several series fails for the same reason, which names none of them: then the
        task cannot be done.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.scale import ForecastTask, SeriesColumns, answer_partition
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> shops = {"a": np.arange(60) % 7, "b": np.full(60, np.nan)}
    >>> frame = pd.concat(
    ...     pd.DataFrame({"shop": name, "day": days, "sold": sold}) for name, sold in shops.items()
    ... )
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> task = ForecastTask(SeriesColumns("day", "shop", ["sold"]), horizon=2)
    >>> answer = answer_partition(pipe, frame, task)
    >>> answer.table["shop"].tolist()
    ['a', 'a']
    >>> answer.rejected.iloc[0].tolist()
    ['b', 'sold', 'has no value']
    """
    try:
        return task.answer(pipeline, frame)
    except _OF_DATA as error:
        answer = _isolated(pipeline, frame, task, error)
        if _is_of_the_task(answer, task, error):
            raise
        return answer


def _isolated(
    pipeline: ForecastPipeline, frame: pd.DataFrame, task: Task, error: Exception
) -> PartitionAnswer:
    """Answer each half of the ids of a partition whose answer failed."""
    number, keys = pd.factorize(frame[task.columns.id_column], use_na_sentinel=False)
    if len(keys) == 1:
        return _rejected(keys.tolist()[0], task, str(error))
    answers = []
    for part in (number < len(keys) // 2, number >= len(keys) // 2):
        half = frame[part]
        try:
            answers.append(task.answer(pipeline, half))
        except _OF_DATA as own:
            answers.append(_isolated(pipeline, half, task, own))
    return PartitionAnswer(
        joined([one.table for one in answers]), joined([one.rejected for one in answers])
    )


def _rejected(key: object, task: Task, error: str) -> PartitionAnswer:
    """Return the answer about an id that alone fails."""
    label, reasons = task.columns.label(key), {}
    for target in task.columns.target_columns:
        reason = error.removeprefix(f"{label}: ")
        for end in (": ", " "):
            reason = reason.removeprefix(f"target {target!r}{end}")
        reasons[key, target] = reason
    return PartitionAnswer(pd.DataFrame(), task.columns.rejected(reasons))


def _is_of_the_task(answer: PartitionAnswer, task: Task, error: Exception) -> bool:
    """Whether no series is to blame for an error: all have it, and it names none."""
    keys = answer.rejected[task.columns.id_column].drop_duplicates().tolist()
    if not answer.table.empty or len(keys) < 2:
        return False
    named = any(task.columns.label(key) in str(error) for key in keys)
    return not named and answer.rejected[REASON].nunique() == 1


def joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return tables below each other; those without rows do not decide the types of columns."""
    full = [table for table in tables if len(table)]
    return pd.concat(full, ignore_index=True) if full else tables[0]
