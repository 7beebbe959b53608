"""Experts in 8-bit integers on a CPU: made when a checkpoint is loaded, or once on disk.

The experts are nearly all of a network: 97 % of the released one's weights. What else there is
keeps its type. On disk the form is that of the compressed-tensors library ("int-quantized"), by
which transformers reads it too. On other devices stored experts are made plain ones again.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from timer_forecaster.checkpoints.files import check_fit, read_tensors, tensor_files
from timer_forecaster.checkpoints.quantization import EXPERTS_PATTERN, INT8, STORED_FORM
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.models.timer_s1.layouts.int8 import quantise_weight

MAX_SHARD_BYTES = 10**9
"""Of a file that `convert_checkpoint` writes; twice as much is in memory meanwhile."""


def convert_checkpoint(
    name: str | Path,
    output: str | Path,
    *,
    quantization: str = INT8,
    revision: str | None = None,
) -> Path:
    """Write a checkpoint with experts of 8 bits, half the size of one in bfloat16.

    The folder is loaded by its name like any other, in less time and memory than the checkpoint
    takes with ``quantization="int8"``, and forecasts the same. It takes memory for two shards of
    a gigabyte, whatever the size of the checkpoint.

    Parameters
    ----------
    name : str or Path
        A name of `timer_forecaster.list_checkpoints`, a folder in the released layout, or a hub
        id.
    output : str or Path
        Folder to write, which must not exist yet. It appears when it is complete.
    quantization : {"int8"}
        How to store the experts.
    revision : str, optional
        Branch, tag or commit of a hub id.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError
        Naming the argument that cannot be used, or if the checkpoint is quantised already.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.inference import convert_checkpoint
    >>> with TemporaryDirectory() as parent:
    ...     folder = convert_checkpoint("timer-s1-mini", f"{parent}/mini-int8")
    ...     pipe = ForecastPipeline.from_pretrained(folder)
    ...     print(pipe.key.quantization)
    int8
    """
    if quantization != INT8:
        raise ValueError(f"quantization={quantization!r} is unknown; use 'int8'")
    output = Path(output).expanduser()
    if output.exists():
        raise ValueError(f"output {str(output)!r} exists already; name a folder that does not")
    if not output.absolute().parent.is_dir():
        raise ValueError(f"output {str(output)!r}: there is no folder {str(output.parent)!r}")
    source = find_checkpoint(str(name), revision)
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    if "quantization_config" in config:
        raise ValueError(f"checkpoint {str(name)!r} is quantised already; name the original")
    with tempfile.TemporaryDirectory(dir=output.absolute().parent, prefix=".converting-") as parent:
        folder = Path(parent) / "checkpoint"
        folder.mkdir()
        _write_weights(source, folder)
        text = json.dumps(config | {"quantization_config": STORED_FORM}, indent=2)
        (folder / "config.json").write_text(text + "\n", encoding="utf-8")
        folder.rename(output)
    return output


def _write_weights(source: Path, folder: Path) -> None:
    """Write shards, one after the other, and the index that says which tensor is in which."""
    index: dict[str, str] = {}
    total = 0
    for number, shard in enumerate(_shards(_converted(source)), start=1):
        file = f"model-{number:05d}.safetensors"
        save_file(shard, folder / file, metadata={"format": "pt"})
        index |= dict.fromkeys(shard, file)
        total += sum(tensor.nbytes for tensor in shard.values())
        shard.clear()
    text = json.dumps({"metadata": {"total_size": total}, "weight_map": index}, indent=2)
    (folder / "model.safetensors.index.json").write_text(text + "\n", encoding="utf-8")


def _shards(tensors: Iterator[tuple[str, Tensor]]) -> Iterator[dict[str, Tensor]]:
    shard: dict[str, Tensor] = {}
    size = 0
    for name, tensor in tensors:
        if size + tensor.nbytes > MAX_SHARD_BYTES and shard:
            yield shard
            shard, size = {}, 0
        shard[name] = tensor
        size += tensor.nbytes
    if shard:
        yield shard


def _converted(source: Path) -> Iterator[tuple[str, Tensor]]:
    """Read one tensor after the other, those of experts rounded and with their scales."""
    files = tensor_files(source)
    with torch.device("meta"):
        network = TimerS1Network(TimerS1Architecture.from_config_file(source / "config.json"))
    wanted = network.state_dict().keys()
    check_fit(source, wanted - files.keys(), files.keys() - wanted)
    pattern = re.compile(EXPERTS_PATTERN.removeprefix("re:").replace("$", r"\.weight"))
    for name in wanted:
        tensor = read_tensors(source, files, [name])[name]
        if pattern.fullmatch(name):
            rounded, scale = quantise_weight(tensor)
            yield name, rounded
            yield f"{name}_scale", scale
        else:
            yield name, tensor.clone()  # off the map of its file
