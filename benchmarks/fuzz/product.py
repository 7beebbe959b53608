"""The networks that all cases share, and a folder for their files."""

from __future__ import annotations

import json
import shutil
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timer_forecaster import ForecastPipeline

NAME = "timer-s1-test"
"""The checkpoint: random weights of a tiny size."""

LONGEST = 512
"""Steps that it reads."""

ONE_PASS = 32
"""Steps of one of its passes."""

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


class Product:
    """Pipelines of the tiny checkpoint, and a folder that is empty at the start of each case.

    The laws are compared in float64. In float32 a token may go to another expert, where two are
    nearly equal, for a change in the last bit.
    """

    @cached_property
    def pipe(self) -> ForecastPipeline:
        """The pipeline in float64."""
        return self.pipeline("float64")

    def pipeline(self, dtype: str) -> ForecastPipeline:
        """Return the pipeline in another type."""
        from timer_forecaster import ForecastPipeline

        return ForecastPipeline.from_pretrained(NAME, dtype=dtype, device="cpu")

    @cached_property
    def transforming(self) -> ForecastPipeline:
        """A pipeline of a network of the same sizes in float64, which transforms series."""
        from timer_forecaster import ForecastPipeline
        from timer_forecaster.checkpoints.registry import find_checkpoint

        config = json.loads((find_checkpoint(NAME) / "config.json").read_text())
        config |= {"transforms_series": True, "preferred_rollout": "multiscale"}
        return ForecastPipeline.from_pretrained(None, config=config, dtype="float64", device="cpu")

    @cached_property
    def _place(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="fuzz-")

    @property
    def folder(self) -> Path:
        """An existing folder for the files of the case."""
        folder = Path(self._place.name) / "case"
        folder.mkdir(exist_ok=True)
        return folder

    def clear(self) -> None:
        """Delete the files of the last case."""
        if "_place" in self.__dict__:
            shutil.rmtree(Path(self._place.name) / "case", ignore_errors=True)
