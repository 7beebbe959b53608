"""More series than fit in memory: in partitions of whole series, each answered and written once.

A source yields partitions, `answer_partition` asks a pipeline about one, and a folder keeps the
answers, so that a run that was stopped goes on where it was (docs/scale.md).
"""

from timer_forecaster.scale.answering import answer_partition
from timer_forecaster.scale.folder import Totals
from timer_forecaster.scale.partitions import Names, SeriesSource
from timer_forecaster.scale.streaming import PARTITION_ROWS, stream
from timer_forecaster.scale.tasks import (
    BacktestTask,
    ForecastTask,
    PartitionAnswer,
    PathsTask,
    SeriesColumns,
    Task,
)

__all__ = [
    "PARTITION_ROWS",
    "BacktestTask",
    "ForecastTask",
    "Names",
    "PartitionAnswer",
    "PathsTask",
    "SeriesColumns",
    "SeriesSource",
    "Task",
    "Totals",
    "answer_partition",
    "stream",
]
