"""Random checkpoints in the released layout, balanced routing, and the work that a forecast is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

SMALL = {
    "hidden_size": 256,
    "intermediate_size": 1024,
    "num_hidden_layers": 6,
    "num_mtp_tokens": 4,
    "num_attention_heads": 4,
    "num_experts": 8,
}
"""The 35.7 M parameters of a network that a laptop would train."""

SHARD_BYTES = 2_000_000_000
GATE_ROWS = 4099
"""Rows of the table of router logits: a prime, so that no batch shape repeats them in step."""


def write_checkpoint(
    folder: Path, sizes: Mapping[str, Any], dtype: str, shard_bytes: int = SHARD_BYTES
) -> Path:
    """Write random weights in the released layout, a shard at a time; keep what is there already.

    The weights are those of `TimerS1Network.reset_parameters` in distribution.

    Parameters
    ----------
    folder : Path
        Gets the shards, their index and, last, ``config.json``.
    sizes : mapping
        Fields of `TimerS1Architecture` that are not the released ones.
    dtype : str
        Type to store, such as ``"bfloat16"``.
    shard_bytes : int
        Most bytes of a shard, which is what is held in memory.
    """
    import torch
    from safetensors.torch import save_file

    config = _config(sizes, dtype)
    described = folder / "config.json"
    if described.exists() and json.loads(described.read_text()) == config:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    described.unlink(missing_ok=True)
    generator = torch.Generator().manual_seed(0)
    stored = getattr(torch, dtype)
    places, total = {}, 0
    shards = list(_shards(parameter_shapes(sizes), stored.itemsize, shard_bytes))
    for number, shapes in enumerate(shards, 1):
        name = f"model-{number:05}-of-{len(shards):05}.safetensors"
        tensors = {key: _draw(key, shape, stored, generator) for key, shape in shapes.items()}
        save_file(tensors, folder / name, metadata={"format": "pt"})
        places |= dict.fromkeys(shapes, name)
        total += sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    described.write_text(json.dumps(config, indent=2))
    return folder


def parameter_shapes(sizes: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter of the released layout."""
    import torch

    from timer_forecaster.models.timer_s1 import TimerS1Network, as_architecture

    with torch.device("meta"):
        network = TimerS1Network(as_architecture(sizes))
    return {name: tuple(parameter.shape) for name, parameter in network.named_parameters()}


def _config(sizes: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    from timer_forecaster.models.timer_s1 import as_architecture

    config = dataclasses.asdict(as_architecture(sizes))
    config["quantiles"] = list(config["quantiles"])
    released = {
        "architectures": ["TimerS1ForPrediction"],
        "model_type": "Timer-S1",
        "output_token_lens": [config["input_token_len"]],
        "torch_dtype": dtype,
        "use_cache": True,
    }
    return released | config


def _shards(
    shapes: Mapping[str, tuple[int, ...]], itemsize: int, limit: int
) -> Iterator[dict[str, tuple[int, ...]]]:
    shard: dict[str, tuple[int, ...]] = {}
    used = 0
    for name, shape in shapes.items():
        size = itemsize
        for length in shape:
            size *= length
        if shard and used + size > limit:
            yield shard
            shard, used = {}, 0
        shard[name] = shape
        used += size
    yield shard


def _draw(name: str, shape: tuple[int, ...], dtype: Any, generator: Any) -> Any:
    import torch

    if name.endswith("bias"):
        return torch.zeros(shape, dtype=dtype)
    if len(shape) == 1:
        return torch.ones(shape, dtype=dtype)
    return torch.empty(shape, dtype=dtype).normal_(std=0.02, generator=generator)


def balance(network: Any) -> None:
    """Replace every router, of the released network or of ours, by a table of random logits.

    Random weights send nearly all tokens to a few experts, whose weights then stay in the caches:
    that would hide what reading weights costs. Row i of a call has the logits of row i of the
    table, whatever it holds.
    """
    serial = getattr(network, "mtp_modules", ())
    for block in [*network.model.layers, *(one.layer for one in serial)]:
        block.ffn_layer.gate = balanced_gate(network.config.num_experts).to(network.device)


def balanced_gate(n_experts: int) -> Any:
    """Build a module that gives the same pseudo-random logits for the same row numbers."""
    import torch

    class BalancedGate(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            generator = torch.Generator().manual_seed(n_experts)
            table = torch.randn(GATE_ROWS, n_experts, generator=generator)
            self.register_buffer("table", table, persistent=False)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            rows = torch.arange(tokens.shape[0], device=tokens.device) % GATE_ROWS
            return self.table[rows].to(tokens.dtype)

    return BalancedGate()


class Work(NamedTuple):
    """What a forecast cannot do without."""

    flops: float
    weights: float  # parameters read, counted once in each pass of the network


def useful_work(config: Any, batch: int, context: int, horizon: int) -> Work:
    """Count the work of a median roll-out that computes nothing twice and nothing in vain.

    Two operations for each multiplication with its addition, in linear layers, experts and causal
    attention; norms, rotary tables and the router's choice are left out. Keys and values are
    kept between passes; of the last block that runs and of the head, the newest token alone is
    computed. Experts are read if a token is sent to them, as often as balanced routing does.

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
    """Count one pass over the new tokens of each row, which forecasts some patches."""
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
