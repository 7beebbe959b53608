"""Muon for the hidden matrices, AdamW for all other weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from timer_forecaster.models.timer_s1.layouts.choice import fast_in_bfloat16


class Muon(torch.optim.Optimizer):
    r"""Momentum whose update is orthogonalized (Jordan et al., 2024), batched by shape.

    ``torch.optim.Muon`` orthogonalizes one matrix at a time. A small mixture of experts has
    hundreds of equal ones, and launching each alone takes as long as the training step itself;
    here all matrices of a shape are orthogonalized together. Updates are scaled by
    :math:`0.2 \sqrt{\max(m, n)}` to the root mean square of AdamW's (Liu et al., 2025).

    Parameters
    ----------
    params : iterable of Tensor
        Matrices only.
    lr, momentum, weight_decay : float
        Learning rate, Nesterov momentum, decoupled weight decay.

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.pretraining import Muon
    >>> matrix = torch.nn.Parameter(torch.eye(3))
    >>> optimizer = Muon([matrix], lr=0.1, weight_decay=0.0)
    >>> matrix.square().sum().backward()
    >>> optimizer.step()
    >>> bool(matrix.diagonal().max() < 1)
    True
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every matrix that has a gradient."""
        if closure is not None:
            raise ValueError("closure is not supported; compute the gradients before step()")
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(parameter.shape, []).append(parameter)
            for parameters in by_shape.values():
                self._step_shape(parameters, group)

    def _step_shape(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        gradients = [p.grad for p in parameters if p.grad is not None]
        buffers = [self._momentum(parameter) for parameter in parameters]
        torch._foreach_lerp_(buffers, gradients, 1 - group["momentum"])
        nesterov = torch._foreach_lerp(gradients, buffers, group["momentum"])
        update = orthogonalize(torch.stack(nesterov))
        scale = 0.2 * max(parameters[0].shape) ** 0.5 * group["lr"]
        torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(parameters, list(update.to(parameters[0].dtype).unbind()), alpha=-scale)

    def _momentum(self, parameter: Tensor) -> Tensor:
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        return state["momentum"]


def orthogonalize(matrices: Tensor, steps: int = 5) -> Tensor:
    """Replace each matrix of (n, rows, columns) by roughly its nearest semi-orthogonal matrix.

    Quintic Newton-Schulz iteration with the coefficients of Jordan et al. (2024), in bfloat16 where
    the device multiplies it fast.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrices.bfloat16() if fast_in_bfloat16(matrices.device) else matrices.float()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


OPTIMIZERS = ("muon", "adamw")


def build_optimizers(
    network: nn.Module,
    name: str,
    weight_decay: float,
    blocks: tuple[str, ...] = ("model.layers.", "mtp_modules."),
    fused: bool = False,
) -> list[torch.optim.Optimizer]:
    """Make the optimizers of a network; the loop sets their learning rate before every step.

    Parameters
    ----------
    network : nn.Module
        The network to update.
    name : {"muon", "adamw"}
        Muon for the blocks' matrices and AdamW for embedding, head, router, norms and biases; or
        AdamW for all.
    weight_decay : float
        Decoupled, times the learning rate.
    blocks : tuple of str
        Beginnings of the names of parameters in blocks; the default is that of Timer-S1.
    fused : bool
        Let AdamW update all parameters in one kernel, for a GPU.

    Returns
    -------
    list of torch.optim.Optimizer

    Examples
    --------
    >>> from timer_forecaster.inference import load_plain_network
    >>> from timer_forecaster.pretraining import build_optimizers
    >>> network = load_plain_network("timer-s1-test")
    >>> [type(one).__name__ for one in build_optimizers(network, "muon", weight_decay=0.01)]
    ['Muon', 'AdamW']
    """
    hidden: list[Tensor] = []
    rest: list[Tensor] = []
    for path, parameter in network.named_parameters():
        in_block = path.startswith(blocks)
        is_router = path.endswith("ffn_layer.gate.weight")
        orthogonal = name == "muon" and in_block and parameter.ndim == 2 and not is_router
        (hidden if orthogonal else rest).append(parameter)
    adamw = torch.optim.AdamW(
        rest, lr=0.0, betas=(0.9, 0.98), weight_decay=weight_decay, fused=fused
    )
    return [Muon(hidden, lr=0.0, weight_decay=weight_decay), adamw] if hidden else [adamw]
