"""The process-wide cache of loaded networks.

Estimators keep the key, never the weights, so that cloning, copying and pickling them costs
next to nothing and every one of them shares the network.
"""

from __future__ import annotations

import json
import multiprocessing
import threading
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor

from timer_forecaster.models.checkpoints import find_checkpoint
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network

MAX_CACHED = 4
"""Networks that are kept; the least recently used is dropped first."""

# Parameters from which on dtype="auto" keeps the stored type and a copy is worth a warning.
_LARGE = 1_000_000_000
_networks: OrderedDict[NetworkKey, TimerS1Network] = OrderedDict()
_loading: dict[NetworkKey, threading.Lock] = {}
_lock = threading.Lock()  # of the two dictionaries
_warned_of_copies = False


class NetworkKey(NamedTuple):
    """What identifies a loaded network."""

    name: str
    revision: str | None
    device: str
    dtype: str

    @classmethod
    def resolve(
        cls, name: str | Path, revision: str | None, device: str, dtype: str | torch.dtype
    ) -> NetworkKey:
        """Check the arguments and settle ``"auto"`` for the device.

        Raises
        ------
        ValueError
            Naming the argument that cannot be used.
        """
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            resolved = torch.device(device)
            torch.empty(0, device=resolved)
        except (RuntimeError, TypeError, AssertionError):
            raise ValueError(
                f"device={device!r} is not a device of this machine; use 'auto', 'cpu' or, where "
                "there is one, 'cuda', 'cuda:1' or 'mps'"
            ) from None
        dtype_name = str(dtype).removeprefix("torch.")
        if dtype_name not in ("auto", "float32", "bfloat16", "float16", "float64"):
            raise ValueError(
                f"dtype={dtype!r} is not supported; use 'auto', 'float32', 'bfloat16', "
                "'float16' or 'float64'"
            )
        if resolved.type == "cuda" and resolved.index is None and torch.cuda.is_available():
            resolved = torch.device("cuda", torch.cuda.current_device())  # one key for one GPU
        folder = Path(name).expanduser()
        if folder.is_dir():
            name = folder.resolve()
        return cls(str(name), revision, str(resolved), dtype_name)


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


def release() -> None:
    """Free every cached network; the next forecast loads its weights again.

    Examples
    --------
    >>> import timer_forecaster
    >>> timer_forecaster.release()
    """
    with _lock:
        _networks.clear()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@torch.inference_mode(False)  # weights made in it could never be differentiated
def load_network(key: NetworkKey) -> TimerS1Network:
    """Load a network from a registry name, a folder or a hub id, without transformers."""
    folder = find_checkpoint(key.name, key.revision)
    config = TimerS1Architecture.from_config_file(folder / "config.json")
    with torch.device("meta"):
        network = TimerS1Network(config)
    _warn_of_copies(key.name, network)
    weights = _read_weights(folder)
    problems = network.load_state_dict(weights, strict=False, assign=True)
    if problems.missing_keys or problems.unexpected_keys:
        raise ValueError(
            f"the weights in {folder} do not fit its config.json: missing "
            f"{problems.missing_keys[:3]}, unexpected {problems.unexpected_keys[:3]}"
        )
    if key.dtype != "auto":
        network = network.to(getattr(torch, key.dtype))
    elif _n_parameters(network) < _LARGE:
        network = network.float()
    return network.to(key.device).requires_grad_(False).eval()


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


def _read_weights(folder: Path) -> dict[str, Tensor]:
    index = folder / "model.safetensors.index.json"
    if index.exists():
        files = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    else:
        files = ["model.safetensors"]
    weights: dict[str, Tensor] = {}
    for file in files:
        weights |= load_file(folder / file)
    return weights
