"""Stamps: how a column of times is read, by what the whole column shows."""

from timer_forecaster.frames.stamps.parsing import parse_times

__all__ = ["parse_times"]
