"""TinyTimeMixer as ``PreTrainedModel`` of transformers: hub, shards, dtypes, trainer."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from timer_forecaster.models.ttm.arguments import check_inputs
from timer_forecaster.models.ttm.configuration import TinyTimeMixerConfig
from timer_forecaster.models.ttm.decomposition import TTMDecomposedLayers
from timer_forecaster.models.ttm.network import TTMLayers


@dataclass
class TinyTimeMixerForPredictionOutput(ModelOutput):
    """The output of `TinyTimeMixerForPrediction`, with the fields of the released class.

    Attributes
    ----------
    loss, prediction_outputs, quantile_outputs, backbone_hidden_state, decoder_hidden_state, \
hidden_states, loc, scale
        As in `timer_forecaster.models.ttm.TTMOutput`.
    input_data, forecast_groundtruth : Tensor
        The values that were given.

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.models.ttm import TinyTimeMixerConfig, TinyTimeMixerForPrediction
    >>> config = TinyTimeMixerConfig(num_layers=1, decoder_num_layers=1)
    >>> output = TinyTimeMixerForPrediction(config).eval()(past_values=torch.randn(5, 64, 2))
    >>> output.prediction_outputs.shape  # rows, steps, channels
    torch.Size([5, 16, 2])
    """

    loss: Tensor | None = None
    prediction_outputs: Tensor | None = None
    backbone_hidden_state: Tensor | None = None
    decoder_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    loc: Tensor | None = None
    scale: Tensor | None = None
    input_data: Tensor | None = None
    forecast_groundtruth: Tensor | None = None
    quantile_outputs: Tensor | None = None


@dataclass
class TinyTimeMixerForDecomposedPredictionOutput(ModelOutput):
    """The output of `TinyTimeMixerForDecomposedPrediction`, with the fields of the released class.

    Attributes
    ----------
    loss, prediction_outputs, quantile_outputs, trend_prediction_outputs, \
residual_prediction_outputs, trend_input, residual_input, trend_quantile_outputs, \
residual_quantile_outputs
        As in `timer_forecaster.models.ttm.TTMDecomposedOutput`.
    input_data, forecast_groundtruth : Tensor
        The values that were given.
    loc, scale : Tensor
        Location and scale of the histories, which the released class does not have.

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.models.ttm import TinyTimeMixerConfig
    >>> from timer_forecaster.models.ttm import TinyTimeMixerForDecomposedPrediction
    >>> config = TinyTimeMixerConfig(num_layers=1, decoder_num_layers=1, decompose=True)
    >>> model = TinyTimeMixerForDecomposedPrediction(config).eval()
    >>> model(past_values=torch.randn(5, 64, 2)).residual_prediction_outputs.shape
    torch.Size([5, 16, 2])
    """

    loss: Tensor | None = None
    prediction_outputs: Tensor | None = None
    quantile_outputs: Tensor | None = None
    trend_prediction_outputs: Tensor | None = None
    residual_prediction_outputs: Tensor | None = None
    trend_input: Tensor | None = None
    residual_input: Tensor | None = None
    trend_quantile_outputs: Tensor | None = None
    residual_quantile_outputs: Tensor | None = None
    input_data: Tensor | None = None
    forecast_groundtruth: Tensor | None = None
    loc: Tensor | None = None
    scale: Tensor | None = None


class TinyTimeMixerPreTrainedModel(PreTrainedModel):
    """Loading, saving and initial weights of both classes."""

    config_class = TinyTimeMixerConfig
    config: TinyTimeMixerConfig
    base_model_prefix = "model"
    main_input_name = "past_values"
    accepts_loss_kwargs = False  # for transformers' trainer

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: Any,
        *arguments: Any,
        ignore_mismatched_sizes: bool = False,
        output_loading_info: bool = False,
        **options: Any,
    ) -> Any:
        """Load a checkpoint of the released layout, as ``PreTrainedModel.from_pretrained`` does.

        Parameters
        ----------
        pretrained_model_name_or_path : str or path
            Folder, or name on the Hugging Face hub.
        ignore_mismatched_sizes : bool
            Whether parts without weights in the checkpoint are drawn at random, to be trained.
        output_loading_info : bool
            Whether to return which tensors were missing, unexpected and of another shape, too.
        *arguments, **options
            Those of ``PreTrainedModel.from_pretrained``, and fields of the configuration.

        Raises
        ------
        ValueError
            If the checkpoint has other tensors than the network: parts of it would forecast at
            random. The error names tensors.
        """
        model, info = super().from_pretrained(
            pretrained_model_name_or_path,
            *arguments,
            ignore_mismatched_sizes=True,  # refused below, with names
            output_loading_info=True,
            **options,
        )
        if not ignore_mismatched_sizes:
            _check_layout(cls.__name__, str(pretrained_model_name_or_path), info)
        return (model, info) if output_loading_info else model

    def _init_weights(self, module: nn.Module) -> None:
        """Draw the weights of one module as torch does."""
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()

    def _returned(self, output: ModelOutput, return_dict: bool | None) -> Any:
        """Return an output as it is, or as a tuple with all its fields."""
        if return_dict is None:
            return_dict = getattr(self.config, "return_dict", True)
        if return_dict:
            return output
        return tuple(getattr(output, field.name) for field in fields(output))


def _check_layout(class_name: str, name: str, info: dict[str, Any]) -> None:
    """Refuse a checkpoint whose tensors are not those of the network."""
    shapes = [
        f"{one[0]} with {list(one[1])}, not {list(one[2])}" for one in info["mismatched_keys"]
    ]
    faults = {
        "missing": sorted(info["missing_keys"]),
        "unexpected": sorted(info["unexpected_keys"]),
        "of another shape": sorted(shapes),
    }
    text = "; ".join(f"{kind} {some[:3]} ({len(some)})" for kind, some in faults.items() if some)
    if text:
        raise ValueError(
            f"the weights in {name} do not fit {class_name} with its config.json and the fields "
            f"that were given: {text}. Take config.json and the weights from one place. To train "
            "new parts, which start at random, give ignore_mismatched_sizes=True"
        )


class TinyTimeMixerForPrediction(TTMLayers, TinyTimeMixerPreTrainedModel):
    """TinyTimeMixer with the loading, saving and training interfaces of transformers.

    ``from_pretrained`` reads released checkpoints as they are, and ``save_pretrained`` writes the
    same layout. Remote code is never run.

    Parameters
    ----------
    config : TinyTimeMixerConfig
        Sizes of the network.

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.models.ttm import TinyTimeMixerConfig, TinyTimeMixerForPrediction
    >>> config = TinyTimeMixerConfig(context_length=96, patch_length=12, patch_stride=12,
    ...     prediction_length=24, decoder_num_layers=1)
    >>> model = TinyTimeMixerForPrediction(config).eval()
    >>> model(past_values=torch.randn(5, 96, 2)).prediction_outputs.shape
    torch.Size([5, 24, 2])
    """

    def __init__(self, config: TinyTimeMixerConfig) -> None:
        super().__init__(config)
        self._build(config.architecture)
        self.post_init()

    def forward(
        self,
        past_values: Tensor,
        future_values: Tensor | None = None,
        past_observed_mask: Tensor | None = None,
        future_observed_mask: Tensor | None = None,
        output_hidden_states: bool | None = None,
        return_loss: bool = True,
        return_dict: bool | None = None,
        freq_token: Tensor | None = None,
        static_categorical_values: Tensor | None = None,
        metadata: Any = None,
    ) -> TinyTimeMixerForPredictionOutput:
        """Forecast, and return the loss if the future is given.

        `timer_forecaster.models.ttm.TTMNetwork.forward` explains the arguments of the network.

        Parameters
        ----------
        past_values, future_values, past_observed_mask, future_observed_mask, freq_token, \
