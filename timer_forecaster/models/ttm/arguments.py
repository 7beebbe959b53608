"""Arguments of a forward pass, checked against the network; errors name the argument.

Shapes in comments: B batch, T steps, C channels, H horizon.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from timer_forecaster.models.ttm.architecture import TTMArchitecture


@dataclasses.dataclass
class Inputs:
    """Tensors of a forward pass, in float32 or float64."""

    past: Tensor  # (B, T, C)
    past_mask: Tensor | None
    future: Tensor | None  # (B, H, C)
    future_mask: Tensor | None
    frequency: Tensor | None  # (B,)
    categories: Tensor | None  # (B, number)


def check_inputs(
    config: TTMArchitecture,
    past_values: Tensor,
    future_values: Tensor | None = None,
    past_observed_mask: Tensor | None = None,
    future_observed_mask: Tensor | None = None,
    freq_token: Tensor | None = None,
    static_categorical_values: Tensor | None = None,
) -> Inputs:
    """Return the arguments of a forward pass.

    Values are in float64 if they were, else in float32: half of the digits of a series at a high
    level would be lost in a shorter type, before it is scaled.

    Raises
    ------
    TypeError, ValueError
        If an argument cannot be used.
    """
    past = _values("past_values", past_values, "(batch, steps, channels)")
    _check_channels(config, past)
    future = None
    if future_values is not None:
        future = _values("future_values", future_values, "(batch, steps, channels)").to(past.dtype)
        _check_future(config, past, future)
    elif config.exogenous_channels:
        raise ValueError(
            "future_values is missing: the network reads the known future of the channels "
            f"{list(config.exogenous_channels)} there"
        )
    return Inputs(
        past,
        _mask("past_observed_mask", past_observed_mask, past),
        future,
        None if future is None else _mask("future_observed_mask", future_observed_mask, future),
        _frequency(config, freq_token, len(past)),
        _categories(config, static_categorical_values, len(past)),
    )


def _values(name: str, values: Tensor, expected: str) -> Tensor:
    if not isinstance(values, Tensor):
        raise TypeError(f"{name} is of type {type(values).__name__}; it must be a torch.Tensor")
    if values.ndim != 3 or 0 in values.shape:
        raise ValueError(f"{name} has shape {tuple(values.shape)}; expected {expected}")
    if values.is_complex():
        raise TypeError(f"{name} has complex numbers; it must have real ones")
    return values if values.dtype in (torch.float32, torch.float64) else values.float()


def _check_channels(config: TTMArchitecture, past: Tensor) -> None:
    if config.fixed_channels and past.shape[-1] != config.num_input_channels:
        raise ValueError(
            f"past_values has {past.shape[-1]} channels; the network mixes or picks channels, and "
            f"its weights are for num_input_channels={config.num_input_channels}"
        )


def _check_future(config: TTMArchitecture, past: Tensor, future: Tensor) -> None:
    batch, _, channels = past.shape
    fits = future.shape[0] == batch and future.shape[2] == channels
    if not fits or future.shape[1] < config.pass_length:
        raise ValueError(
            f"future_values has shape {tuple(future.shape)}; expected ({batch}, steps, {channels}) "
            f"with at least {config.pass_length} steps, for past_values of shape "
            f"{tuple(past.shape)}"
        )


def _mask(name: str, mask: Tensor | None, values: Tensor) -> Tensor | None:
    if mask is None:
        return None
    if not isinstance(mask, Tensor):
        raise TypeError(f"{name} is of type {type(mask).__name__}; it must be a torch.Tensor")
    if mask.shape != values.shape:
        raise ValueError(
            f"{name} has shape {tuple(mask.shape)}; its values have {tuple(values.shape)}"
        )
    return mask.to(values.dtype)


def _frequency(config: TTMArchitecture, tokens: Tensor | None, batch: int) -> Tensor | None:
    """Return tokens of frequencies, for networks with a prefix; other networks do not read them."""
    if not config.resolution_prefix_tuning:
        return None
    size = config.frequency_token_vocab_size
    if tokens is None:
        raise ValueError(
            f"freq_token is missing: give one number in 0…{size - 1} for each row, for the "
            "frequency of its series; 0 is any other frequency"
        )
    return _indices("freq_token", tokens, (batch,), [size])


def _categories(config: TTMArchitecture, values: Tensor | None, batch: int) -> Tensor | None:
    sizes = config.categorical_vocab_size_list
    if sizes is None:
        return None
    if values is None:
        raise ValueError(
            f"static_categorical_values is missing: give {len(sizes)} numbers for each row"
        )
    return _indices("static_categorical_values", values, (batch, len(sizes)), list(sizes))


def _indices(name: str, values: Tensor, shape: tuple[int, ...], sizes: list[int]) -> Tensor:
    if not isinstance(values, Tensor):
        raise TypeError(f"{name} is of type {type(values).__name__}; it must be a torch.Tensor")
    if tuple(values.shape) != shape:
        raise ValueError(f"{name} has shape {tuple(values.shape)}; expected {shape}")
    indices = values.long()
    if not torch.equal(indices.to(values.dtype), values):
        raise ValueError(f"{name} must have whole numbers")
    most = torch.tensor(sizes, device=indices.device)
    if ((indices < 0) | (indices >= most)).any():
        raise ValueError(
            f"{name} has numbers from {int(indices.min())} to {int(indices.max())}; the network "
            f"knows those below {sizes[0] if len(sizes) == 1 else sizes}"
        )
    return indices
