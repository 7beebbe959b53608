"""Folders that the programs read."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
MINI = ROOT / "timer_forecaster" / "checkpoints" / "timer-s1-mini"
"""`timer-s1-mini`. Other environments know it by this path only."""
TINY = ROOT / "tests" / "data" / "parity" / "tiny"
"""A checkpoint with one pass of 64 steps, which the tests of parity use."""
