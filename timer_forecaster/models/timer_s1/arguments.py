"""The arguments of `generate` and `forward`: arrays become tensors, unusable ones are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

_INSTEAD = "ForecastPipeline.predict takes missing values and rows of unequal lengths"

_OF_TEXT = (  # arguments of models of text, which the peft library passes as None
    "attention_mask",
    "decoder_attention_mask",
    "decoder_input_ids",
    "decoder_inputs_embeds",
    "input_ids",
    "inputs_embeds",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
)

_NEUTRAL: dict[str, tuple[Any, ...]] = {  # options of models of text that ask for nothing else
    "do_sample": (None, False),
    "num_beams": (None, 1),
    "num_return_sequences": (None, 1),
    "return_dict_in_generate": (None, False),
    "use_cache": (None, False, True),  # the numbers are the same
}


def as_contexts(inputs: Any) -> Tensor:
    """Return contexts as a tensor of float32 or a wider type.

    Parameters
    ----------
    inputs : Tensor or array-like, shape (B, T)
        Integers become float64, because float32 would round them.

    Raises
    ------
    TypeError
        If they are no real numbers, or a frame.
    ValueError
        If the shape does not fit, or if a value is missing or infinite.
    """
    context = inputs if isinstance(inputs, Tensor) else _as_tensor(inputs)
    if context.is_complex():
        raise TypeError(f"inputs must hold real numbers; its dtype is {context.dtype}")
    if context.ndim != 2 or not context.numel():
        raise ValueError(
            f"inputs has shape {tuple(context.shape)}; expected (batch >= 1, steps >= 1), such as "
            "inputs[None] for one series"
        )
    if not context.is_floating_point():
        return context.double()
    if not torch.isfinite(context).all():
        raise ValueError(f"inputs holds NaN or infinite values; {_INSTEAD}")
    return context.to(torch.promote_types(context.dtype, torch.float32))


def _as_tensor(inputs: Any) -> Tensor:
    if hasattr(inputs, "columns"):
        raise TypeError(
            "inputs is a frame; pass inputs.to_numpy().T if each column is a series, or use "
            "ForecastPipeline.predict_frame"
        )
    if isinstance(inputs, (list, tuple)):
        inputs = [row.detach().cpu() if isinstance(row, Tensor) else row for row in inputs]
    try:
        array = np.asarray(inputs)
    except (TypeError, ValueError):
        raise ValueError(f"inputs must be rows of equally many numbers; {_INSTEAD}") from None
    if np.ma.isMaskedArray(inputs) and np.ma.getmaskarray(inputs).any():
        raise ValueError(f"inputs has masked values; {_INSTEAD}")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"inputs must hold real numbers; its dtype is {array.dtype}")
    narrow = array.dtype in (np.float16, np.float32)
    return torch.from_numpy(array.astype(np.float32 if narrow else np.float64))


def check_options(contexts: Tensor, attention_mask: Any, options: Mapping[str, Any]) -> None:
    """Refuse arguments of `generate` that cannot be used.

    Parameters
    ----------
    contexts : Tensor, shape (B, T)
    attention_mask : array-like or None
        A mask that hides nothing is accepted.
    options : mapping of str to object
        Other arguments. Options of models of text are accepted if they ask for nothing.

    Raises
    ------
    TypeError
        If there is no such argument.
    ValueError
        If its value cannot be used.
    """
    for name, value in options.items():
        if name not in _NEUTRAL:
            raise TypeError(
                f"generate() has no argument {name!r}; it takes inputs, max_new_tokens, revin and "
                "attention_mask"
            )
        if not any(value is usable or value == usable for usable in _NEUTRAL[name]):
            raise ValueError(
                f"{name}={value!r} cannot be used: the network forecasts quantiles and draws no "
                f"tokens; leave {name} out"
            )
    if attention_mask is None:
        return
    mask = attention_mask if isinstance(attention_mask, Tensor) else np.asarray(attention_mask)
    if tuple(mask.shape) != tuple(contexts.shape):
        raise ValueError(
            f"attention_mask has shape {tuple(mask.shape)}; expected that of inputs, "
            f"{tuple(contexts.shape)}"
        )
    if not (mask == 1).all():
        raise ValueError(f"attention_mask hides values, and generate reads all; {_INSTEAD}")


def check_text_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse arguments of `forward` that models of text have, unless they ask for nothing.

    Raises
    ------
    TypeError
        If there is no such argument.
    """
    for name, value in arguments.items():
        nothing = (None, True) if name == "return_dict" else (None, False)
        if name not in _OF_TEXT or not any(value is one for one in nothing):
            raise TypeError(
                f"forward() has no argument {name!r}; it takes inputs, observed and labels"
            )
