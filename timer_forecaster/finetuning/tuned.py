"""Finetuned weights as a torch module, for the training loop of another framework."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.checkpoints.cache import forget_large
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.finetuning.trainable import load_frozen, own_copies, trainable
from timer_forecaster.models.network import Network
from timer_forecaster.models.tuning import Tuned, adapted, target_of, tuned_names

_EXTRA = "_extra_state"  # torch's name in a state dict


class TunedWeights(nn.Module):
    """The weights of a network that a training loop of another framework finetunes.

    They are the parameters of this module, under the names that they have in the network, and it
    has no other parameters. All other weights are shared, or loaded for the training, so that the
    framework does not cast, move or save them. The state dict also holds the weights of an adapter
    that are not trained.

    A framework's module inherits from this class, before the framework's own class, so that its
    state dict has the names of the network. Call `start_from` before the training.

    Parameters
    ----------
    checkpoint : str
        A name, a folder or a hub id.
    revision : str or None
        Branch, tag or commit of a hub id.
    dtype : str
        Type that the network computes in.
    enable_finetuning : bool, str or dict
        The weights that are trained; see `timer_forecaster.models.tuning.tuned_names`.
    **kwargs
        For the framework's class.

    Examples
    --------
    >>> from timer_forecaster.finetuning.tuned import TunedWeights
    >>> weights = TunedWeights("timer-s1-test", None, "auto", "router")
    >>> weights.start_from(None)
    >>> sorted(dict(weights.named_parameters()))[0]
    'model.layers.0.ffn_layer.gate.weight'
    >>> weights.adapter.target
    'router'
    """

    tuned_by: ClassVar[str] = __name__
    """The trainer, in the record of an adapter."""

    gentler: ClassVar[str] = "a lower learning rate or clipped gradients"
    """The advice of an error if training has failed."""

    chosen_by: ClassVar[str] = "checkpoint and revision"
    """The parameters that name the checkpoint, for an error."""

    def __init__(
        self,
        checkpoint: str,
        revision: str | None,
        dtype: str,
        enable_finetuning: Tuned = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.checkpoint = checkpoint
        self.revision = revision
        self.network_dtype = dtype
        self.enable_finetuning = enable_finetuning
        self._names: list[str] = []  # of the weights that are trained
        self._fixed: Adapter | None = None  # other weights that differ from the checkpoint
        self._adapter: tuple[Any, Adapter | None] | None = None  # and the version of its weights
        self._network: tuple[Any, Network] | None = None  # and the identity of its weights

    @property
    def adapter(self) -> Adapter | None:
        """The adapter in use: the weights as they are now; None if there are none."""
        tuned = self._tuned()
        version = [(value.data_ptr(), value._version) for value in tuned.values()]
        if self._adapter is None or self._adapter[0] != version:
            self._adapter = version, self._adapter_of(tuned)
        return self._adapter[1]

    def _tuned(self) -> dict[str, nn.Parameter]:
        return {name: self.get_parameter(name) for name in self._names}

    def _adapter_of(self, tuned: Mapping[str, Tensor]) -> Adapter | None:
        fixed = self._fixed
        if fixed is None or not tuned:
            return fixed
        if not all(value.isfinite().all() for value in tuned.values()):
            raise ValueError(
                "training has made weights that are not finite: create the model anew, with "
                f"{self.gentler}"
            )
        return dataclasses.replace(fixed, weights={**fixed.weights, **tuned})

    @torch.inference_mode(False)  # weights made in that mode could never be trained
    def start_from(self, adapter: Adapter | None, seed: int = 0) -> None:
        """Take the weights of an adapter, or of the checkpoint.

        Parameters
        ----------
        adapter : Adapter, optional
            Default: the weights of the checkpoint.
        seed : int
            For low-rank matrices, which start at random.

        Raises
        ------
        ValueError
            If the adapter belongs to another checkpoint.
        """
        self._adapter, self._network, self._fixed = None, None, adapter
        key = self._key("cpu")
        if adapter is not None:
            adapter.check_base(key)
        if not self.enable_finetuning:
            return
        frozen = load_frozen(key)
        given = {} if adapter is None else adapter.weights
        start = _start_parameters(frozen, self.enable_finetuning, given, seed)
        self._names = list(start)
        for name, parameter in start.items():
            self._set(name, parameter)
        named = self.enable_finetuning, self._names, _names(frozen)
        target = target_of(frozen.config, *named)
        fixed = {name: value for name, value in given.items() if name not in start}
        changes = {} if adapter is None else adapter.architecture
        self._fixed = Adapter(Base.of(key), target, fixed, self._record(), changes)

    def _set(self, name: str, parameter: nn.Parameter) -> None:
        """Put a parameter in the place of its name.

        A parameter that is there keeps its identity, because an optimizer may hold it.
        """
        *path, leaf = name.split(".")
        module: nn.Module = self
        for part in path:
            if part not in module._modules:
                module.add_module(part, _Branch())
            module = module.get_submodule(part)
        present = module._parameters.get(leaf)
        if present is None or present.shape != parameter.shape:
            module.register_parameter(leaf, parameter)
        else:
            present.data.copy_(parameter.data)

    def _key(self, device: str) -> NetworkKey:
        return NetworkKey.resolve(self.checkpoint, self.revision, device, self.network_dtype)

    def network_on(self, device: torch.device, instead_of: NetworkKey | None = None) -> Network:
        """Return a network that computes with these weights, for training.

        Parameters
        ----------
        device : torch.device
            Device of the weights.
        instead_of : NetworkKey, optional
            A cached network. If it is large, it is freed before another one is loaded.
        """
        tuned = self._tuned()
        identity = [str(device), *map(id, tuned.values())]
        if self._network is None or self._network[0] != identity:
            if instead_of is not None:
                forget_large(instead_of)
            frozen = load_frozen(self._key(str(device)))
            fixed = {} if self._fixed is None else self._fixed.weights
            changes = {} if self._fixed is None else self._fixed.architecture
            there = {name: value.to(device) for name, value in fixed.items()}
            self._network = identity, adapted(frozen, {**there, **tuned}, changes)
        return self._network[1]

    def free_network(self) -> None:
        """Free the network of `network_on`."""
        self._network = None

    def check_trains(self, loss: Tensor, n_steps: int) -> None:
        """Check that a loss depends on the weights.

        Parameters
        ----------
        loss : Tensor
            Computed by the network of `network_on`.
        n_steps : int
            Steps of the forecast.

        Raises
        ------
        ValueError
            If it does not: serial blocks take part in long forecasts only.
        """
        if not loss.requires_grad:
            config = self._network[1].config if self._network else None
            patch = getattr(config, "input_token_len", "one patch")
            raise ValueError(
                f"enable_finetuning={self.enable_finetuning!r}: none of these weights takes part "
                f"in forecasts of {n_steps} steps; serial blocks (mtp_modules) do in those of more "
                f"than {patch}"
            )

    def note_training(self, **results: Any) -> None:
        """Keep results of the training in the record of the adapter.

        The adapter is made anew, because a framework may have set weights in a way that torch does
        not count.
        """
        self._set_record({**self._record(), **results})

    def _record(self) -> dict[str, Any]:
        return {"tuned_by": self.tuned_by, "enable_finetuning": self.enable_finetuning}

    def _set_record(self, record: Mapping[str, Any]) -> None:
        self._adapter = None
        if self._fixed is not None:
            self._fixed = dataclasses.replace(self._fixed, record=record)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the network of the training."""
        state: Any = super().__getstate__()
        return {**state, "_network": None}

    def get_extra_state(self) -> dict[str, Any]:
        """Return the name of the checkpoint, and the weights of an adapter that are not trained."""
        fixed = self._fixed
        adapter = None
        if fixed is not None:
            adapter = {
                "base": tuple(fixed.base),
                "target": fixed.target,
                "weights": dict(fixed.weights),
                "record": dict(fixed.record),
                "tuned": self._names,
                "architecture": dict(fixed.architecture),
            }
        return {"checkpoint": self.checkpoint, "revision": self.revision, "adapter": adapter}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Do nothing: `load_state_dict` has used the state."""

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Take the weights of a saved module, which may have trained other weights than this one.

        Raises
        ------
        ValueError
            If the saved module belongs to another checkpoint. The state dict does not hold the
            weights of the checkpoint, so they cannot be loaded from it.
        """
        state = dict(state_dict)
        if _EXTRA in state:
            self._check_checkpoint(state[_EXTRA])
            saved = state[_EXTRA]["adapter"]
            if saved is None:
                self.start_from(None)
            else:
                tuned = {name: state.pop(name) for name in saved["tuned"]}
                weights = {**saved["weights"], **tuned}
                weights = {name: value.cpu() for name, value in weights.items()}
                base = Base(*saved["base"])
                changes = saved.get("architecture", {})  # version 0.1 had none
                self.start_from(Adapter(base, saved["target"], weights, saved["record"], changes))
                self._set_record(saved["record"])
            state = {**self.state_dict(), **state}
        return super().load_state_dict(state, strict=strict, assign=assign)

    def _check_checkpoint(self, state: Mapping[str, Any]) -> None:
        ours = {"checkpoint": self.checkpoint, "revision": self.revision}
        theirs = {name: state[name] for name in ours}
        if theirs != ours:
            raise ValueError(
                f"the saved model forecasts with {theirs}, this one with {ours}; create the model "
                f"with the saved one's {self.chosen_by}"
            )


class _Branch(nn.Module):
    """A part of a parameter's name. Its parameters keep their type when a framework casts them."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        return super()._apply(lambda tensor: fn(tensor).to(tensor.dtype), recurse)


def _names(network: Network) -> list[str]:
    return [name for name, _ in network.named_parameters()]


def _start_parameters(
    frozen: Network, tuned: Tuned, given: Mapping[str, Tensor], seed: int
) -> dict[str, nn.Parameter]:
    """Return the weights to train: copies of the given ones, and of the network's for the rest."""
    if tuned == "lora":
        start = trainable(frozen, tuned, seed=seed).parameters
    else:
        start = own_copies(frozen, tuned_names(frozen.config, tuned, _names(frozen)))
    for name in start.keys() & given.keys():
        start[name] = nn.Parameter(given[name].to(start[name].dtype, copy=True))
    return start
