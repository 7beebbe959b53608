"""Horizons and options of a forecast: usable ones in many types, and others."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from benchmarks.fuzz.draw import Draw

INTEGERS = (int, np.int64, np.int32, np.int16, np.int8, np.uint8, np.uint16, np.uint32, np.uint64)
"""Types of integers, which all mean what they say."""


def some_horizon(draw: Draw) -> int:
    """Return a horizon: mostly of one pass, seldom of several."""
    return draw.integer(*draw.weighted({(1, 16): 80, (17, 32): 14, (33, 100): 5, (200, 260): 0.2}))


def as_integer(draw: Draw, value: int) -> Any:
    """Return an integer in a type that can hold it."""
    if draw.chance(0.7):
        return value
    kind = draw.pick(INTEGERS)
    if kind is not int and value > np.iinfo(kind).max:
        return value
    return kind(value)


def bad_integer(draw: Draw) -> Any:
    """Return something that is no integer of at least 1."""
    return draw.pick(
        [
            0, -1, -(10**20), np.int64(0), np.int8(-3), 3.0, 2.5, np.float64(4), float("nan"),
            float("inf"), "3", "", b"3", True, False, np.bool_(True), [3], (3,), {3}, {"h": 3},
            np.array([3]), np.array([1, 2]), Fraction(3, 2), Decimal(3), 1j, object(),
            np.timedelta64(3, "D"), np.datetime64("2024-01-01"),
        ]
    )  # fmt: skip


def some_options(draw: Draw) -> dict[str, Any]:
    """Return options that can be used, mostly the defaults."""
    options: dict[str, Any] = {}
    if draw.chance(0.2):
        options["context_length"] = as_integer(draw, draw.integer(1, 700))
    if draw.chance(0.3):
        options["rollout"] = draw.pick(["auto", "quantile", "median", "multiscale"])
    if draw.chance(0.1):
        options["flip"] = draw.pick([True, False, np.bool_(True)])
    if draw.chance(0.15):
        options["batch_size"] = as_integer(draw, draw.integer(1, 40))
    return options


def bad_option(draw: Draw) -> tuple[str, Any]:
    """Return the name of an option and a value that it cannot have."""
    name = draw.pick(["context_length", "batch_size", "rollout", "flip"])
    if name == "rollout":
        return name, draw.pick(["", "Median", "auto ", None, 3, b"median", ["median"], np.nan])
    if name == "flip":
        return name, draw.pick(["yes", "False", 1, 0, None, np.nan, [True], np.array([True])])
    return name, bad_integer(draw)


def some_levels(draw: Draw) -> list[float]:
    """Return quantile levels, each once."""
    levels = draw.pick(
        [[0.1, 0.5, 0.9], [0.5], [0.9, 0.1], [0.05, 0.37, 0.975], [0.001, 0.999], [0.25, 0.75]]
    )
    return list(levels)


def bad_levels(draw: Draw) -> Any:
    """Return levels that cannot be used."""
    return draw.pick(
        [
            [], [0.0], [1.0], [0.1, 1.1], [-0.1], [0.5, 0.5], [float("nan")], ["0.5"], [None],
            "0.5", [50], [0.1, [0.5]], [True], 0.5, None, [1j], [np.inf],
        ]
    )  # fmt: skip
