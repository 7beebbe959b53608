"""The decomposed network of TinyTimeMixer R3: one for the smooth trend, one for the rest.

Shapes in comments: B batch, T steps, C channels, H horizon, Q quantile levels.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from timer_forecaster.models.network import Network, redraw
from timer_forecaster.models.ttm.architecture import TTMArchitecture
from timer_forecaster.models.ttm.arguments import Inputs, check_inputs
from timer_forecaster.models.ttm.loss import point_loss, quantile_loss
from timer_forecaster.models.ttm.network import TTMNetwork, TTMOutput
from timer_forecaster.models.ttm.scaling import statistics
from timer_forecaster.models.ttm.smoothing import smooth_trend

CHANGES = 0.1
"""Weight of first differences in the loss of the trend."""
_SMALL = 1e-8


@dataclasses.dataclass
class TTMDecomposedOutput:
    """The output of `TTMDecomposedNetwork`.

    Attributes
    ----------
    prediction_outputs : Tensor, shape (B, H, C)
        Point forecast in the units of the data; the median where there are quantiles.
    quantile_outputs : Tensor, shape (B, Q, H, C), or None
        Quantiles, ascending.
    loss : Tensor, scalar, or None
        Loss on the scale of the network; None without ``future_values``.
    loc, scale : Tensor, shape (B, 1, C)
        Location and scale of the histories.
    trend_input, residual_input : Tensor, shape (B, T, C)
        The smooth trend of the history, and the context of the second network. These and all parts
        below are in the units of the data, each at the location of the history, so that the sum of
        both parts has it twice.
    trend_prediction_outputs, residual_prediction_outputs : Tensor, shape (B, H, C)
        Forecasts of both networks.
    trend_quantile_outputs, residual_quantile_outputs : Tensor, shape (B, Q, H, C), or None
        Quantiles of both networks.

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.models.ttm import TTMArchitecture, TTMDecomposedNetwork
    >>> architecture = TTMArchitecture(num_layers=1, decoder_num_layers=1, decompose=True)
    >>> output = TTMDecomposedNetwork(architecture).eval()(torch.randn(5, 64, 2))
    >>> output.trend_prediction_outputs.shape  # rows, steps, channels
    torch.Size([5, 16, 2])
    """

    prediction_outputs: Tensor
    quantile_outputs: Tensor | None
    loss: Tensor | None
    loc: Tensor
    scale: Tensor
    trend_input: Tensor
    residual_input: Tensor
    trend_prediction_outputs: Tensor
    residual_prediction_outputs: Tensor
    trend_quantile_outputs: Tensor | None
    residual_quantile_outputs: Tensor | None


class TTMDecomposedLayers:
    """Modules and passes that both classes of a decomposed network share."""

    trend_forecaster: TTMNetwork
    residual_forecaster: TTMNetwork
    architecture: TTMArchitecture

    def _build(self, architecture: TTMArchitecture) -> None:
        if not architecture.decompose:
            raise ValueError(
                f"decompose=False is a {architecture.class_name}: it has one network, and this "
                "class has two; use TTMNetwork or TinyTimeMixerForPrediction"
            )
        self.architecture = architecture
        self.trend_forecaster = TTMNetwork(architecture.trend())
        self.residual_forecaster = TTMNetwork(architecture.residual())

    def _run(self, inputs: Inputs, with_loss: bool) -> TTMDecomposedOutput:
        config = self.architecture
        if inputs.past.shape[1] < 2:
            raise ValueError("past_values has 1 step; a smooth trend needs 2 or more")
        loc, scale = statistics(inputs.past, inputs.past_mask, config)
        scaled = (inputs.past - loc) / scale
        length = min(config.residual_context_length or scaled.shape[1], scaled.shape[1])
        smooth = smooth_trend(scaled)
        rest = (scaled - smooth)[:, -length:]
        given = {"freq_token": inputs.frequency, "static_categorical_values": inputs.categories}
        trend = self.trend_forecaster(scaled, **given)
        residual = self.residual_forecaster(rest, **given)
        forecast = trend.prediction_outputs + residual.prediction_outputs
        quantiles = self._quantiles(trend, residual)
        loss = None
        if with_loss and inputs.future is not None:
            future = (inputs.future[:, : config.pass_length] - loc) / scale
            loss = self._loss(scaled, future, (forecast, quantiles), trend, residual)

        def in_units(values: Tensor | None) -> Any:
            if values is None or values.ndim == 3:
                return None if values is None else values * scale + loc
            return values * scale[:, None] + loc[:, None]

        return TTMDecomposedOutput(
            prediction_outputs=in_units(forecast),
            quantile_outputs=in_units(quantiles),
            loss=loss,
            loc=loc,
            scale=scale,
            trend_input=in_units(smooth),
            residual_input=in_units(rest),
            trend_prediction_outputs=in_units(trend.prediction_outputs),
            residual_prediction_outputs=in_units(residual.prediction_outputs),
            trend_quantile_outputs=in_units(trend.quantile_outputs),
            residual_quantile_outputs=in_units(residual.quantile_outputs),
        )

    def _quantiles(self, trend: TTMOutput, residual: TTMOutput) -> Tensor | None:
        """Add quantiles level by level, or their distances from the median by squares."""
        first, second = trend.quantile_outputs, residual.quantile_outputs
        if first is None or second is None:
            return None
        if not self.architecture.combine_quantiles_via_variance:
            return first + second
        half = first.shape[1] // 2
        middle = slice(half, half + 1)
        median = first[:, middle] + second[:, middle]
        squares = (first - first[:, middle]).square() + (second - second[:, middle]).square()
        width = (squares + _SMALL).sqrt()
        return torch.cat([median - width[:, :half], median, median + width[:, half + 1 :]], dim=1)

    def _loss(
        self,
        scaled: Tensor,
        future: Tensor,
        joint: tuple[Tensor, Tensor | None],
        trend: TTMOutput,
        residual: TTMOutput,
    ) -> Tensor | None:
        """Return the weighted sum of three losses, on the scale of the network; none has a mask."""
        config = self.architecture
        if config.loss is None:
            return None
        smooth = smooth_trend(torch.cat([scaled, future], dim=1))[:, scaled.shape[1] :]

        def part(forecast: Tensor, quantiles: Tensor | None, target: Tensor) -> Any:
            if quantiles is None:
                return point_loss(config, forecast, target)
            return quantile_loss(config, quantiles, target)

        changes, target_changes = trend.prediction_outputs.diff(dim=1), smooth.diff(dim=1)
        if trend.quantile_outputs is None:
            of_changes: Any = point_loss(config, changes, target_changes)
        else:
            of_changes = F.l1_loss(changes, target_changes)
        of_trend = part(trend.prediction_outputs, trend.quantile_outputs, smooth)
        of_rest = part(residual.prediction_outputs, residual.quantile_outputs, future - smooth)
        return (
            config.joint_loss_weight * part(*joint, future)
            + config.trend_loss_weight * (of_trend + CHANGES * of_changes)
            + config.residual_loss_weight * of_rest
        )


class TTMDecomposedNetwork(TTMDecomposedLayers, Network):
    """The decomposed TinyTimeMixer as a plain torch module.

    A history longer than ``context_length`` counts in location, scale and trend. A shorter one is
    filled up with its mean.

    Parameters
    ----------
    architecture : TTMArchitecture
        Sizes of the network; ``decompose`` is True.

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.models.ttm import TTMArchitecture, TTMDecomposedNetwork
    >>> sizes = TTMArchitecture(context_length=96, patch_length=12, patch_stride=12,
    ...     prediction_length=24, decoder_num_layers=1, decompose=True)
    >>> network = TTMDecomposedNetwork(sizes).eval()
    >>> network(torch.randn(5, 96, 2)).prediction_outputs.shape
    torch.Size([5, 24, 2])
    """

    def __init__(self, architecture: TTMArchitecture) -> None:
        super().__init__()
        self._build(architecture)

    @property
    def config(self) -> TTMArchitecture:  # type: ignore[override]
        """Sizes of the network."""
        return self.architecture

    @property
    def pass_length(self) -> int:
        """Steps that one pass can forecast."""
        return self.architecture.pass_length

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw all weights as torch does.

        Parameters
        ----------
        generator : torch.Generator, optional
            Source of the random numbers. Default: torch's own.

        Examples
        --------
        >>> import torch
        >>> from timer_forecaster.models.ttm import TTMArchitecture, TTMDecomposedNetwork
        >>> architecture = TTMArchitecture(num_layers=1, decoder_num_layers=1, decompose=True)
        >>> network = TTMDecomposedNetwork(architecture)
        >>> network.reset_parameters(torch.Generator().manual_seed(0))
        """
        redraw(self, generator)

    @property
    def dtype(self) -> torch.dtype:
        """Type in which the network computes."""
        return self.trend_forecaster.dtype

    @property
    def device(self) -> torch.device:
        """Device on which inputs are expected."""
        return self.trend_forecaster.device

    def forward(
        self,
        past_values: Tensor,
        future_values: Tensor | None = None,
        past_observed_mask: Tensor | None = None,
        future_observed_mask: Tensor | None = None,
        freq_token: Tensor | None = None,
        static_categorical_values: Tensor | None = None,
        return_loss: bool = True,
    ) -> TTMDecomposedOutput:
        """Forecast, and return the loss if the future is given.

        `TTMNetwork.forward` explains the arguments. ``future_observed_mask`` has no effect on this
        loss.
        """
        inputs = check_inputs(
            self.architecture,
            past_values,
            future_values,
            past_observed_mask,
            future_observed_mask,
            freq_token,
            static_categorical_values,
        )
        return self._run(inputs, return_loss)


def make_network(architecture: TTMArchitecture) -> TTMNetwork | TTMDecomposedNetwork:
    """Return the network of an architecture, with weights at random.

    Parameters
    ----------
    architecture : TTMArchitecture

    Returns
    -------
    TTMNetwork or TTMDecomposedNetwork

    Examples
    --------
    >>> from timer_forecaster.models.ttm import TTMArchitecture, make_network
    >>> type(make_network(TTMArchitecture(decompose=True))).__name__
    'TTMDecomposedNetwork'
    """
    kind = TTMDecomposedNetwork if architecture.decompose else TTMNetwork
    return kind(architecture)
