"""The process-wide cache of loaded networks.

Estimators keep the key, never the weights, so that cloning, copying and pickling them costs
next to nothing and every one of them shares the network.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch

from timer_forecaster.inference.int8 import (
    INT8,
    check_int8,
    is_int8,
    join_experts,
    packing,
    restoring,
)
from timer_forecaster.inference.weights import Pack, check_fit, fill, replace_experts, stored_dtype
from timer_forecaster.models.checkpoints import canonical_name, find_checkpoint
from timer_forecaster.models.timer_s1 import (
    TimerS1Architecture,
    TimerS1Network,
    as_architecture,
)
from timer_forecaster.models.timer_s1.experts import PackedExpert
from timer_forecaster.models.timer_s1.int8 import Int8Expert, activation_steps
from timer_forecaster.models.timer_s1.preparation import (
    WIDE,
    fast_in_bfloat16,
    pack,
    packs,
    stack,
    stacks,
)

MAX_CACHED = 4
"""Networks that are kept; the least recently used is dropped first."""

# Parameters from which on dtype="auto" keeps the stored type and a copy is worth a warning.
_LARGE = 1_000_000_000
_networks: OrderedDict[NetworkKey, TimerS1Network] = OrderedDict()
_loading: dict[NetworkKey, threading.Lock] = {}
_lock = threading.Lock()  # of the two dictionaries
_warned_of_copies = False
_at_release: list[Callable[[], None]] = []


Device = str | int | torch.device | Mapping[str, Any]


class NetworkKey(NamedTuple):
    """What identifies a loaded network: a checkpoint, or an architecture of random weights."""

    name: str
    revision: str | None
    device: str
    dtype: str
    config: tuple[tuple[str, Any], ...] | None = None  # names and values of an architecture
    quantization: str | None = None  # "int8", or a quantisation of transformers as JSON

    @classmethod
    def resolve(
        cls,
        name: str | Path | None,
        revision: str | None,
        device: Device,
        dtype: str | torch.dtype | None,
        config: Any = None,
        quantization_config: Any = None,
        quantization: str | None = None,
        *,
        device_argument: str = "device",
    ) -> NetworkKey:
        """Check the arguments, loading nothing, and settle ``"auto"`` for the device.

        With ``quantization="int8"`` that is the CPU. Errors call the device ``device_argument``.

        Raises
        ------
        ValueError, TypeError
            Naming the argument that cannot be used.
        ImportError
            If this build of torch cannot compute in 8 bits, and is asked to.
        """
        gpu = quantization != INT8 and torch.cuda.is_available()
        place = _resolve_device(device, device_argument, "cuda" if gpu else "cpu")
        dtype_name = _dtype_name(dtype)
        if quantization is not None:
            check_int8(quantization, place, device_argument)
        if name is None:
            _refuse_without_checkpoint(revision=revision, quantization_config=quantization_config)
            sizes = _canonical_config(config)
            return cls("untrained", None, str(place), dtype_name, sizes, quantization)
        if config is not None:
            raise ValueError(
                f"config makes a network of random weights, in place of checkpoint {str(name)!r}, "
                "which has its own configuration: leave config out, or give None as the checkpoint"
            )
        if quantization is not None and quantization_config is not None:
            raise ValueError(
                f"quantization={quantization!r} and quantization_config are two ways to quantise; "
                "give one of them"
            )
        name = canonical_name(name, revision)
        canonical = quantization or _canonical_quantization(quantization_config)
        key = cls(name, revision, str(place), dtype_name, None, canonical)
        if Path(name).is_absolute():  # a folder tells now how it is stored
            key = key._replace(quantization=_settled(key, _read_config(Path(name))))
        return key


def _dtype_name(dtype: str | torch.dtype | None) -> str:
    name = "auto" if dtype is None else str(dtype).removeprefix("torch.")
    if name not in ("auto", "float32", "bfloat16", "float16", "float64"):
        raise ValueError(
            f"dtype={dtype!r} is not supported; use 'auto', 'float32', 'bfloat16', "
            "'float16' or 'float64'"
        )
    return name


def _refuse_without_checkpoint(**arguments: Any) -> None:
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(f"{name}={value!r} applies to a checkpoint, and none is named")


def _canonical_config(config: Any) -> tuple[tuple[str, Any], ...]:
    if config is None:
        raise ValueError(
            "neither a checkpoint nor a config is given; name a checkpoint such as "
            "'timer-s1-mini', or give a config for a network of random weights"
        )
    return tuple(dataclasses.asdict(as_architecture(config)).items())


def _resolve_device(device: Device, argument: str, automatic: str) -> torch.device:
    """Find the one device that is meant, given what ``"auto"`` means."""
    if isinstance(device, Mapping):
        return _resolve_device(_only_place(device, argument), argument, automatic)
    if isinstance(device, str) and device == "auto":
        device = automatic
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    except (RuntimeError, TypeError, AssertionError):
        raise ValueError(
            f"{argument}={device!r} is not a device of this machine; use 'auto', 'cpu' or, where "
            "there is one, 'cuda', 'cuda:1', 1 or 'mps'"
        ) from None
    if resolved.type == "cuda" and resolved.index is None and torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())  # one key for one GPU
    return resolved


def _only_place(device: Mapping[str, Any], argument: str) -> str | int | torch.device:
    places = {str(place): place for place in device.values()}
    if len(places) != 1:
        raise ValueError(
            f"{argument}={dict(device)!r} does not name one device; a network is not spread over "
            "several: use {'': device}, and dtype='bfloat16' or quantization_config where memory "
            "is short"
        )
    return places.popitem()[1]


def _canonical_quantization(config: Any) -> str | None:
    """Write a quantisation of transformers as text, the same for equal ones."""
    if config is None:
        return None
    if not isinstance(config, Mapping) and not hasattr(config, "to_dict"):
        raise TypeError(
            f"quantization_config={config!r} must be a configuration of transformers' quantisers, "
            "such as TorchAoConfig, QuantoConfig or BitsAndBytesConfig, or its dict"
        )
    values = dict(config) if isinstance(config, Mapping) else config.to_dict()
    try:
        return json.dumps(values, sort_keys=True)
    except TypeError as error:
        raise TypeError(
            f"quantization_config={values} cannot be written as JSON: {error}"
        ) from None


def _read_config(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return values


def _settled(key: NetworkKey, config: Mapping[str, Any]) -> str | None:
    """Settle the quantisation that is asked for with the one that the checkpoint is stored in.

    Stored experts of 8 bits are computed with as such on a CPU, and made plain ones elsewhere, as
    where torch lacks the kernels, unless these are asked for.

    Raises
    ------
    ValueError
        If both cannot be had.
    ImportError
        If 8 bits are asked for that cannot be computed.
    """
    if is_int8(config):
        if key.quantization not in (None, INT8):
            raise ValueError(
                f"quantization_config={key.quantization} cannot be applied to {key.name!r}, whose "
                "experts are stored in 8 bits; name the checkpoint that it was converted from"
            )
        return INT8 if torch.device(key.device).type == "cpu" and _has_int8(key) else None
    if key.quantization == INT8 and "quantization_config" in config:
        raise ValueError(
            f"quantization='int8' cannot be applied to {key.name!r}, which is quantised already; "
            "leave it out, or name the original checkpoint"
        )
    return key.quantization


def _has_int8(key: NetworkKey) -> bool:
    try:
        activation_steps()
    except ImportError:
        if key.quantization == INT8:
            raise
        return False
    return True


def quantization_of(key: NetworkKey) -> str | None:
    """Tell the quantisation that is computed with, whether it was asked for or is stored."""
    if key.config is not None:
        return key.quantization
    return _settled(key, _read_config(find_checkpoint(key.name, key.revision, weights=False)))


def get_network(key: NetworkKey) -> TimerS1Network:
    """Return the network of a key, loading it if it is not in the cache.

    The returned network is shared: it is in evaluation mode and must not be changed.
    """
    with _lock:
        if key in _networks:
            _networks.move_to_end(key)
            return _networks[key]
        loading = _loading.setdefault(key, threading.Lock())
    with loading:  # of threads that want one network one loads it; other networks need not wait
        with _lock:
            if key in _networks:
                return _networks[key]
        network = load_network(key)
        with _lock:
            _networks[key] = network
            while len(_networks) > MAX_CACHED:
                _networks.popitem(last=False)
        return network


def forget_large(key: NetworkKey) -> None:
    """Free the network of a key, if there is hardly room for another one beside it."""
    if key.config is None:
        folder = find_checkpoint(key.name, key.revision, weights=False)
        config = TimerS1Architecture.from_config_file(folder / "config.json")
    else:
        config = TimerS1Architecture(**dict(key.config))
    if is_large(_empty_network(config)):
        with _lock:
            _networks.pop(key, None)


def at_release(forget: Callable[[], None]) -> Callable[[], None]:
    """Have `release` call what empties another cache."""
    _at_release.append(forget)
    return forget


def release() -> None:
    """Free every cached network; the next forecast loads its weights again.

    Adapters that were read from files are forgotten too.

    Examples
    --------
    >>> import timer_forecaster
    >>> timer_forecaster.release()
    """
    with _lock:
        _networks.clear()
    for forget in _at_release:
        forget()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@torch.inference_mode(False)  # weights made in it could never be differentiated
def load_network(key: NetworkKey) -> TimerS1Network:
    """Load a network from a registry name, a folder or a hub id, or draw a random one.

    transformers is imported for quantised networks alone.
    """
    if key.config is not None:
        return _random_network(TimerS1Architecture(**dict(key.config)), key)
    folder = find_checkpoint(key.name, key.revision)
    config = _read_config(folder)
    network = _empty_network(TimerS1Architecture.from_config_file(folder / "config.json"))
    dtype = _type_to_compute_in(network, key, stored_dtype(folder))
    _warn_of_copies(key.name, network)
    quantization = _settled(key, config)
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
    return _finished(network, key.device, dtype)


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
    config = _read_config(folder)
    network = _empty_network(TimerS1Architecture.from_config_file(folder / "config.json"))
    dtype = dtype or _type_to_compute_in(network, key, stored_dtype(folder))
    if is_int8(config):
        replace_experts(network, Int8Expert.unread)
        fill(network, folder, restoring(dtype), deferred=False)
    elif "quantization_config" in config:
        raise ValueError(f"checkpoint {key.name!r} is quantised; name the original")
    else:
        fill(network, folder)
    return _placed(network, key.device, dtype)


@torch.inference_mode(False)
def full_network(
    key: NetworkKey, config: TimerS1Architecture, weights: Mapping[str, torch.Tensor]
) -> TimerS1Network:
    """Lay out for a key's device, type and quantisation a network of other weights, all of them.

    Raises
    ------
    ValueError
        If the quantisation is that of a library, which reads weights from files alone.
    """
    quantization = quantization_of(key)
    if quantization not in (None, INT8):
        raise ValueError(
            f"quantization_config={quantization} cannot be applied to an adapter that replaces all "
            "weights; leave it out, or use quantization='int8'"
        )
    network = _empty_network(config)
    network.load_state_dict(dict(weights), assign=True)
    dtype = get_network(key).dtype
    if quantization == INT8:
        replace_experts(network, packing(dtype))
        join_experts(network)
    return _finished(network, key.device, dtype)


def _empty_network(config: TimerS1Architecture) -> TimerS1Network:
    with torch.device("meta"):
        return TimerS1Network(config)


def _random_network(config: TimerS1Architecture, key: NetworkKey) -> TimerS1Network:
    """Draw the same weights every time, whatever torch's own generator does."""
    network, stored = _drawn_network(config)
    dtype = _type_to_compute_in(network, key, stored)
    if key.quantization == INT8:
        replace_experts(network, packing(dtype))
        join_experts(network)
    return _finished(network, key.device, dtype)


def _drawn_network(config: TimerS1Architecture) -> tuple[TimerS1Network, torch.dtype]:
    """Draw a network in float32, and tell the type in which its like are stored."""
    network = _empty_network(config).float().to_empty(device="cpu")  # other types draw others
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


def _finished(network: TimerS1Network, device: str, dtype: torch.dtype) -> TimerS1Network:
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
