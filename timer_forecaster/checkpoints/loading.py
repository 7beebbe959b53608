"""Load networks: each loader joins a source of weights and a layout.

Weights are read from files, drawn, or given. See `timer_forecaster.checkpoints.layout`.
"""

from __future__ import annotations

import json
import multiprocessing
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch

from timer_forecaster.checkpoints.files import fill
from timer_forecaster.checkpoints.key import NetworkKey, quantization_of, settled_quantization
from timer_forecaster.checkpoints.layout import (
    Layout,
    is_large,
    layout_for,
    n_parameters,
    plain_layout,
    type_to_compute_in,
)
from timer_forecaster.checkpoints.quantization import (
    INT8,
    is_int8,
    is_quantized_otherwise,
    read_config,
)
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.checkpoints.tensors import (
    check_fit,
    check_size,
    check_stored,
    stored_dtype,
    tensor_files,
)
from timer_forecaster.models.families import from_items, make_network, read_architecture
from timer_forecaster.models.network import Architecture, Network
from timer_forecaster.models.timer_s1.layouts.int8_weights import Int8Expert
from timer_forecaster.models.timer_s1.layouts.packing import replace_experts
from timer_forecaster.models.weightless import weightless

_warned_of_copies = False


@torch.inference_mode(False)  # weights that are made in that mode can never be differentiated
def load_network(key: NetworkKey) -> Network:
    """Return the network of a key, laid out for forecasts.

    transformers is imported only if a library quantizes the network.

    Raises
    ------
    ValueError
        If there is no such checkpoint, or its files do not fit together.
    ImportError
        If a library or a kernel for the quantization is missing.
    """
    if key.config is not None:
        network, stored = _drawn_network(from_items(key.config))
        dtype = type_to_compute_in(network, key, stored)
        layout = layout_for(network.config, key.device, dtype, key.quantization)
        return _laid_out(network, layout)
    folder = find_checkpoint(key.name, key.revision)
    config = read_config(folder)
    network = _stored_network(folder)
    dtype = type_to_compute_in(network, key, stored_dtype(folder))
    _warn_of_copies(key.name, network)
    quantization = settled_quantization(key, config)
    if quantization not in (None, INT8) or is_quantized_otherwise(config):
        return _quantized_by_library(network, folder, key, dtype)
    in_8_bits = is_int8(config)
    layout = layout_for(network.config, key.device, dtype, quantization, in_8_bits)
    return _filled(network, folder, layout, in_8_bits)


@torch.inference_mode(False)
def load_plain_network(
    name: str | Path, dtype: str | torch.dtype = "float32", *, revision: str | None = None
) -> Network:
    """Load a private network, on the CPU, that can be trained, changed, moved and stored.

    The network of a `ForecastPipeline` is shared. From hidden size 256 on it is laid out for
    forecasts only, and most of its weights are in no state dict.

    Parameters
    ----------
    name : str or Path
        A name of `timer_forecaster.list_checkpoints`, a folder in the released layout, or a hub
        id. Experts that are stored in 8 bits become plain experts.
    dtype : str or torch.dtype
        Type of the weights; see `ForecastPipeline.from_pretrained`.
    revision : str, optional
        Branch, tag or commit of a hub id.

    Returns
    -------
    Network
        In evaluation mode, with all of its weights in memory.

    Raises
    ------
    ValueError
        If there is no such checkpoint or dtype, or if another library quantized the checkpoint.

    Examples
    --------
    >>> from timer_forecaster.inference import load_plain_network
    >>> network = load_plain_network("timer-s1-mini")
    >>> all(parameter.requires_grad for parameter in network.parameters())
    True
    """
    network = plain_network(NetworkKey.resolve(name, revision, "cpu", dtype))
    made = dict(empty_network(network.config).named_parameters())
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(made[name].requires_grad)  # a few tables are never trained
        parameter.data = parameter.data.clone()  # not in the map of its file
    return network


@torch.inference_mode(False)
def plain_network(key: NetworkKey, dtype: torch.dtype | None = None) -> Network:
    """Load a private network of a key, with plain experts, and weights without gradients.

    Weights that are stored in the type to compute in stay mapped from their file.

    Parameters
    ----------
    key : NetworkKey
        The key; its quantization has no effect.
    dtype : torch.dtype, optional
        Type to compute in. Default: the type of the key.

    Raises
    ------
    ValueError
        If another library quantized the checkpoint.
    """
    if key.config is not None:
        network, stored = _drawn_network(from_items(key.config))
        dtype = dtype or type_to_compute_in(network, key, stored)
        return _laid_out(network, plain_layout(key.device, dtype))
    folder = find_checkpoint(key.name, key.revision)
    config = read_config(folder)
    if is_quantized_otherwise(config):
        raise ValueError(f"checkpoint {key.name!r} is quantized; name the original")
    network = _stored_network(folder)
    dtype = dtype or type_to_compute_in(network, key, stored_dtype(folder))
    in_8_bits = is_int8(config)
    return _filled(network, folder, plain_layout(key.device, dtype, in_8_bits), in_8_bits)


