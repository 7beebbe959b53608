"""Linear layers along the tokens, without transposed copies."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def along(linear: nn.Module, hidden: Tensor, dim: int) -> Tensor:
    """Apply a linear layer along the last dimension (-1) or the one before it (-2).

    Along the dimension before the last, the product is ``weight @ hidden``, which needs no copy. A
    layer that is more than its weight (quantized, adapted, hooked) is called as it is.

    Parameters
    ----------
    linear : nn.Module
        A linear layer with a bias, from n features to m.
    hidden : Tensor, shape (..., n) or (..., n, D)
    dim : {-1, -2}

    Returns
    -------
    Tensor, shape (..., m) or (..., m, D)
    """
    if dim == -1:
        return linear(hidden)
    if not (isinstance(linear, nn.Linear) and _is_plain(linear)):
        return linear(hidden.mT).mT
    rows = hidden.flatten(0, -3)
    weight = linear.weight.expand(len(rows), -1, -1)
    product = torch.baddbmm(linear.bias[:, None], weight, rows)
    return product.view(*hidden.shape[:-2], *product.shape[-2:])


def _is_plain(linear: nn.Linear) -> bool:
    """Whether a layer is nothing but its weight and bias."""
    hooked = linear._forward_hooks or linear._forward_pre_hooks or "forward" in vars(linear)
    return type(linear) is nn.Linear and not hooked


def gelu(hidden: Tensor) -> Tensor:
    """Return the exact GELU of a tensor that nobody else reads; in place where no gradient is."""
    if torch.is_grad_enabled():
        return nn.functional.gelu(hidden)
    return torch.ops.aten.gelu_(hidden)


def plus(new: Tensor, old: Tensor) -> Tensor:
    """Return a sum; its first part, which nobody else reads, takes it where no gradient is."""
    return new + old if torch.is_grad_enabled() else new.add_(old)


def times(new: Tensor, factor: Tensor) -> Tensor:
    """Return a product; its first part, which nobody else reads, takes it where no gradient is."""
    return new * factor if torch.is_grad_enabled() else new.mul_(factor)
