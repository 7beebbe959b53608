"""Load networks: from a key to a network laid out for its device."""

from __future__ import annotations

import json
import multiprocessing
import warnings
from pathlib import Path
from typing import cast

import torch

from timer_forecaster.checkpoints.files import check_fit, fill, stored_dtype
from timer_forecaster.checkpoints.key import NetworkKey, settled_quantization
from timer_forecaster.checkpoints.quantization import INT8, is_int8, read_config
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.models.timer_s1.layouts.choice import (
    WIDE,
    Pack,
    fast_in_bfloat16,
    join_experts,
    pack,
    packing,
    packs,
    replace_experts,
    restoring,
    stack,
    stacks,
)
from timer_forecaster.models.timer_s1.layouts.experts import PackedExpert
from timer_forecaster.models.timer_s1.layouts.int8 import Int8Expert

# Parameters from which on dtype="auto" keeps the stored type and a copy is worth a warning.
_LARGE = 1_000_000_000


_warned_of_copies = False


@torch.inference_mode(False)  # weights made in it could never be differentiated
def load_network(key: NetworkKey) -> TimerS1Network:
    """Load a network from a registry name, a folder or a hub id, or draw a random one.

    transformers is imported for quantised networks alone.
    """
    if key.config is not None:
        return _random_network(TimerS1Architecture(**dict(key.config)), key)
    folder = find_checkpoint(key.name, key.revision)
    config = read_config(folder)
    network = empty_network(TimerS1Architecture.from_config_file(folder / "config.json"))
    dtype = _type_to_compute_in(network, key, stored_dtype(folder))
    _warn_of_copies(key.name, network)
    quantization = settled_quantization(key, config)
    if is_int8(config):
        replace_experts(network, Int8Expert.unread)
        if quantization == INT8:
            fill(network, folder, packing(dtype))
        else:
            fill(network, folder, restoring(dtype), deferred=False)
    elif quantization == INT8:
        fill(network, folder, packing(dtype))
    elif quantization or "quantization_config" in config:
        return _load_quantised(network, folder, key, dtype).requires_grad_(False).eval()
    elif packs(network.config, torch.device(key.device), dtype):
        fill(network, folder, _packing(dtype))
    else:
        fill(network, folder)
    if quantization == INT8:
        join_experts(network)
    return lay_out(network, key.device, dtype)


@torch.inference_mode(False)
def load_plain_network(
    name: str | Path, dtype: str | torch.dtype = "float32", *, revision: str | None = None
) -> TimerS1Network:
    """Load a network of one's own, on the CPU, that can be trained, changed, moved and stored.

    The network of a `ForecastPipeline` is shared, and from hidden size 256 on laid out for
    forecasts alone: most of its weights are in no state dict.

    Parameters
    ----------
    name : str or Path
        A name of `timer_forecaster.list_checkpoints`, a folder in the released layout, or a hub
        id. Experts that are stored in 8 bits are made plain ones.
    dtype : str or torch.dtype
        As of `ForecastPipeline.from_pretrained`.
    revision : str, optional
        Branch, tag or commit of a hub id.

    Returns
    -------
    TimerS1Network
        In evaluation mode, with all of its weights in memory.

    Raises
    ------
    ValueError
        If there is no such checkpoint or dtype, or another library quantised it.

    Examples
    --------
    >>> from timer_forecaster.inference import load_plain_network
    >>> network = load_plain_network("timer-s1-mini")
    >>> all(parameter.requires_grad for parameter in network.parameters())
    True
    """
    key = NetworkKey.resolve(name, revision, "cpu", dtype)
    network = plain_network(key)
    for parameter in network.parameters():
        parameter.requires_grad_()
        parameter.data = parameter.data.clone()  # off the map of its file
    return network


