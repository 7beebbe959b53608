"""The training objective of the report (section 3.3): NTP + STP + alpha * load balance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class LossTerms(NamedTuple):
    """The training loss and its parts, all scalars."""

    loss: Tensor
    ntp: Tensor
    stp: Tensor
    aux: Tensor


def patch_loss(
    quantiles: Tensor, target: Tensor, observed: Tensor, levels: Tensor, kind: str
) -> Tensor:
    r"""Quantile loss of predicted patches.

    With :math:`\rho_q(x, \hat x) = \max(q (x - \hat x), (q - 1)(x - \hat x))`, ``"wql"`` is
    equation (13) of the report, :math:`2 \sum_t \rho_q / \sum_t |x_t|` for each patch, averaged
    over levels and patches; the divisor is at least 1e-3. ``"pinball"`` is the mean of
    :math:`2 \rho_q` after asinh of both sides. A monotone map does not move the optimal
    quantiles, and asinh keeps a few far-off targets from dominating the gradient.

    Parameters
    ----------
    quantiles : Tensor, shape (..., Q, P)
    target, observed : Tensor, shape (..., P)
        Targets, which are finite also where they are not observed, and whether they count (bool).
    levels : Tensor, shape (Q,)
    kind : {"wql", "pinball"}

    Returns
    -------
    Tensor, scalar
        Zero if nothing is observed.
    """
    target = target.unsqueeze(-2)
    weight = observed.unsqueeze(-2).to(quantiles.dtype)
    if kind == "pinball":
        quantiles, target = torch.asinh(quantiles), torch.asinh(target)
    error = target - quantiles
    rho = 2 * weight * torch.maximum(levels[:, None] * error, (levels[:, None] - 1) * error)
    if kind == "pinball":
        return rho.sum() / (weight.sum() * len(levels)).clamp_min(1)
    scale = (target.abs() * weight).sum(-1).clamp_min(1e-3)  # (..., 1)
    counted = weight.amax(-1)  # (..., 1): patches with at least one observed step
    per_patch = (rho.sum(-1) / scale * counted).mean(-1)
    return per_patch.sum() / counted.sum().clamp_min(1)


def stage_losses(
    predictions: Sequence[Tensor],
    targets: Tensor,
    known: Tensor,
    levels: Tensor,
    kind: str,
    supervised: Tensor | None = None,
    loss: Callable[[Tensor, Tensor, Tensor, Tensor, str], Tensor] = patch_loss,
    tokens: Tensor | None = None,
) -> list[Tensor]:
    """Return the loss of each stage at all tokens: stage j at token i predicts patch i + j + 1.

    Parameters
    ----------
    predictions : sequence of Tensor, each (B, N, Q, P), or (tokens, Q, P) with ``tokens``
        Predictions of stage 0 and of each serial block.
    targets, known : Tensor, shape (B, M, P)
        Patches from the beginning of the tokens on, and whether each step is observed (bool).
    levels : Tensor, shape (Q,)
    kind : {"wql", "pinball"}
    supervised : Tensor of bool, shape (B, N), optional
        Tokens that count. Default: all.
    loss : callable
        `patch_loss`, or a compiled copy of it.
    tokens : Tensor of int, optional
        `tokens_that_count` of the supervised tokens; the predictions are of these alone. Default:
        they are of all tokens.

    Returns
    -------
    list of Tensor, scalars
        The loss of stage 0, then of each serial block.
    """
    n_tokens = predictions[0].shape[1] if supervised is None else supervised.shape[1]
    counts_at = known.new_ones(1, 1, 1) if supervised is None else supervised.unsqueeze(-1)
    # Unknown patches after the end give all stages the same shape, which is compiled once.
    beyond = max(0, n_tokens + len(predictions) - targets.shape[1])
    targets, known = (F.pad(x, (0, 0, 0, beyond)) for x in (targets, known))
    losses = []
    for shift, prediction in enumerate(predictions, start=1):
        target, counts = (x[:, shift : shift + n_tokens] for x in (targets, known))
        if tokens is None:
            counts = counts & counts_at
        else:
            target, counts = (x.flatten(0, 1).index_select(0, tokens) for x in (target, counts))
        losses.append(loss(prediction.float(), target, counts, levels, kind))
    return losses


def tokens_that_count(supervised: Tensor) -> Tensor:
    """Return the numbers of the supervised tokens (B, N) among all tokens, (tokens,)."""
    return supervised.flatten().nonzero().squeeze(1)


def load_balance_loss(router_logits: Sequence[Tensor], top_k: int) -> Tensor:
    r"""Load-balancing loss :math:`E \sum_j f_j P_j`, averaged over blocks.

    :math:`f_j` is the share of expert j in the ``top_k * tokens`` routing choices, and
    :math:`P_j` is its mean router probability (report, section 3.3). Balanced routing gives 1.

    Parameters
    ----------
    router_logits : sequence of Tensor, each (tokens, experts)
    top_k : int
        Experts per token.
    """
    losses = []
    for logits in router_logits:
        probabilities = F.softmax(logits.float(), dim=-1)
        n_experts = logits.shape[-1]
        chosen = probabilities.topk(top_k, dim=-1).indices
        share = torch.zeros(n_experts, device=logits.device)
        share = share.scatter_add(
            0, chosen.flatten(), torch.ones_like(chosen.flatten(), dtype=torch.float32)
        )
        share = share / chosen.numel()
        losses.append(n_experts * (share * probabilities.mean(0)).sum())
    return torch.stack(losses).mean()


def combine_terms(
    patch_losses: Sequence[Tensor], aux: Tensor, serial_weighting: str, aux_coef: float
) -> LossTerms:
    r"""Return L_NTP + L_STP + alpha * L_aux, and these terms.

    Parameters
    ----------
    patch_losses : sequence of Tensor
        Loss of stage 0 (next-token prediction) and of each serial block.
    aux : Tensor
        Load-balancing loss.
    serial_weighting : {"equal", "inverse_sqrt"}
        Weights of the serial blocks. Pre-training weights them equally, continued pre-training
        weights block j by :math:`1 / \sqrt{j}` (report, section 4).
    aux_coef : float
        Weight of the load-balancing loss, alpha.
    """
    ntp, serial = patch_losses[0], list(patch_losses[1:])
    stp = torch.zeros_like(ntp)
    if serial:
        order = torch.arange(1, len(serial) + 1, device=ntp.device, dtype=ntp.dtype)
        weights = order.rsqrt() if serial_weighting == "inverse_sqrt" else torch.ones_like(order)
        stp = (weights * torch.stack(serial)).mean()
    return LossTerms(ntp + stp + aux_coef * aux, ntp, stp, aux)
