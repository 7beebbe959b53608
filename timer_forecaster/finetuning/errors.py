"""Errors of finetuning."""

from __future__ import annotations


class NothingToTuneError(ValueError):
    """The data have nothing to train on, or nothing to validate by."""
