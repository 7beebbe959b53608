"""What tuning a checkpoint of the released size takes beside its weights.

Writes random weights in the released layout (16.6 GB in bfloat16) to a folder, unless they are
there already, tunes them for a few steps in a process of its own, and prints the parameters that
were trained, the size of the adapter's files, and memory. Frozen weights stay mapped from their
files, so that what belongs to no file is what tuning takes beside them; what autograd keeps of the
forward pass, the activations, is counted apart::

    python benchmarks/finetuning_memory.py --work FOLDER
"""

from __future__ import annotations

import argparse
import json
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
from measuring import markdown, memory, write_page
from speed_parts.networks import write_checkpoint

_EVERY = 0.05  # seconds
SETTINGS = {"steps": 3, "context_length": 512, "batch_size": 4, "validation": 0.1}


class Watch(threading.Thread):
    """Samples the memory of this process that belongs to no file.

    Attributes
    ----------
    most : float
        GB of it at most.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0.0
        self._ended = threading.Event()

    def run(self) -> None:
        """Sample until `end`."""
        while not self._ended.wait(_EVERY):
            self.most = max(self.most, memory()["anonymous"])

    def end(self) -> float:
        """Give the most that was seen."""
        self._ended.set()
        self.join()
        return self.most


class Kept:
    """What autograd keeps for the backward pass: the most of any step.

    Attributes
    ----------
    most : int
        Bytes, weights left out, each storage counted once.
    frozen : TimerS1Network
        The network whose parts were tuned.
    """

    def __init__(self) -> None:
        self.most = 0
        self.frozen: Any = None
        self._storages: dict[int, int] = {}
        self._backward = False

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what is kept meanwhile."""
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
            with torch.autograd.graph.saved_tensors_hooks(self._keep, self._give):
                yield
        finally:
            tuner.load_frozen = original

    def _keep(self, tensor: Any) -> Any:
        if self._backward:
            self._storages, self._backward = {}, False
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._weights:
            self._storages[storage.data_ptr()] = storage.nbytes()
            self.most = max(self.most, sum(self._storages.values()))
        return tensor

    def _give(self, tensor: Any) -> Any:
        self._backward = True
        return tensor


def tune(folder: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Tune the checkpoint of a folder in this process, and tell what it took, in GB."""
    from timer_forecaster.adapters.adapter import Adapter
    from timer_forecaster.adapters.base import Base
    from timer_forecaster.checkpoints.key import NetworkKey
    from timer_forecaster.finetuning import FinetuneConfig, TuningWarning, finetune
    from timer_forecaster.finetuning.trainable import own_copies
    from timer_forecaster.inference import ForecastPipeline
    from timer_forecaster.models.timer_s1.targets import replaced_by

    watch = Watch()
    watch.start()
    pipe = ForecastPipeline(NetworkKey.resolve(folder, None, "cpu", "auto"))
    random = np.random.default_rng(0)
    series = [np.sin(np.arange(2000) / p) + random.normal(size=2000) / 5 for p in (3, 7, 12, 30)]
    kept, config = Kept(), FinetuneConfig(**settings)
    with kept.counted(), warnings.catch_warnings():
        warnings.simplefilter("ignore", TuningWarning)
        report = finetune(pipe, series, config).report
    own, peak = watch.end(), memory()["peak"]
    # What the tuning of random weights ends with may be the identity.
    names = replaced_by(config.target, [name for name, _ in kept.frozen.named_parameters()])
    adapter = Adapter(Base.of(pipe.key), config.target, own_copies(kept.frozen, names))
    with tempfile.TemporaryDirectory() as place:
        size = sum(file.stat().st_size for file in adapter.save(place).iterdir())
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 1e9
    activations = kept.most / 1e9
    return {
        "trained": report.n_parameters,
        "of all": f"{report.n_parameters / _n_parameters(kept.frozen):.3%}",
        "adapter, MB": size / 1e6,
        "weights, GB": weights,
        "most resident, GB": peak,
        "most of it not of files, GB": own,
        "activations, GB": activations,
        "beyond weights and activations, GB": own - activations,
        "steps": report.steps,
        "seconds": report.seconds,
    }


def _n_parameters(network: Any) -> int:
    return sum(value.numel() for value in network.parameters())


def main(argv: Sequence[str] | None = None) -> None:
    """Write the checkpoint, tune it in a process of its own and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--work", type=Path, required=True, help="folder for the checkpoint, which is kept")
    add("--sizes", type=json.loads, default={}, help="fields that are not the released ones, JSON")
    add("--settings", type=json.loads, default=SETTINGS, help="of FinetuneConfig, as JSON")
    add("--page", type=Path, help="markdown page whose table is replaced")
    add("--in-this-process", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    folder = arguments.work / "bfloat16"
    if arguments.in_this_process:
        print(json.dumps(tune(folder, arguments.settings)))
        return
    write_checkpoint(folder, arguments.sizes, "bfloat16")
    command = [sys.executable, __file__, "--in-this-process", "--work", str(arguments.work)]
    command += ["--settings", json.dumps(arguments.settings)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    table = markdown([json.loads(output.splitlines()[-1])])
    print(table)
    if arguments.page:
        write_page(arguments.page, {"memory": table})


if __name__ == "__main__":
    main()
