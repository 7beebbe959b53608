"""Networks with the weights of an adapter, kept beside the network that they share."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch

from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.checkpoints.cache import get_network
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.loading import full_network
from timer_forecaster.locks import RenewedLock
from timer_forecaster.models.network import Network
from timer_forecaster.models.tuning import adapted, parameter_shapes
from timer_forecaster.models.weights import check_weights

MAX_ADAPTED = 32
"""Number of adapted networks that are kept for each base; the least recently used goes first."""
MAX_ADAPTED_BYTES = 2**30
"""Most bytes of the weights of these adapters; the newest network is kept in any case."""


def adapted_network(key: NetworkKey, adapter: Adapter | None) -> Network:
    """Return the network of a key with the weights of an adapter.

    It shares all other weights with the network of the key. Neither network must be changed.

    Raises
    ------
    ValueError
        If the adapter belongs to another checkpoint.
    """
    base = get_network(key)
    if adapter is None:
        return base
    with _lock:
        known = _adapted.setdefault(base, OrderedDict())
        if adapter.fingerprint in known:
            known.move_to_end(adapter.fingerprint)
            return known[adapter.fingerprint].network or base
    adapter.check_base(key)
    network = None if adapter.is_identity else _apply(adapter, key, base)
    with _lock:
        # If another thread has made the network meanwhile, both share it and its memo.
        kept = known.setdefault(adapter.fingerprint, _Kept(network, adapter.nbytes))
        while len(known) > 1 and _too_much(known.values()):
            known.popitem(last=False)
    return kept.network or base


class _Kept(NamedTuple):
    """An adapted network; None stands for the base, which would otherwise keep itself alive."""

    network: Network | None
    nbytes: int


def _too_much(known: Collection[_Kept]) -> bool:
    return len(known) > MAX_ADAPTED or sum(kept.nbytes for kept in known) > MAX_ADAPTED_BYTES


_adapted: WeakKeyDictionary[Network, OrderedDict[str, _Kept]] = WeakKeyDictionary()
_lock = RenewedLock()  # guards the dictionary


@torch.inference_mode(False)
def _apply(adapter: Adapter, key: NetworkKey, base: Network) -> Network:
    changes = adapter.architecture
    shapes = parameter_shapes(base.config, changes)
    if not changes and adapter.weights.keys() == shapes.keys() and not any(base.buffers()):
        check_weights(shapes, adapter.weights)
        return full_network(key, base.config, adapter.weights, base.dtype)
    wide = torch.promote_types(torch.float32, base.dtype)
    weights = {name: value.to(base.device, wide) for name, value in adapter.weights.items()}
    return adapted(base, weights, changes)
