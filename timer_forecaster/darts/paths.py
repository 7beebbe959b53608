"""Samples of Darts as joint paths.

Shapes in comments: B windows of a batch, T steps of the output chunk, C components, S samples.
"""

from __future__ import annotations

from typing import Any

import torch

from timer_forecaster.darts.framework import PLModuleInput, PLModuleOutput
from timer_forecaster.darts.tensors import unfold_components


class PathSampler:
    """Mixin of a Lightning module: each sample is a path, whose steps belong together.

    Darts itself draws each step by itself from a likelihood, and runs the module once for each few
    samples. Here all samples of an output chunk come from one forecast. They have its distribution
    at each step, tails included. Beyond a chunk Darts goes on from each sample by itself. The one
    sample of ``num_samples=1`` is still Darts' own.
    """

    forecast: Any
    likelihood: Any
    output_chunk_length: int
    output_chunk_shift: int
    pred_n: int
    pred_num_samples: int
    pred_roll_size: int
    predict_likelihood_parameters: bool

    _paths_of_each = 1  # window of a batch

    def predict_step(self, batch: Any, *args: Any, **kwargs: Any) -> Any:
        """Predict a batch of windows as Darts does, with all samples of a chunk at once."""
        step = super().predict_step  # type: ignore[misc]
        n = self.pred_num_samples
        if n == 1 or not self._draws() or self._goes_on():
            return step(batch, *args, **kwargs)
        self.pred_num_samples, self._paths_of_each = 1, n
        try:
            prediction, *others = step(batch, *args, **kwargs)  # (1, B, T, C*S)
        finally:
            self.pred_num_samples, self._paths_of_each = n, 1
        return (prediction[0].unflatten(-1, (-1, n)).permute(3, 0, 1, 2), *others)  # (S, B, T, C)

    def _draws(self) -> bool:
        """Whether samples are asked for, not quantiles."""
        return self.likelihood is not None and not self.predict_likelihood_parameters

    def _goes_on(self) -> bool:
        """Whether samples are fed back, because the horizon is longer than a chunk."""
        return min(self.pred_roll_size, self.output_chunk_length) < max(
            self.pred_n, self.output_chunk_length
        )

    def _produce_predict_output(self, x: PLModuleInput) -> PLModuleOutput:
        one = self.pred_num_samples == self._paths_of_each == 1
        if one or not self._draws():
            return super()._produce_predict_output(x)  # type: ignore[misc]
        seed = int(torch.randint(2**62, ()))  # Darts seeds torch with its random_state
        paths = self.forecast(x).sample_paths(self._paths_of_each, seed)  # (B*C, S, shift + T)
        steps = paths[:, :, self.output_chunk_shift :].transpose(0, 2, 1)  # (B*C, T, S)
        values = unfold_components(steps, x.past_target)  # (B, T, C, S)
        return PLModuleOutput(prediction=values.flatten(2))  # (B, T, C*S)
