"""The process-wide cache of loaded networks.

Estimators keep the key, never the weights, so that cloning, copying and pickling them costs
next to nothing and every one of them shares the network.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping

import torch

from timer_forecaster.checkpoints.key import NetworkKey, quantization_of
from timer_forecaster.checkpoints.loading import empty_network, is_large, lay_out, load_network
from timer_forecaster.checkpoints.quantization import INT8
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.models.timer_s1.layouts.choice import join_experts, packing, replace_experts

MAX_CACHED = 4
"""Networks that are kept; the least recently used is dropped first."""

_networks: OrderedDict[NetworkKey, TimerS1Network] = OrderedDict()
_loading: dict[NetworkKey, threading.Lock] = {}
_lock = threading.Lock()  # of the two dictionaries
_at_release: list[Callable[[], None]] = []


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
    if is_large(empty_network(config)):
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
    network = empty_network(config)
    network.load_state_dict(dict(weights), assign=True)
    dtype = get_network(key).dtype
    if quantization == INT8:
        replace_experts(network, packing(dtype))
        join_experts(network)
    return lay_out(network, key.device, dtype)
