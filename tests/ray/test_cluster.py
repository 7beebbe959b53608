import contextlib
import logging
import os
import subprocess
import sys

import pytest

from timer_forecaster.ray.cluster import (
    Workers,
    quiet_data,
    require_ray,
    running_ray,
    start_ray,
)


@pytest.mark.parametrize(
    ("number", "gpus", "resources", "expected"),
    [
        (None, True, {"CPU": 8.0}, (8, 1.0, 0)),
        (None, True, {"CPU": 8.0, "GPU": 2.0}, (2, 1.0, 1)),
        (None, False, {"CPU": 8.0, "GPU": 2.0}, (8, 1.0, 0)),
        (3, True, {"CPU": 8.0, "GPU": 4.0}, (3, 1.0, 1)),
        (4, True, {"CPU": 2.0}, (4, 0.5, 0)),
        (None, True, {}, (1, 1.0, 0)),
    ],
)
def test_there_is_a_worker_for_each_gpu_or_core(number, gpus, resources, expected):
    assert Workers.of(number, gpus, resources) == expected


def test_a_missing_ray_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(ImportError, match=r'pip install "timer-forecaster\[ray\]"'):
        require_ray()


def test_a_running_ray_is_used_and_goes_on(local_ray):
    before = dict(os.environ)
    with running_ray():
        assert local_ray.is_initialized()
    assert local_ray.is_initialized()
    assert dict(os.environ) == before


def test_a_local_ray_is_started_and_stopped(monkeypatch):
    ray = pytest.importorskip("ray")
    calls = []
    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED", raising=False)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)

    def init(**arguments):
        calls.append((os.environ["RAY_USAGE_STATS_ENABLED"], arguments["log_to_driver"]))

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "shutdown", lambda: calls.append("stopped"))
    with pytest.raises(KeyError), running_ray():
        raise KeyError
    assert calls == [("0", False), "stopped"]
    assert "RAY_USAGE_STATS_ENABLED" not in os.environ


@pytest.mark.parametrize(("failures", "calls"), [(1, 2), (2, 2)])
def test_ray_that_starts_too_slowly_is_started_once_more(monkeypatch, failures, calls):
    ray, asked = pytest.importorskip("ray"), []

    def init(**arguments):
        asked.append(arguments["num_cpus"])
        if len(asked) <= failures:
            raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    refused = pytest.raises(RuntimeError, match=r"when all cores are busy.*`ray start --head`")
    with contextlib.nullcontext() if failures < 2 else refused:
        start_ray(num_cpus=2)
    assert asked == [2] * calls


def test_another_failure_of_ray_is_not_tried_again(monkeypatch):
    ray, asked = pytest.importorskip("ray"), []

    def init(**arguments):
        asked.append(arguments)
        raise ConnectionError("no cluster at this address")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    with pytest.raises(ConnectionError, match="no cluster"):
        start_ray()
    assert len(asked) == 1


def test_ray_data_is_quiet_for_a_while():
    data = pytest.importorskip("ray.data")
    context, logger = data.DataContext.get_current(), logging.getLogger("ray.data")
    before = context.enable_progress_bars, logger.level
    with quiet_data("a path"):
        assert not context.enable_progress_bars
        assert not logger.isEnabledFor(logging.ERROR)
    assert (context.enable_progress_bars, logger.level) == before


def test_tasks_that_group_rows_load_no_torch():
    program = "import timer_forecaster.ray.partitions, sys; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False"
