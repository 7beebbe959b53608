r"""A training of a few minutes on a GPU that is lent once, then the checks that need a GPU.

    timer-forecaster corpus build SOURCE corpora/train --newest 16384 --most-series 600
    timer-forecaster corpus build SOURCE corpora/held-out-a-sub-daily --held-out --half A ...
    python -m benchmarks.gpu_run --output FOLDER --minutes 9

The first commands run beforehand, where the data are; `docs/corpus.md` explains them. The program
needs torch with CUDA, accelerate, pyarrow, pyyaml, safetensors and tqdm, but no installation: it
runs from the root of the sources, and finds the corpora there as the recipe names them.

1. Probe: a few steps, eager and compiled. They leave the weights as they are, so their validation
   is that of the start. Compiled blocks are used if they make more steps in the time that is left.
2. Training by the trainer of the package, from the initial checkpoint of the recipe or from
   ``--start``: a constant learning rate for 65 % of the time, then a linear decay over as many
   steps as fit. Series and windows are made on the GPU. Every minute a checkpoint is written, and
   the weights and their average are handed over in files of bounded size.
3. Checks, in the last ``--checks-minutes``: the tests marked ``gpu``, and the part ``gpu`` of
   ``benchmarks.speed``, on a slice of the released sizes.

The output holds ``averaged`` and ``raw``, checkpoints that all doors load and that a run can start
from, ``log.jsonl``, ``pretraining.yaml`` and ``report.md``. They are whole at any moment, so little
is lost if the machine is taken back early.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gpu_run.checks import report_speed, report_tests
from benchmarks.gpu_run.probe import probe
from benchmarks.gpu_run.report import Report
from benchmarks.gpu_run.settings import settings_of
from benchmarks.gpu_run.training import train

WIDE = Path(__file__).with_name("wide.yaml")


def main(given: Sequence[str] | None = None) -> None:
    """Probe, train and check, as the command line asks for."""
    began = time.monotonic()
    arguments = parse_arguments(given)
    end = began + 60 * arguments.minutes
    end_of_training = end - 60 * arguments.checks_minutes
    report = Report(arguments.output)
    with contextlib.ExitStack() as stack:
        work = arguments.work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if end_of_training > time.monotonic():
            config = settings_of(arguments)
            compiled = probe(config, arguments, work / "probe", end_of_training, report)
            train(config, arguments, compiled, work / "run", end_of_training, report)
        if arguments.checks_minutes:
            report_tests(end, report)
            report_speed(end, work, report)


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu_run", description=__doc__.partition("\n")[0]
    )
    add = parser.add_argument
    add("--output", type=Path, required=True, help="folder for what is handed over")
    add("--minutes", type=float, default=9.0, help="time of the whole program; default: 9")
    add(
        "--checks-minutes",
        type=float,
        default=1.5,
        help="part of it for the checks at the end; default: 1.5; 0 for none, all for no training",
    )
    add(
        "--settings",
        default=str(WIDE),
        help="recipe or YAML file; default: `wide.yaml` beside this file",
    )
    add("--start", help="checkpoint of these sizes; default: as the recipe says")
    add("--tokens-per-step", type=int, default=131_072, help="patches; default: %(default)s")
    add("--parts", type=int, default=1, help="parts of a step, to save memory; default: 1")
    add("--learning-rate", type=float, default=3e-3, help="default: %(default)s")
    add("--warmup-steps", type=int, default=100, help="default: %(default)s")
    add("--growth-steps", type=int, default=200, help="first steps of a grown checkpoint; its old "
        "weights are held back in them; default: %(default)s")  # fmt: skip
    add("--probe-steps", type=int, default=12, help="steps of each probe; default: %(default)s")
    add("--compile", choices=("probe", "yes", "no"), default="probe")
    add("--checkpoint-seconds", type=float, default=60.0, help="default: %(default)s")
    add("--file-megabytes", type=float, default=16.0, help="most of a file; default: %(default)s")
    add("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: for a rehearsal")
    add("--work", type=Path, help="folder of the run itself; default: a temporary one")
    arguments = parser.parse_args(given)
    if not 0 <= arguments.checks_minutes <= arguments.minutes:
        parser.error("--checks-minutes is a part of --minutes")
    return arguments


if __name__ == "__main__":
    main()
