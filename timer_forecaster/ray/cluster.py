"""Ray itself: the one that runs, or a local one for the time of a call; quiet in either case."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest import mock

from timer_forecaster.extras import missing_extra

# Of a local Ray alone. Variables that the user has set stay.
_ENVIRONMENT = {"RAY_BACKEND_LOG_LEVEL": "fatal", "RAY_USAGE_STATS_ENABLED": "0"}

_TOO_SLOW = "timed out during startup"  # of the error of Ray


class Workers(NamedTuple):
    """How many workers there are, and what Ray reserves for each."""

    number: int
    num_cpus: float
    num_gpus: int

    @classmethod
    def of(cls, number: int | None, gpus: bool, resources: dict[str, float]) -> Workers:
        """Return one worker for each GPU or, without any, for each core.

        Parameters
        ----------
        number : int, optional
            Their number. If there are fewer cores, workers share them.
        gpus : bool
            Whether the network may compute on a GPU.
        resources : dict of str to float
            What the cluster has.

        Examples
        --------
        >>> Workers.of(None, True, {"CPU": 16.0, "GPU": 2.0})
        Workers(number=2, num_cpus=1.0, num_gpus=1)
        >>> Workers.of(4, True, {"CPU": 2.0})
        Workers(number=4, num_cpus=0.5, num_gpus=0)
        """
        cores, found = max(1.0, resources.get("CPU", 1.0)), int(resources.get("GPU", 0))
        num_gpus = 1 if gpus and found else 0
        number = number or (found if num_gpus else int(cores))
        return cls(number, min(1.0, cores / number), num_gpus)


def require_ray() -> None:
    """Refuse to work without Ray Data.

    Raises
    ------
    ImportError
        Naming the extra.
    """
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise ImportError(missing_extra("timer_forecaster.ray needs Ray Data", "ray")) from error


@contextmanager
def running_ray() -> Iterator[None]:
    """Use the Ray that runs; without one, start a local Ray and stop it at the end.

    Which cluster it is, is Ray's own setting: ``ray.init`` before the call, the variable
    ``RAY_ADDRESS``, or ``ray start`` on this machine.
    """
    import ray

    if ray.is_initialized():
        yield
        return
    start_ray()
    try:
        yield
    finally:
        ray.shutdown()


def start_ray(**settings: Any) -> None:
    """Start a local Ray without dashboard and log lines, or connect to the cluster that there is.

    Ray gives up if its agents need more than 15 seconds to start (ray-project/ray#65983), as they
    do while all cores are busy or on a slow disk. A second start finds their files in memory.

    Parameters
    ----------
    **settings
        Of ``ray.init``.

    Raises
    ------
    RuntimeError
        If Ray did not start in time twice.
    """
    import ray

    unset = {name: text for name, text in _ENVIRONMENT.items() if name not in os.environ}
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "include_dashboard": False}
    with mock.patch.dict(os.environ, unset):
        for is_last in (False, True):
            try:
                ray.init(**{**quiet, **settings})
                return
            except Exception as error:  # Ray has no class for it
                ray.shutdown()
                if _TOO_SLOW not in str(error):
                    raise
                if is_last:
                    raise RuntimeError(
                        "Ray did not start on this machine in time, as when all cores are busy: "
                        "call again when a core is free, or run `ray start --head` before the call"
                    ) from error


@contextmanager
def quiet_data(*data: Any) -> Iterator[None]:
    """Let Ray Data draw no bars and write no lines; errors reach the caller all the same.

    Parameters
    ----------
    *data
        Datasets, which have settings of their own; others are passed over.
    """
    from ray.data import DataContext, Dataset

    logger = logging.getLogger("ray.data")
    settings = [DataContext.get_current(), *(d.context for d in data if isinstance(d, Dataset))]
    level, shown = logger.level, [one.enable_progress_bars for one in settings]
    logger.setLevel(logging.CRITICAL)
    for one in settings:
        one.enable_progress_bars = False
    try:
        yield
    finally:
        logger.setLevel(level)
        for one, bars in zip(settings, shown, strict=True):
            one.enable_progress_bars = bars