@torch.inference_mode(False)
def plain_network(key: NetworkKey, dtype: torch.dtype | None = None) -> TimerS1Network:
    """Load the network of a key as one's own, with plain experts, and weights without gradients.

    Weights that are stored in the type that is computed in stay mapped into memory.

    Parameters
    ----------
    key : NetworkKey
        Its quantisation makes no difference.
    dtype : torch.dtype, optional
        Type to compute in. Default: that of the key.

    Raises
    ------
    ValueError
        If another library quantised the checkpoint.
    """
    if key.config is not None:
        network, stored = _drawn_network(TimerS1Architecture(**dict(key.config)))
        return _placed(network, key.device, dtype or _type_to_compute_in(network, key, stored))
    folder = find_checkpoint(key.name, key.revision)
    config = read_config(folder)
    network = empty_network(TimerS1Architecture.from_config_file(folder / "config.json"))
    dtype = dtype or _type_to_compute_in(network, key, stored_dtype(folder))
    if is_int8(config):
        replace_experts(network, Int8Expert.unread)
        fill(network, folder, restoring(dtype), deferred=False)
    elif "quantization_config" in config:
        raise ValueError(f"checkpoint {key.name!r} is quantised; name the original")
    else:
        fill(network, folder)
    return _placed(network, key.device, dtype)


def empty_network(config: TimerS1Architecture) -> TimerS1Network:
    """Build a network on the meta device, which holds no weights yet."""
    with torch.device("meta"):
        return TimerS1Network(config)


def _random_network(config: TimerS1Architecture, key: NetworkKey) -> TimerS1Network:
    """Draw the same weights every time, whatever torch's own generator does."""
    network, stored = _drawn_network(config)
    dtype = _type_to_compute_in(network, key, stored)
    if key.quantization == INT8:
        replace_experts(network, packing(dtype))
        join_experts(network)
    return lay_out(network, key.device, dtype)


def _drawn_network(config: TimerS1Architecture) -> tuple[TimerS1Network, torch.dtype]:
    """Draw a network in float32, and tell the type in which its like are stored."""
    network = empty_network(config).float().to_empty(device="cpu")  # other types draw others
    network.reset_parameters(torch.Generator().manual_seed(0))
    return network, torch.bfloat16 if is_large(network) else torch.float32


def is_large(network: TimerS1Network) -> bool:
    """Whether a network is so large that there is hardly room for two."""
    return _n_parameters(network) >= _LARGE


def _packing(dtype: torch.dtype) -> Pack:
    """Return what packs experts for a CPU, in a type."""
    return lambda expert: PackedExpert(expert.to(dtype))


def _placed(network: TimerS1Network, device: str, dtype: torch.dtype) -> TimerS1Network:
    return network.to(device, dtype).requires_grad_(False).eval()


def lay_out(network: TimerS1Network, device: str, dtype: torch.dtype) -> TimerS1Network:
    """Move a network to its device and type, in the form that the device computes fastest."""
    network = _placed(network, device, dtype)
    if packs(network.config, network.device, dtype):
        pack(network)
    elif stacks(network.config, network.device, dtype):
        stack(network)
    return network


def _type_to_compute_in(
    network: TimerS1Network, key: NetworkKey, stored: torch.dtype
) -> torch.dtype:
    if key.dtype != "auto":
        return cast("torch.dtype", getattr(torch, key.dtype))
    if is_large(network):
        return stored
    wide = network.config.hidden_size >= WIDE
    bfloat16 = stored == torch.bfloat16 and wide and fast_in_bfloat16(torch.device(key.device))
    return torch.bfloat16 if bfloat16 else torch.float32


def _load_quantised(
    network: TimerS1Network, folder: Path, key: NetworkKey, dtype: torch.dtype
) -> TimerS1Network:
    """Let transformers' quantisers load the modules of a network."""
    from timer_forecaster.models.timer_s1 import TimerS1ForPrediction

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
    return network


def _n_parameters(network: TimerS1Network) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _warn_of_copies(name: str, network: TimerS1Network) -> None:
    """Tell once, before memory runs out, that workers of a pool share no weights."""
    global _warned_of_copies
    # multiprocessing's own pools, concurrent.futures and joblib's loky all tell their workers
    in_worker = multiprocessing.parent_process() is not None
    n_parameters = _n_parameters(network)
    if _warned_of_copies or not in_worker or n_parameters < _LARGE:
        return
    _warned_of_copies = True
    warnings.warn(
        f"{name!r} has {n_parameters / 1e9:.3g} × 10⁹ parameters and is loaded in a worker process "
        f"({multiprocessing.current_process().name}): every worker of a pool holds its own copy. "
        "To share one, run in one process: in sktime with backend=None or backend='threading', "
        "in joblib with prefer='threads'",
        UserWarning,
        stacklevel=2,
    )
