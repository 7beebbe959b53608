"""The questions that a process of the program answers about one implementation.

`benchmarks.processes` asks them. A process holds one network at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measuring import memory
from benchmarks.speed import balanced_routing, panels
from benchmarks.speed.implementations import IMPLEMENTATIONS
from benchmarks.speed.machine_rates import machine_rates
from benchmarks.speed.peers import peer
from benchmarks.walks import walk_rows

_held: dict[str, Any] = {}
"""The implementation that a process holds, with its network, by the name of the side."""


def load(
    side: str, folder: str, dtype: str, device: str = "cpu", **options: Any
) -> dict[str, float]:
    """Load the network of a checkpoint and hold it; return the seconds, without the imports."""
    implementation = IMPLEMENTATIONS[side]
    implementation.import_libraries()

    def hold() -> None:
        _held[side] = implementation(folder, dtype, device, **options)

    return _both_clocks(hold)


def first_forecast(side: str, context: int, horizon: int, batch: int) -> dict[str, float]:
    """Return the seconds of the first forecast after loading.

    Some weights are read or packed when they are first used.
    """
    values = walk_rows(0, batch, context)
    return _both_clocks(lambda: _held[side].forecast(values, horizon))


def balance(side: str) -> None:
    """Balance the routing of the network that is held."""
    balanced_routing.balance(_held[side].network)


def forecast(side: str, context: int, horizon: int) -> list[list[list[float]]]:
    """Return the sorted quantiles (1, levels, horizon) of a walk, in its standard deviations.

    Quantiles of untrained weights cross, and our pipeline sorts them. So all are sorted here.
    """
    row = walk_rows(0, 1, context)
    found = _held[side].forecast((row - row.mean()) / row.std(), horizon)
    return np.sort(found, axis=1).tolist()


def seconds(
    side: str,
    context: int,
    horizon: int,
    batch: int,
    repeats: int,
    wall: bool = False,
    **options: Any,
) -> list[float]:
    """Return the seconds of forecasts of walks, one for each repeat.

    They are CPU seconds, or wall seconds on a GPU and with `wall`. A first forecast is not counted.
    With one repeat there is no such forecast: that case takes long, and shorter ones come before.
    """
    held = _held[side]
    clock = _clock(held.network.device.type, wall)
    found = []
    for seed in range(repeats + (repeats > 1)):
        values = walk_rows(seed + 1, batch, context)
        start = clock()
        held.forecast(values, horizon, **options)
        found.append(clock() - start)
    return found[-repeats:]


def ragged_seconds(side: str, n: int, horizon: int, repeats: int) -> list[float]:
    """Return the CPU seconds of forecasts of a panel of mixed lengths."""
    found = []
    for seed in range(repeats + 1):
        rows = panels.mixed_lengths(n, seed)
        start = time.process_time()
        _held[side].forecast_ragged(rows, horizon)
        found.append(time.process_time() - start)
    return found[1:]


def profile(side: str, context: int, horizon: int, batch: int) -> str:
    """Return a table of the ten operations that take longest on the device."""
    import torch
    from torch.profiler import ProfilerActivity

    held = _held[side]
    on_gpu = held.network.device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with torch.profiler.profile(activities=activities) as found:
        held.forecast(walk_rows(0, batch, context), horizon)
    order = "self_device_time_total" if on_gpu else "self_cpu_time_total"
    return found.key_averages().table(sort_by=order, row_limit=10, max_name_column_width=60)


def gpu_memory(side: str) -> float:
    """Return the largest number of GB that torch has held on the GPU."""
    import torch

    return torch.cuda.max_memory_allocated() / 1e9


def _both_clocks(function: Callable[[], object]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return {"wall s": time.perf_counter() - wall, "CPU s": time.process_time() - cpu}


def _clock(device: str, wall: bool) -> Callable[[], float]:
    if device != "cuda":
        return time.perf_counter if wall else time.process_time
    import torch

    def clock() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    return clock


def _for_any_side(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a question whose answer does not depend on the side."""
    return lambda side, *arguments, **details: function(*arguments, **details)


QUESTIONS: dict[str, Callable[..., Any]] = {
    "load": load,
    "first_forecast": first_forecast,
    "balance": balance,
    "forecast": forecast,
    "seconds": seconds,
    "ragged_seconds": ragged_seconds,
    "profile": profile,
    "gpu_memory": gpu_memory,
    "memory": _for_any_side(memory),
    "machine_rates": _for_any_side(machine_rates),
    "grown_panel": _for_any_side(panels.grown_panel),
    "peer": _for_any_side(peer),
}
