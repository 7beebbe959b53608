"""The contents of files that commands write, in a form to compare; an error if one is damaged."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

Read = Callable[[Path], Any]
"""A function of the folder of a command. It returns None if the command has written nothing."""

HIDDEN = ".unfinished-"
"""Start of the names of files and folders that are not whole."""

_OF_TIME = ("seconds", "tokens_per_second", "data_share")


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of each file in a folder that has its final name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    final = [path for path in files if not any(part.startswith(HIDDEN) for part in path.parts)]
    return {str(path.relative_to(folder)): _digest(path) for path in final}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def table(name: str) -> Read:
    """Return a function that reads a table of the format that its name says."""

    def read(folder: Path) -> Any:
        import pandas as pd

        path = folder / name
        if not path.exists():
            return None
        if name.endswith(".csv"):
            return path.read_text()
        if name.endswith(".csv.gz"):
            return gzip.decompress(path.read_bytes()).decode()
        if name.endswith(".json"):
            return json.loads(path.read_text())
        frame = pd.read_parquet(path) if name.endswith(".parquet") else pd.read_excel(path)
        return frame.to_csv()

    return read


def partitions(folder: Path) -> Any:
    """Return the digests of the files of a run, after its finished partitions have been read."""
    import pandas as pd

    out = folder / "out"
    for file in out.glob("finished/[!.]*.json"):
        rows = json.loads(file.read_text())["forecast_rows"]
        if len(pd.read_parquet(out / "forecast" / f"{file.stem}.parquet")) != rows:
            raise ValueError(f"{file} does not tell the rows of its partition")
    return digests(out) or None


def picture(name: str) -> Read:
    """Return a function that reads a picture."""

    def read(folder: Path) -> Any:
        from matplotlib import image

        path = folder / name
        return image.imread(path).tobytes() if path.exists() else None

    return read


def report(name: str) -> Read:
    """Return a function that reads a report, without the time when it was made."""

    def read(folder: Path) -> Any:
        path = folder / name
        if not path.exists():
            return None
        text = path.read_text(encoding="utf-8")
        if not text.endswith("</html>\n"):
            raise ValueError(f"{path} is not whole")
        return re.sub(r"Made on \S+ \S+", "", text)

    return read


def adapter(folder: Path) -> Any:
    """Return the fingerprint of an adapter."""
    from timer_forecaster.adapters import Adapter

    if not any((folder / "out").glob("adapter.*")):
        return None
    return Adapter.load(folder / "out").fingerprint


def peft_adapter(folder: Path) -> Any:
    """Return the description and the values of both files of peft; None without a description.

    The bytes of the weights differ from run to run, by the order of their metadata.
    """
    from safetensors.torch import load_file

    described = folder / "out" / "adapter_config.json"
    if not described.exists():
        return None
    weights = load_file(folder / "out" / "adapter_model.safetensors")
    return described.read_text(), {name: value.tolist() for name, value in weights.items()}


def checkpoint(folder: Path) -> Any:
    """Return the digests of the files of a checkpoint, after its weights have been read."""
    from timer_forecaster.checkpoints.tensors import read_tensors, tensor_files

    if not (folder / "out").exists():
        return None
    files = tensor_files(folder / "out")
    read_tensors(folder / "out", files, files)
    return digests(folder / "out")


def corpus(folder: Path) -> Any:
    """Return the digests of the shards, after they have been compared with the manifest."""
    from timer_forecaster.corpus.manifest import Manifest

    if not any(folder.glob("out/*")):
        return None
    found = digests(folder / "out")
    manifest = Manifest.read(folder / "out")
    if {shard.name: shard.sha256 for shard in manifest.shards}.items() - found.items():
        raise ValueError("shards are not those of the manifest")
    return found


def results(folder: Path) -> Any:
    """Return the rows of an evaluation without times, and the picture."""
    import pandas as pd

    rows = {}
    for name in ("results.csv", "results.details.csv"):
        if (folder / name).exists():
            frame = pd.read_csv(folder / name).drop(columns="seconds", errors="ignore")
            rows[name] = sorted(frame.to_csv(index=False).splitlines())
    return rows | {"picture": picture("scores.png")(folder)}


def training(folder: Path) -> Any:
    """Return digests of networks, and the log without times, of a run and of its checkpoints."""
    import yaml
    from safetensors import safe_open

    from timer_forecaster.pretraining.checkpoints import CheckpointFolder

    run = folder / "out"
    networks = sorted(
        file for file in run.rglob("model.safetensors") if "checkpoints" not in file.parts
    )
    for file in networks:
        with safe_open(file, framework="pt"):
            pass
    for file in run.rglob("config.json"):
        json.loads(file.read_text())
    if (run / "pretraining.yaml").exists():
        yaml.safe_load((run / "pretraining.yaml").read_text())
    broken: list[str] = []
    CheckpointFolder(run / "checkpoints").newest(broken.append)
    if broken:
        raise ValueError(broken[0])
    log = run / "log.jsonl"
    records = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    kept = [{k: v for k, v in one.items() if k not in _OF_TIME} for one in records]
    return {str(file.relative_to(run)): _digest(file) for file in networks}, kept
