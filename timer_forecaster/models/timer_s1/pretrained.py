"""Timer-S1 as a ``PreTrainedModel`` of transformers: hub, shards, dtypes, device maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from timer_forecaster.models.timer_s1.arguments import check_text_arguments
from timer_forecaster.models.timer_s1.attention import GatedAttention
from timer_forecaster.models.timer_s1.attention_kernels import ATTENTION_KERNELS
from timer_forecaster.models.timer_s1.configuration import TimerS1Config
from timer_forecaster.models.timer_s1.network import TimerS1Backbone, TimerS1Layers
from timer_forecaster.models.timer_s1.objective import (
    combine_terms,
    load_balance_loss,
    stage_losses,
)
from timer_forecaster.models.timer_s1.patches import patchify


@dataclass
class TimerS1Output(ModelOutput):
    """The output of `TimerS1ForPrediction.forward`.

    Attributes
    ----------
    loss, ntp_loss, stp_loss, aux_loss : Tensor, scalar, or None
        The training objective and its terms; None without labels.
    quantiles : Tensor, shape (B, Q, (serial blocks + 1) * P)
        Forecast after the newest token, on the scale of the inputs.
    router_logits : tuple of Tensor, each (B * N, experts)
        Router logits of each block, main blocks first.

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.models.timer_s1 import TimerS1Config, TimerS1ForPrediction
    >>> sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16}
    >>> blocks = {"num_hidden_layers": 1, "num_mtp_tokens": 1, "num_experts": 2}
    >>> model = TimerS1ForPrediction(TimerS1Config(**sizes, **blocks)).eval()
    >>> model(torch.randn(4, 64)).quantiles.shape  # rows, levels, steps
    torch.Size([4, 9, 32])
    """

    loss: Tensor | None = None
    quantiles: Tensor | None = None
    ntp_loss: Tensor | None = None
    stp_loss: Tensor | None = None
    aux_loss: Tensor | None = None
    router_logits: tuple[Tensor, ...] | None = None


class TimerS1ForPrediction(TimerS1Layers, PreTrainedModel):
    """Timer-S1 with the loading, saving and training interfaces of transformers.

    ``from_pretrained`` reads the released checkpoint as it is, with its ``config.json`` and one
    file of weights or several shards. ``save_pretrained`` writes the same layout. Remote code is
    never run.

    Parameters
    ----------
    config : TimerS1Config
        Sizes of the network.

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.models.timer_s1 import TimerS1Config, TimerS1ForPrediction
    >>> config = TimerS1Config(hidden_size=32, intermediate_size=64, num_hidden_layers=1,
    ...     num_mtp_tokens=2, num_attention_heads=2, num_experts=4)
    >>> model = TimerS1ForPrediction(config).eval()
    >>> model.generate(torch.randn(5, 100), max_new_tokens=40).shape
    torch.Size([5, 9, 40])
    """

    config_class = TimerS1Config
    config: TimerS1Config
    base_model_prefix = "model"
    main_input_name = "inputs"
    _input_embed_layer = "embed_layer"  # for the quantizers of transformers
    _no_split_modules: ClassVar[list[str]] = ["TimeMoEBlock", "TimeSTPBlock"]
    _supports_sdpa = True
    accepts_loss_kwargs = False  # for transformers' trainer

    def __init__(self, config: TimerS1Config) -> None:
        super().__init__(config)
        self._build(config)
        # The peft library asks for both; transformers warns of a class that has the first.
        self.prepare_inputs_for_generation = refuse_tokens
        self.generation_config = None
        if config._attn_implementation in ATTENTION_KERNELS:
            self.set_attention_kernel(config._attn_implementation)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, GatedAttention):
            nn.init.ones_(module.q_scale)
            nn.init.ones_(module.k_scale)
        if isinstance(module, TimerS1Backbone):  # as in the plain network
            bias = module.embed_layer.output_layer.bias
            nn.init.normal_(bias, std=self.config.initializer_range)

    def forward(
        self,
        inputs: Tensor,
        observed: Tensor | None = None,
        labels: Tensor | None = None,
        **text_arguments: Any,
    ) -> TimerS1Output:
        """Run every block on every token; labels supervise all tokens.

        Parameters
        ----------
        inputs : Tensor, shape (B, T)
            Series, oldest step first, **already normalized**. Statistics over a whole training
            window would tell early tokens about their future; take them from its beginning.
        observed : Tensor of bool, shape (B, T), optional
            False where a value is missing. Default: all values are observed.
        labels : Tensor, shape (B, T') with T' >= T, optional
            The series on the scale of the inputs, from the same first step and usually longer;
            NaN where there is nothing to learn. Stage j at token i learns patch i + j + 1 where
            the labels have it.
        **text_arguments
            Arguments of models of text, which the peft library passes; all None.

        Returns
        -------
        TimerS1Output

        Raises
        ------
        TypeError, ValueError
            If an argument cannot be used. The message names it.
        """
        check_text_arguments(text_arguments)
        _check_labels(inputs, labels)
        config = self.config
        patches = patchify(inputs, observed, config.input_token_len)
        stages = list(self.stages(patches.to(self.dtype)))
        router_logits = tuple(logits for stage in stages for logits in stage.router_logits)
        predictions = [self.predict_patch(stage.hidden_states) for stage in stages]
        quantiles = torch.cat([prediction[:, -1] for prediction in predictions], dim=-1)
        if labels is None:
            return TimerS1Output(quantiles=quantiles, router_logits=router_logits)
        targets = self._label_patches(labels, pad=-inputs.shape[-1] % config.input_token_len)
        losses = stage_losses(
            predictions,
            targets.nan_to_num(0.0),
            ~targets.isnan(),
            torch.tensor(config.quantiles, device=labels.device),
            config.training_loss,
        )
        aux = load_balance_loss(router_logits, config.num_experts_per_token)
        terms = combine_terms(losses, aux, config.serial_weighting, config.router_aux_loss_coef)
        return TimerS1Output(
            loss=terms.loss,
            quantiles=quantiles,
            ntp_loss=terms.ntp,
            stp_loss=terms.stp,
            aux_loss=terms.aux,
            router_logits=router_logits,
        )

    def _label_patches(self, labels: Tensor, pad: int) -> Tensor:
        """Cut labels (B, T') into the patches (B, M, P) of the tokens, filled up with NaN."""
        length = self.config.input_token_len
        right = -(labels.shape[-1] + pad) % length
        padded = F.pad(labels.float(), (pad, right), value=torch.nan)
        return padded.unflatten(-1, (-1, length))


def _check_labels(inputs: Tensor, labels: Tensor | None) -> None:
    if labels is None:
        return
    if labels.ndim != 2 or len(labels) != len(inputs) or labels.shape[-1] < inputs.shape[-1]:
        raise ValueError(
            f"labels has shape {tuple(labels.shape)}; expected (batch, steps) with the batch of "
            f"inputs {tuple(inputs.shape)} and at least as many steps"
        )


def refuse_tokens(*arguments: Any, **options: Any) -> None:
    """Refuse to prepare the next token of a text: the network has no tokens."""
    raise NotImplementedError("a Timer-S1 forecasts series and no text; call generate(series, …)")
