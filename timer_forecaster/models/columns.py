"""Columns whose future is known, as networks read them beside series."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple


class KnownColumn(NamedTuple):
    """A column whose future is known, as a network reads it beside a series."""

    name: Hashable
    location: float
    scale: float
    """The network reads ``(values - location) / scale``."""
