"""Training on the windows of a data set, epoch by epoch."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from timer_forecaster.finetuning.objectives.ttm import Windows
from timer_forecaster.models.network import Network
from timer_forecaster.samay.batches import batch_loss, make_batch
from timer_forecaster.samay.dataset import TinyTimeMixerDataset

_WARM_UP = 0.05  # share of the steps in which the learning rate rises
_LOWEST_RATE = 0.1  # share of the peak, at the end
_WEIGHT_DECAY = 0.01
_MOST_GRADIENT = 1.0  # largest norm of the gradient


class Plan(NamedTuple):
    """How to train.

    Parameters
    ----------
    context_len : int
        Newest steps of a history that the network reads.
    epochs : int
    learning_rate : float
        Its peak.
    patience : int, optional
        Epochs without a lower validated loss after which the training stops.
    seed : int
        Seed of the order of the windows, and of dropout.
    """

    context_len: int
    epochs: int
    learning_rate: float
    patience: int | None
    seed: int


class Curves(NamedTuple):
    """The losses of a training.

    Parameters
    ----------
    training : list of float
        Mean loss of each epoch.
    validation : list of float
        Loss before the training and after each epoch; empty without a data set that validates.
    best : int
        Number of the epoch whose weights are kept; 0 are the weights before the training.
    """

    training: list[float]
    validation: list[float]
    best: int


def train(
    network: Network,
    dataset: TinyTimeMixerDataset,
    validation: TinyTimeMixerDataset | None,
    plan: Plan,
) -> Curves:
    """Train a network in place. A failure leaves it as it was.

    With a data set that validates, the weights of the epoch with the lowest loss there are kept,
    or those before the training if no epoch is better.

    Raises
    ------
    ValueError
        If there is nothing to train on, or nothing to validate by.
    RuntimeError
        If the loss is no longer finite.
    """
    before = copy.deepcopy(network.state_dict())
    try:
        with torch.random.fork_rng():
            torch.manual_seed(plan.seed)
            return _train(network, dataset, validation, plan)
    except BaseException:
        network.load_state_dict(before)
        raise
    finally:
        network.eval()


def _train(
    network: Network,
    dataset: TinyTimeMixerDataset,
    validation: TinyTimeMixerDataset | None,
    plan: Plan,
) -> Curves:
    curves = Curves([], [], plan.epochs)
    best: dict[str, Tensor] = {}
    if validation is not None:
        curves.validation.append(_validated(network, validation, plan.context_len))
        curves, best = curves._replace(best=0), copy.deepcopy(network.state_dict())
    steps = _Steps(network, plan, plan.epochs * math.ceil(len(dataset) / dataset.batch_size))
    random = np.random.default_rng(plan.seed)
    for epoch in range(1, plan.epochs + 1):
        network.train()
        order = random.permutation(len(dataset))
        losses = [steps.take(b) for b in _batches(network, dataset, order, plan.context_len)]
        if not losses:
            raise ValueError(
                f"{dataset.label}: there is nothing to train on; in each window a history is "
                "constant or missing, or the future is missing"
            )
        curves.training.append(float(np.mean(losses)))
        if validation is None:
            continue
        curves.validation.append(_validated(network, validation, plan.context_len))
        if curves.validation[-1] < curves.validation[curves.best]:
            curves, best = curves._replace(best=epoch), copy.deepcopy(network.state_dict())
        if plan.patience is not None and epoch - curves.best >= plan.patience:
            break
    if validation is not None:
        network.load_state_dict(best)
    return curves


class _Steps:
    """Optimizer steps whose rate rises, and falls by a cosine."""

    def __init__(self, network: Network, plan: Plan, total: int) -> None:
        self._network, self._plan, self._total, self._done = network, plan, total, 0
        parameters = network.parameters()
        self._optimizer = torch.optim.AdamW(
            parameters, plan.learning_rate, weight_decay=_WEIGHT_DECAY
        )

    def take(self, batch: Windows) -> float:
        """Take a step and return the loss before it."""
        self._done += 1
        for group in self._optimizer.param_groups:
            group["lr"] = self._plan.learning_rate * _share((self._done - 0.5) / self._total)
        self._optimizer.zero_grad()
        loss = batch_loss(self._network, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), _MOST_GRADIENT)
        value = loss.item()
        if not math.isfinite(value):
            raise RuntimeError(
                f"the loss is {value} in step {self._done}: the training has diverged, and the "
                f"model is as it was before; lower learning_rate={self._plan.learning_rate}"
            )
        self._optimizer.step()
        return value


def _share(progress: float) -> float:
    """Return the share of the peak learning rate at a progress from 0 to 1."""
    if progress < _WARM_UP:
        return progress / _WARM_UP
    falling = (progress - _WARM_UP) / (1 - _WARM_UP)
    return _LOWEST_RATE + (1 - _LOWEST_RATE) * (1 + math.cos(math.pi * falling)) / 2


def _batches(
    network: Network,
    dataset: TinyTimeMixerDataset,
    order: NDArray[np.intp],
    context_len: int,
) -> Iterator[Windows]:
    """Yield the batches of windows in an order."""
    windows = dataset.windows
    for start in range(0, len(order), dataset.batch_size):
        chosen = order[start : start + dataset.batch_size]
        histories = windows.histories(chosen)[..., -context_len:]
        batch = make_batch(network, histories, windows.futures(chosen))
        if batch is not None:
            yield batch


@torch.no_grad()
def _validated(network: Network, dataset: TinyTimeMixerDataset, context_len: int) -> float:
    """Return the mean loss of the known targets of a data set."""
    network.eval()
    losses, counts = [], []
    for batch in _batches(network, dataset, np.arange(len(dataset)), context_len):
        losses.append(batch_loss(network, batch).item())
        counts.append(int(batch.observed.sum()))
    if not losses:
        raise ValueError(f"{dataset.label}: there is nothing to validate by (val_dataset)")
    return float(np.average(losses, weights=counts))
