"""The process-wide cache of loaded networks.

Estimators keep the key and never the weights. Cloning, copying and pickling an estimator
therefore costs next to nothing, and all estimators share the network.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from weakref import WeakKeyDictionary

import torch

from timer_forecaster.checkpoints.files import folder_version
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.layout import is_large_in
from timer_forecaster.checkpoints.loading import architecture_of, load_network
from timer_forecaster.locks import RenewedLock
from timer_forecaster.models.network import Network

MAX_CACHED = 4
"""Number of networks that are kept; the least recently used is dropped first."""

_networks: OrderedDict[NetworkKey, Network] = OrderedDict()
_versions: WeakKeyDictionary[Network, Hashable] = WeakKeyDictionary()  # of the files, when loaded
_loading: dict[NetworkKey, RenewedLock] = {}
_lock = RenewedLock()  # guards the dictionaries
_at_release: list[Callable[[], None]] = []


def get_network(key: NetworkKey) -> Network:
    """Return the network of a key, and load it if it is not in the cache.

    The network is shared: it is in evaluation mode and must not be changed. A folder whose files
    have changed is loaded again; the network of a deleted folder stays.
    """
    found = _cached(key, _version_of(key))
    if found is not None:
        return found
    with _lock:
        loading = _loading.setdefault(key, RenewedLock())
    with loading:  # one thread loads the network; threads that load other networks do not wait
        version = _version_of(key)  # before it is loaded, so that later changes are noticed
        found = _cached(key, version)
        if found is not None:
            return found
        network = load_network(key)
        with _lock:
            _networks[key], _versions[network] = network, version
            while len(_networks) > MAX_CACHED:
                _networks.popitem(last=False)
        return network


def _cached(key: NetworkKey, version: Hashable) -> Network | None:
    with _lock:
        network = _networks.get(key)
        if network is None or version not in (None, _versions[network]):
            return None
        _networks.move_to_end(key)
        return network


def _version_of(key: NetworkKey) -> Hashable:
    """Return the version of the files of a folder; None if the files cannot change."""
    folder = Path(key.name)
    return folder_version(folder) if folder.is_absolute() else None


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
