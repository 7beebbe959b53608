"""The memory that finetuning needs beside the weights, for a checkpoint of the released size.

The program writes random weights in the released layout (16.6 GB in bfloat16) to a folder, unless
the folder holds them. It finetunes them for a few steps in a new process. It prints the number of
trained parameters, the size of the adapter's files, and memory. Frozen weights stay mapped from
their files. So the memory that belongs to no file is the memory that finetuning needs beside them.
The activations, which autograd keeps for the backward pass, are counted separately::

    python -m benchmarks.finetuning_memory --work FOLDER
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import memory
from benchmarks.pages import markdown, write_page
from benchmarks.processes import IMPORTABLE
from benchmarks.random_checkpoints import write_checkpoint

PROGRAM = "benchmarks.finetuning_memory"
SAMPLE_EVERY = 0.05  # seconds
SETTINGS = {"steps": 3, "context_length": 512, "batch_size": 4, "validation": 0.1}


class MemoryWatch(threading.Thread):
    """A thread that samples the memory of this process that belongs to no file.

    Attributes
    ----------
    most : float
        The largest sample so far, in GB.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0.0
        self._ended = threading.Event()

    def run(self) -> None:
        """Sample until `end`."""
        while not self._ended.wait(SAMPLE_EVERY):
            self.most = max(self.most, memory()["anonymous"])

    def end(self) -> float:
        """Stop, and return the largest sample."""
        self._ended.set()
        self.join()
        return self.most


class Activations:
    """The tensors that autograd keeps for the backward pass.

    Attributes
    ----------
    most : int
        Bytes in the largest step. Weights are not counted, and each storage is counted once.
    frozen : TimerS1Network
        The network whose parts are finetuned.
    """

    def __init__(self) -> None:
        self.most = 0
        self.frozen: Any = None
        self._storages: dict[int, int] = {}
        self._backward = False

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count inside the context."""
        import torch

        from timer_forecaster.finetuning import tuner

        original = tuner.load_frozen

        def load_frozen(key: Any) -> Any:
            self.frozen = original(key)
            weights = self.frozen.parameters()
            self._weights = {value.untyped_storage().data_ptr() for value in weights}
            return self.frozen

        tuner.load_frozen = load_frozen
        try:
            with torch.autograd.graph.saved_tensors_hooks(self._pack, self._unpack):
                yield
        finally:
            tuner.load_frozen = original

    def _pack(self, tensor: Any) -> Any:
        """Count a tensor that is kept; the first one after a backward pass begins a step."""
        if self._backward:
            self._storages, self._backward = {}, False
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._weights:
            self._storages[storage.data_ptr()] = storage.nbytes()
            self.most = max(self.most, sum(self._storages.values()))
        return tensor

    def _unpack(self, tensor: Any) -> Any:
        """Note that the backward pass has begun."""
        self._backward = True
        return tensor


def finetune_folder(folder: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Finetune the checkpoint of a folder in this process; return a row of the table."""
    from timer_forecaster.adapters.adapter import Adapter
    from timer_forecaster.adapters.base import Base
    from timer_forecaster.checkpoints.key import NetworkKey
    from timer_forecaster.finetuning import FinetuneConfig, TuningWarning, finetune
    from timer_forecaster.finetuning.trainable import own_copies
    from timer_forecaster.inference import ForecastPipeline
    from timer_forecaster.models.timer_s1.targets import DEFAULT, replaced_by

    watch = MemoryWatch()
    watch.start()
    pipe = ForecastPipeline(NetworkKey.resolve(folder, None, "cpu", "auto"))
    random = np.random.default_rng(0)
    series = [np.sin(np.arange(2000) / p) + random.normal(size=2000) / 5 for p in (3, 7, 12, 30)]
    activations, config = Activations(), FinetuneConfig(**settings)
    with activations.counted(), warnings.catch_warnings():
        warnings.simplefilter("ignore", TuningWarning)
        report = finetune(pipe, series, config).report
    own, peak = watch.end(), memory()["peak"]
    # Finetuning of random weights may return the identity. Measure the size of a real adapter.
    frozen = activations.frozen
    target = config.target or DEFAULT
    names = replaced_by(target, [name for name, _ in frozen.named_parameters()])
    adapter = Adapter(Base.of(pipe.key), target, own_copies(frozen, names))
    with tempfile.TemporaryDirectory() as place:
        size = sum(file.stat().st_size for file in adapter.save(place).iterdir())
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 1e9
    kept = activations.most / 1e9
    return {
        "trained": report.n_parameters,
        "of all": f"{report.n_parameters / _n_parameters(frozen):.3%}",
        "adapter, MB": size / 1e6,
        "weights, GB": weights,
        "most resident, GB": peak,
        "most of it not of files, GB": own,
        "activations, GB": kept,
        "beyond weights and activations, GB": own - kept,
        "steps": report.steps,
        "seconds": report.seconds,
    }


def _n_parameters(network: Any) -> int:
    return sum(value.numel() for value in network.parameters())


def main(given: Sequence[str] | None = None) -> None:
    """Write the checkpoint, finetune it in a new process, and print a table."""
    arguments = parse_arguments(given)
    folder = arguments.work / "bfloat16"
    if arguments.in_this_process:
        print(json.dumps(finetune_folder(folder, arguments.settings)))
        return
    write_checkpoint(folder, arguments.sizes, "bfloat16")
    command = [sys.executable, "-m", PROGRAM, "--in-this-process", "--work", str(arguments.work)]
    command += ["--settings", json.dumps(arguments.settings)]
    output = subprocess.run(  # noqa: S603
        command, check=True, capture_output=True, text=True, env=os.environ | IMPORTABLE
    ).stdout
    table = markdown([json.loads(output.splitlines()[-1])])
    print(table)
    if arguments.page:
        write_page(arguments.page, {"memory": table})


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(prog=f"python -m {PROGRAM}", description=__doc__)
    add = parser.add_argument
    add("--work", type=Path, required=True, help="folder for the checkpoint, which is kept")
    add(
        "--sizes",
        type=json.loads,
        default={},
        help="sizes that differ from the released ones, as JSON",
    )
    add("--settings", type=json.loads, default=SETTINGS, help="of FinetuneConfig, as JSON")
    add("--page", type=Path, help="Markdown page whose table is replaced")
    add("--in-this-process", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(given)


if __name__ == "__main__":
    main()
