"""The machine, and its best rates on one thread: products of matrices, and reading of memory."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Sequence

from benchmarks.measuring import measure_cpu

SHAPES = ((512, 1024, 2048), (2048, 2048, 2048), (2880, 1024, 2048))
"""Rows, inner size and columns of the products. The fastest product counts."""
READ_BYTES = 2**29
REPEATS = 5
QUICK = {"shapes": ((32, 64, 64),), "read_bytes": 2**20}
"""Arguments of a short run, whose rates are wrong."""


def describe_machine() -> str:
    """Return the date, the number of cores, and the instructions and version of torch."""
    import torch

    instructions = torch.backends.cpu.get_cpu_capability()
    cores = f"{os.cpu_count()} cores with {instructions}"
    return f"{datetime.date.today()}, {cores}, torch {torch.__version__.partition('+')[0]}"


def machine_rates(
    shapes: Sequence[tuple[int, int, int]] = SHAPES, read_bytes: int = READ_BYTES
) -> dict[str, float]:
    """Return the best rates of torch's own operations, in 10⁹ operations or bytes a CPU second.

    Returns
    -------
    dict
        ``"float32"``, ``"bfloat16"`` and ``"int8"``: products of matrices. ``"read"``: the sum or
        the norm of an array that is too large for any cache.
    """
    import torch

    with torch.inference_mode():
        rates = {}
        for name in ("float32", "bfloat16"):
            rates[name] = max(_product_rate(shape, getattr(torch, name)) for shape in shapes)
        rates["int8"] = max(_int8_rate(shape) for shape in shapes)
        values = torch.ones(read_bytes // 4)
        fastest = min(_best(values.sum), _best(lambda: torch.linalg.vector_norm(values)))
        rates["read"] = values.nbytes / fastest / 1e9
    return rates


def _product_rate(shape: tuple[int, int, int], dtype: object) -> float:
    import torch

    rows, inner, columns = shape
    left = torch.randn(rows, inner).to(dtype)
    right = torch.randn(columns, inner).to(dtype)
    seconds = _best(lambda: torch.nn.functional.linear(left, right))
    return 2 * rows * inner * columns / seconds / 1e9


def _int8_rate(shape: tuple[int, int, int]) -> float:
    import torch

    rows, inner, columns = shape
    left = torch.ones(rows, inner, dtype=torch.int8)
    right = torch.ones(inner, columns, dtype=torch.int8)
    return 2 * rows * inner * columns / _best(lambda: torch._int_mm(left, right)) / 1e9


def _best(function: Callable[[], object]) -> float:
    """Return the CPU seconds of the fastest call; a first one is not counted."""
    function()
    return max(min(measure_cpu(function) for _ in range(REPEATS)), 1e-9)