static_categorical_values : Tensor
            Series, masks and attributes of each row.
        output_hidden_states : bool, optional
            Whether to return the tokens after each mixer.
        return_loss : bool
            Whether to compute the loss.
        return_dict : bool, optional
            False returns a tuple with all fields in their order.
        metadata : object
            Not used; the released class takes it too.

        Returns
        -------
        TinyTimeMixerForPredictionOutput
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
        if output_hidden_states is None:
            output_hidden_states = bool(getattr(self.config, "output_hidden_states", False))
        found = self._run(inputs, return_loss, [] if output_hidden_states else None)
        output = TinyTimeMixerForPredictionOutput(
            loss=found.loss,
            prediction_outputs=found.prediction_outputs,
            quantile_outputs=found.quantile_outputs,
        )
        if not self.architecture.light_mode:
            output.backbone_hidden_state = found.backbone_hidden_state
            output.decoder_hidden_state = found.decoder_hidden_state
            output.hidden_states = found.hidden_states
            output.loc, output.scale = found.loc, found.scale
            output.input_data, output.forecast_groundtruth = past_values, future_values
        return self._returned(output, return_dict)


class TinyTimeMixerForDecomposedPrediction(TTMDecomposedLayers, TinyTimeMixerPreTrainedModel):
    """The decomposed TinyTimeMixer ("-dec-" checkpoints) with the interfaces of transformers.

    Parameters
    ----------
    config : TinyTimeMixerConfig
        Sizes of the network; ``decompose`` is True.

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.models.ttm import TinyTimeMixerConfig
    >>> from timer_forecaster.models.ttm import TinyTimeMixerForDecomposedPrediction
    >>> config = TinyTimeMixerConfig(context_length=96, patch_length=12, patch_stride=12,
    ...     prediction_length=24, decoder_num_layers=1, decompose=True)
    >>> model = TinyTimeMixerForDecomposedPrediction(config).eval()
    >>> model(past_values=torch.randn(5, 96, 2)).prediction_outputs.shape
    torch.Size([5, 24, 2])
    """

    def __init__(self, config: TinyTimeMixerConfig) -> None:
        super().__init__(config)
        self._build(config.architecture)
        self.post_init()

    def forward(
        self,
        past_values: Tensor,
        future_values: Tensor | None = None,
        past_observed_mask: Tensor | None = None,
        future_observed_mask: Tensor | None = None,
        output_hidden_states: bool | None = None,
        return_loss: bool = True,
        return_dict: bool | None = None,
        freq_token: Tensor | None = None,
        static_categorical_values: Tensor | None = None,
        metadata: Any = None,
    ) -> TinyTimeMixerForDecomposedPredictionOutput:
        """Forecast, and return the loss, on the scale of the network, if the future is given.

        `TinyTimeMixerForPrediction.forward` explains the arguments. ``output_hidden_states`` has
        no effect, as in the released class.

        Returns
        -------
        TinyTimeMixerForDecomposedPredictionOutput
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
        found = vars(self._run(inputs, return_loss))
        if self.architecture.light_mode:
            kept = ("loss", "prediction_outputs", "quantile_outputs")
            found = {name: found[name] for name in kept}
        else:
            found = {**found, "input_data": past_values, "forecast_groundtruth": future_values}
        return self._returned(TinyTimeMixerForDecomposedPredictionOutput(**found), return_dict)
