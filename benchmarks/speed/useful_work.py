"""The least work of a forecast: operations, and weights that are read."""

from __future__ import annotations

from typing import Any, NamedTuple


class Work(NamedTuple):
    """The work that no implementation of a forecast can avoid.

    Attributes
    ----------
    flops : float
        Operations.
    weights : float
        Parameters that are read, counted once in each pass of the network.
    """

    flops: float
    weights: float


def useful_work(config: Any, batch: int, context: int, horizon: int) -> Work:
    """Return the work of a median roll-out that computes nothing twice and nothing in vain.

    A multiplication with its addition counts as two operations. Linear layers, experts and causal
    attention are counted; norms, rotary tables and the choice of the router are not. Keys and
    values are kept between passes. In the last block that runs, and in the head, only the newest
    token is computed. The weights of an expert are read if at least one token is sent to it; the
    number of such experts is the one of balanced routing.

    Parameters
    ----------
    config : TimerS1Architecture
    batch : int
        Rows that go through the network together.
    context, horizon : int
        Steps.
    """
    patch = config.input_token_len
    new, past, remaining = -(-context // patch), 0, -(-horizon // patch)
    total = Work(0, 0)
    while remaining > 0:
        patches = min(remaining, config.num_mtp_tokens + 1)
        work = _pass(config, batch, new, past, patches)
        total = Work(*map(sum, zip(total, work, strict=True)))
        past, new, remaining = past + new, patches, remaining - patches
    return total


def _pass(config: Any, batch: int, new: int, past: int, patches: int) -> Work:
    """Return the work of one pass over the new tokens of each row, which forecasts patches."""
    hidden, patch = config.hidden_size, config.input_token_len
    blocks, serial = config.num_hidden_layers + patches - 1, patches - 1
    embedding = 2 * patch * config.intermediate_size + hidden * (
        config.intermediate_size + 2 * patch
    )
    head = hidden * hidden + 2 * hidden * len(config.quantiles) * patch
    expert = 3 * hidden * (config.intermediate_size // config.num_experts_per_token)
    router = hidden * config.num_experts
    sent = config.num_experts_per_token * expert + router  # of a token, to its experts
    full = new * (5 * hidden**2 + sent) + 2 * hidden * sum(past + i + 1 for i in range(new))
    last = new * 2 * hidden**2 + 3 * hidden**2 + sent + 2 * hidden * (past + new)
    joins = serial * new * 2 * hidden**2
    products = batch * (new * embedding + (blocks - 1) * full + last + joins + patches * head)

    def read(tokens: int) -> float:
        missed = (1 - config.num_experts_per_token / config.num_experts) ** tokens
        return 5 * hidden**2 + router + config.num_experts * (1 - missed) * expert

    weights = (blocks - 1) * read(batch * new) + read(batch) + serial * 2 * hidden**2
    return Work(2 * products, weights + embedding + head)
