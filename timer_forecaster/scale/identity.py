"""The identity of a run: the settings, the network and the data by which it is known again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from timer_forecaster import __version__
from timer_forecaster.evaluation.runner import PipelineForecaster
from timer_forecaster.inference.pipeline import ForecastPipeline
from timer_forecaster.scale.tasks import Task


def run_identity(pipeline: ForecastPipeline, task: Task, data: Mapping[str, Any]) -> dict[str, str]:
    """Return what two runs must have in common to share an output.

    Parameters
    ----------
    pipeline : ForecastPipeline
        The digest of its weights counts, not the name of its checkpoint.
    task : Task
    data : mapping of str to anything
        What is known of the data before they are read, such as names and sizes of files, and how
        they are cut into partitions.

    Returns
    -------
    dict of str to str
        Texts by names that errors use.
    """
    network = json.loads(PipelineForecaster(pipeline).settings)
    given = {"version of timer-forecaster": __version__, **network, **task.described(), **data}
    return {name: _text(value) for name, value in given.items()}


def _text(value: Any) -> str:
    """Return a value as JSON, the same for tuples and lists."""
    return json.dumps(value, sort_keys=True, default=repr)
