"""Write checkpoints with experts in 8-bit integers, half the size of bfloat16.

The experts hold nearly all weights of a network: 97 % in the released checkpoint. All other
weights keep their type. The stored form is "int-quantized" of the compressed-tensors library, with
which transformers can read it too. On devices other than CPUs the experts become plain ones again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from timer_forecaster.checkpoints.quantization import (
    EXPERTS_PATTERN,
    INT8,
    STORED_FORM,
    read_config,
)
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.checkpoints.tensors import (
    check_finite,
    check_size,
    check_stored,
    read_tensors,
    tensor_files,
)
from timer_forecaster.checkpoints.writing import save_file
from timer_forecaster.files import check_new_folder, whole_folder
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.models.timer_s1.layouts.rounding import quantize_weight
from timer_forecaster.models.weightless import weightless

MAX_SHARD_BYTES = 10**9
"""Most bytes of a file that `convert_checkpoint` writes; it takes twice the memory."""


def convert_checkpoint(
    name: str | Path,
    output: str | Path,
    *,
    quantization: str = INT8,
    revision: str | None = None,
) -> Path:
    """Write a copy of a checkpoint with experts of 8 bits, half the size of bfloat16.

    The folder is loaded by its name like any other checkpoint. It forecasts the same as the
    original with ``quantization="int8"``, and loads in less time and memory. The conversion takes
    memory for two files of a gigabyte, whatever the size of the checkpoint.

    Parameters
    ----------
    name : str or Path
        A name of `timer_forecaster.list_checkpoints`, a folder in the released layout, or a hub
        id.
    output : str or Path
        Folder to write, which must not exist. It appears when it is complete.
    quantization : {"int8"}
        Form of the stored experts.
    revision : str, optional
        Branch, tag or commit of a hub id.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError
        If an argument cannot be used, if the folder cannot be written, or if the checkpoint is
        quantized already or cannot be read.

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
    check_new_folder(output)
    source = find_checkpoint(str(name), revision)
    config = read_config(source)
    if "quantization_config" in config:
        raise ValueError(f"checkpoint {str(name)!r} is quantized already; name the original")
    with whole_folder(output) as folder:
        _write_weights(source, folder)
        text = json.dumps(config | {"quantization_config": STORED_FORM}, indent=2)
        (folder / "config.json").write_text(text + "\n", encoding="utf-8")
    return output


def _write_weights(source: Path, folder: Path) -> None:
    """Write the shards, one after the other, and the index with the shard of each tensor."""
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
    """Yield names and tensors one by one; tensors of experts are rounded and have scales."""
    files = tensor_files(source)
    config = TimerS1Architecture.from_config_file(source / "config.json")
    check_size(source, files, config)
    with weightless():
        wanted = TimerS1Network(config).state_dict()
    check_stored(source, files, wanted)
    pattern = re.compile(EXPERTS_PATTERN.removeprefix("re:").replace("$", r"\.weight"))
    for name in wanted:
        tensor = read_tensors(source, files, [name])[name]
        check_finite(source, files, {name: tensor})
        if pattern.fullmatch(name):
            rounded, scale = quantize_weight(tensor)
            yield name, rounded
            yield f"{name}_scale", scale
        else:
            yield name, tensor.clone()  # not in the map of its file
