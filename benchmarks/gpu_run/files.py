"""The weights of a run in files of bounded size."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from timer_forecaster.files import whole_file

_HEADER = 150  # most bytes in the header of a file for a weight, without its name


def hand_over(run: Path, out: Path, megabytes: float) -> None:
    """Copy the newest weights of a run, their average and its log.

    Parameters
    ----------
    run : Path
        Folder of the run.
    out : Path
        Receives the checkpoints ``raw`` and ``averaged``, ``log.jsonl`` and ``pretraining.yaml``.
    megabytes : float
        Largest size of a file (10^6 bytes).
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in ("log.jsonl", "pretraining.yaml"):
        with whole_file(out / name) as unfinished:
            shutil.copyfile(run / name, unfinished)
    for name, folder in (("raw", run), ("averaged", run / "averaged")):
        if (folder / "model.safetensors").exists():  # a run may keep no average
            _copy_checkpoint(folder, out / name, int(megabytes * 1e6))


def _copy_checkpoint(folder: Path, out: Path, limit: int) -> None:
    out.mkdir(exist_ok=True)
    weights = load_file(folder / "model.safetensors")
    shards = divided(weights, limit)
    places, total = {}, sum(value.nbytes for value in weights.values())
    for number, shard in enumerate(shards, 1):
        single = len(shards) == 1
        name = "model" if single else f"model-{number:05}-of-{len(shards):05}"
        places |= dict.fromkeys(shard, f"{name}.safetensors")
        with whole_file(out / f"{name}.safetensors") as unfinished:
            save_file(shard, unfinished, metadata={"format": "pt"})
    if len(shards) > 1:
        index = {"metadata": {"total_size": total}, "weight_map": places}
        with whole_file(out / "model.safetensors.index.json") as unfinished:
            unfinished.write_text(json.dumps(index), encoding="utf-8")
    with whole_file(out / "config.json") as unfinished:
        shutil.copyfile(folder / "config.json", unfinished)


def divided(weights: Mapping[str, Tensor], limit: int) -> list[dict[str, Tensor]]:
    """Divide weights among files of at most so many bytes, in their order.

    A weight that is larger has a file of its own.
    """
    shards: list[dict[str, Tensor]] = [{}]
    room = limit - _HEADER
    for name, value in weights.items():
        size = value.nbytes + len(name) + _HEADER
        if shards[-1] and size > room:
            shards.append({})
            room = limit - _HEADER
        shards[-1][name] = value
        room -= size
    return shards