@torch.inference_mode(False)
def full_network(
    key: NetworkKey,
    config: Architecture,
    weights: Mapping[str, torch.Tensor],
    dtype: torch.dtype,
) -> Network:
    """Return a network of other weights, laid out like the network of a key.

    Parameters
    ----------
    key : NetworkKey
        The key, for its device and quantization.
    config : Architecture
        Sizes of the network.
    weights : mapping of str to Tensor
        All weights of the network, by name.
    dtype : torch.dtype
        Type to compute in.

    Raises
    ------
    ValueError
        If a library quantizes the network of the key: it reads weights from files only.
    """
    quantization = quantization_of(key)
    if quantization not in (None, INT8):
        raise ValueError(
            f"quantization_config={quantization} cannot be applied to an adapter that replaces all "
            "weights; leave it out, or use quantization='int8'"
        )
    network = empty_network(config)
    network.load_state_dict(dict(weights), assign=True)
    return _laid_out(network, layout_for(config, key.device, dtype, quantization))


def architecture_of(key: NetworkKey) -> Architecture:
    """Return the architecture of the network of a key; no weights are read."""
    if key.config is not None:
        return from_items(key.config)
    folder = find_checkpoint(key.name, key.revision, weights=False)
    return read_architecture(folder / "config.json")


def empty_network(config: Architecture) -> Network:
    """Return a network on the meta device, which holds no weights."""
    with weightless():
        return make_network(config)


def _stored_network(folder: Path) -> Network:
    """Return an empty network of the sizes of a folder."""
    config = read_architecture(folder / "config.json")
    check_size(folder, tensor_files(folder), config)
    return empty_network(config)


def _drawn_network(config: Architecture) -> tuple[Network, torch.dtype]:
    """Return a network of random weights, always the same, and its type if it were stored.

    The state of torch's random numbers makes no difference.
    """
    network = empty_network(config).float().to_empty(device="cpu")  # other types draw others
    network.reset_parameters(torch.Generator().manual_seed(0))
    return network, torch.bfloat16 if is_large(network) else torch.float32


def _laid_out(network: Network, layout: Layout) -> Network:
    """Lay out a network whose weights are in memory."""
    if layout.pack is not None:
        replace_experts(network, layout.pack)
    return layout.finish(network)


def _filled(network: Network, folder: Path, layout: Layout, in_8_bits: bool) -> Network:
    """Read the weights of an empty network from a folder, and lay them out."""
    if in_8_bits:
        replace_experts(network, Int8Expert.unread)
    fill(network, folder, layout.pack, layout.deferred)
    return layout.finish(network)


def _quantized_by_library(
    network: Network, folder: Path, key: NetworkKey, dtype: torch.dtype
) -> Network:
    """Load the modules of an empty network with a quantizer of transformers."""
    from timer_forecaster.models.timer_s1 import TimerS1ForPrediction

    if not is_quantized_otherwise(read_config(folder)):  # the library quantizes plain weights
        check_stored(folder, tensor_files(folder), network.state_dict())
    model, report = TimerS1ForPrediction.from_pretrained(
        folder,
        quantization_config=json.loads(key.quantization) if key.quantization else None,
        device_map={"": key.device},
        dtype=dtype,
        output_loading_info=True,
    )
    check_fit(folder, report["missing_keys"], report["unexpected_keys"])
    for name, module in model.named_children():
        setattr(network, name, module)
    return network.requires_grad_(False).eval()


def _warn_of_copies(name: str, network: Network) -> None:
    """Warn once, before memory runs out, that the workers of a pool share no weights."""
    global _warned_of_copies
    # The pools of multiprocessing, concurrent.futures and joblib's loky all have a parent process.
    in_worker = multiprocessing.parent_process() is not None
    if _warned_of_copies or not in_worker or not is_large(network):
        return
    _warned_of_copies = True
    warnings.warn(
        f"{name!r} has {n_parameters(network) / 1e9:.3g} × 10⁹ parameters and is loaded in a "
        f"worker process ({multiprocessing.current_process().name}): every worker of a pool holds "
        "its own copy. To share one, run in one process: in sktime with backend=None or "
        "backend='threading', in joblib with prefer='threads'",
        UserWarning,
        stacklevel=2,
    )
