"""The process-wide cache of loaded networks.

Estimators keep the key and never the weights. Cloning, copying and pickling an estimator
therefore costs next to nothing, and all estimators share the network.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch

from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.layout import is_large_in
from timer_forecaster.checkpoints.loading import architecture_of, load_network
from timer_forecaster.locks import RenewedLock
from timer_forecaster.models.network import Network

MAX_CACHED = 4
"""Number of networks that are kept; the least recently used is dropped first."""

_networks: OrderedDict[NetworkKey, Network] = OrderedDict()
_loading: dict[NetworkKey, RenewedLock] = {}
_lock = RenewedLock()  # guards the two dictionaries
_at_release: list[Callable[[], None]] = []


def get_network(key: NetworkKey) -> Network:
    """Return the network of a key, and load it if it is not in the cache.

    The network is shared: it is in evaluation mode and must not be changed.
    """
    with _lock:
        if key in _networks:
            _networks.move_to_end(key)
            return _networks[key]
        loading = _loading.setdefault(key, RenewedLock())
    with loading:  # one thread loads the network; threads that load other networks do not wait
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
    """Free the network of a key if memory hardly has room for a second one."""
    if is_large_in(architecture_of(key)):
        with _lock:
            _networks.pop(key, None)


def at_release(forget: Callable[[], None]) -> Callable[[], None]:
    """Register a function that empties another cache, for `release` to call; return it."""
    _at_release.append(forget)
    return forget


def release() -> None:
    """Free every cached network; the next forecast loads its weights again.

    Adapters that were read from files are freed too.

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
