"""Checkpoints of random weights in the released layout, of any size."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SHARD_BYTES = 2_000_000_000


def write_checkpoint(
    folder: Path, sizes: Mapping[str, Any], dtype: str, shard_bytes: int = SHARD_BYTES
) -> Path:
    """Write a checkpoint of random weights, unless the folder holds it already.

    The weights have the distribution that `TimerS1Network.reset_parameters` draws from.

    Parameters
    ----------
    folder : Path
        Gets the shards, their index and, last, ``config.json``.
    sizes : mapping
        Fields of `TimerS1Architecture` that differ from the released sizes.
    dtype : str
        Type to store, such as ``"bfloat16"``.
    shard_bytes : int
        Largest size of a shard. One shard is held in memory at a time.

    Returns
    -------
    Path
        The folder.
    """
    import torch
    from safetensors.torch import save_file

    config = _config(sizes, dtype)
    config_file = folder / "config.json"
    if config_file.exists() and json.loads(config_file.read_text()) == config:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    config_file.unlink(missing_ok=True)
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
    config_file.write_text(json.dumps(config, indent=2))
    return folder


def write_ttm(folder: Path, release: str) -> Path:
    """Write a TinyTimeMixer of random weights with the sizes of a release; return the folder."""
    import torch

    from benchmarks.ttm_speed import architecture
    from timer_forecaster.checkpoints import writing
    from timer_forecaster.models.ttm import TTMNetwork

    torch.manual_seed(0)
    sizes = architecture(release)
    writing.write_checkpoint(folder, sizes.to_dict(), TTMNetwork(sizes).state_dict())
    return folder


def parameter_shapes(sizes: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every parameter of the released layout."""
    import torch

    from timer_forecaster.models.timer_s1 import TimerS1Network, as_architecture

    with torch.device("meta"):
        network = TimerS1Network(as_architecture(sizes))
    return {name: tuple(parameter.shape) for name, parameter in network.named_parameters()}


def _config(sizes: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    """Return the contents of ``config.json``."""
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
    """Divide the parameters among shards of at most `limit` bytes, in their order."""
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
