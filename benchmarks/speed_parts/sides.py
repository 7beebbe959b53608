"""Questions about the speed of a network, which the released implementation and ours answer alike.

Each side runs in a process of its own (`processes`), which holds one network at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from measuring import memory
from numpy.typing import NDArray

from speed_parts import machine, networks, panels, peers

Array = NDArray[np.float64]


class Released:
    """The released implementation, as sktime 1.2 ships it; it needs transformers 4.

    Beyond one pass it continues the context in float32, on which a network in bfloat16 fails: the
    tokens are cast to its type from outside.
    """

    def __init__(self, folder: str, dtype: str, device: str) -> None:
        import torch
        from sktime.libs.timer_s1 import TimerS1ForPrediction

        self.dtype, self.device = getattr(torch, dtype), device
        loaded = TimerS1ForPrediction.from_pretrained(folder, dtype=self.dtype)
        self.network = loaded.to(device).eval()
        self.network.model.embed_layer.register_forward_pre_hook(
            lambda _, inputs: (inputs[0].to(self.dtype),)
        )

    def forecast(self, values: Array, horizon: int) -> Array:
        """Quantiles (rows, levels, horizon) of rows of equal length."""
        import torch

        inputs = torch.from_numpy(values).to(self.device, self.dtype)
        return self.network.generate(inputs, max_new_tokens=horizon).float().cpu().numpy()

    def forecast_ragged(self, rows: list[Array], horizon: int) -> object:
        """Forecast rows of any lengths: one after the other, as there is no other way."""
        return [self.forecast(row[None], horizon) for row in rows]


class Ours:
    """The pipeline, with the released roll-out unless another is named."""

    def __init__(
        self, folder: str, dtype: str, device: str, quantization: str | None = None
    ) -> None:
        from timer_forecaster import ForecastPipeline

        self.pipeline = ForecastPipeline.from_pretrained(
            folder, device=device, dtype=dtype, quantization=quantization
        )
        self.network = self.pipeline.network

    def forecast(self, values: Array, horizon: int, rollout: str = "median") -> Array:
        """Quantiles (rows, levels, horizon) of rows of equal length."""
        forecast = self.pipeline.predict(values, horizon, rollout=rollout)
        return forecast.quantiles.transpose(0, 2, 1)

    def forecast_ragged(self, rows: list[Array], horizon: int) -> object:
        """Forecast rows of any lengths in one call."""
        return self.pipeline.predict(rows, horizon, rollout="median")


SIDES: dict[str, type[Released] | type[Ours]] = {"released": Released, "ours": Ours}
_held: dict[str, Any] = {}
"""The network that a process holds, by the name of the side."""


def load(
    side: str, folder: str, dtype: str, device: str = "cpu", **options: Any
) -> dict[str, float]:
    """Hold the network of a checkpoint; seconds that this takes, imports apart."""
    (import_ours if side == "ours" else import_released)()

    def hold() -> None:
        _held[side] = SIDES[side](folder, dtype, device, **options)

    return _both_clocks(hold)


def first_forecast(side: str, context: int, horizon: int, batch: int) -> dict[str, float]:
    """Seconds of the forecast that comes after loading: what is read or packed at its first use."""
    values = walks(0, batch, context)
    return _both_clocks(lambda: _held[side].forecast(values, horizon))


def import_ours() -> None:
    """Import what a first forecast would."""
    import timer_forecaster.inference  # noqa: F401


def import_released() -> None:
    """Import what a first forecast would."""
    import sktime.libs.timer_s1  # noqa: F401


def balance(side: str) -> None:
    """Balance the routing of the network that is held."""
    networks.balance(_held[side].network)


def forecast(side: str, context: int, horizon: int) -> list[list[list[float]]]:
    """Quantiles (1, levels, horizon), sorted, of a walk, in standard deviations of it.

    What untrained weights give crosses. Ours sorts it for its users.
    """
    row = walks(0, 1, context)
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
    """Time forecasts of walks: CPU seconds; wall seconds on a GPU, or if they are asked for.

    One forecast before them is not counted, except where one is asked for: that takes long, and
    shorter ones have gone before.
    """
    held = _held[side]
    clock = _clock(held.network.device.type, wall)
    found = []
    for seed in range(repeats + (repeats > 1)):
        values = walks(seed + 1, batch, context)
        start = clock()
        held.forecast(values, horizon, **options)
        found.append(clock() - start)
    return found[-repeats:]


def ragged_seconds(side: str, n: int, horizon: int, repeats: int) -> list[float]:
    """Time the forecast of a panel of mixed lengths: CPU seconds of one thread."""
    found = []
    for seed in range(repeats + 1):
        rows = panels.mixed_lengths(n, seed)
        start = time.process_time()
        _held[side].forecast_ragged(rows, horizon)
        found.append(time.process_time() - start)
    return found[1:]


def profile(side: str, context: int, horizon: int, batch: int) -> str:
    """Show the ten operations that take longest on the device."""
    import torch
    from torch.profiler import ProfilerActivity

    held = _held[side]
    on_gpu = held.network.device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with torch.profiler.profile(activities=activities) as found:
        held.forecast(walks(0, batch, context), horizon)
    order = "self_device_time_total" if on_gpu else "self_cpu_time_total"
    return found.key_averages().table(sort_by=order, row_limit=10, max_name_column_width=60)


def gpu_memory(side: str) -> float:
    """Most GB that torch has held on the GPU."""
    import torch

    return torch.cuda.max_memory_allocated() / 1e9


def walks(seed: int, n: int, steps: int) -> Array:
    """Build random walks, one a row."""
    return np.random.default_rng(seed).normal(size=(n, steps)).cumsum(axis=1)


def _both_clocks(answer: Callable[[], object]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    answer()
    return {"wall s": time.perf_counter() - wall, "CPU s": time.process_time() - cpu}


def _clock(device: str, wall: bool) -> Callable[[], float]:
    if device != "cuda":
        return time.perf_counter if wall else time.process_time
    import torch

    def clock() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    return clock


def of_process(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Make a question of what is the same for every side."""
    return lambda side, *arguments, **details: answer(*arguments, **details)


QUESTIONS: dict[str, Callable[..., Any]] = {
    "load": load,
    "first_forecast": first_forecast,
    "balance": balance,
    "forecast": forecast,
    "seconds": seconds,
    "ragged_seconds": ragged_seconds,
    "profile": profile,
    "gpu_memory": gpu_memory,
    "memory": of_process(memory),
    "peaks": of_process(machine.peaks),
    "grown_panel": of_process(panels.grown_panel),
    "classical": of_process(peers.classical),
    "darts_model": of_process(peers.darts_model),
}
