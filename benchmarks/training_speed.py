"""The speed of training of this version relative to another one.

    git worktree add FOLDER COMMIT
    python -m benchmarks.training_speed --reference FOLDER
    python -m benchmarks.training_speed --reference FOLDER --size wider --compile

Both versions train the same network from the same seed on the same synthetic series, by their own
`pretrain`, each in a process of its own with one thread. They take turns step by step. CPU seconds
are taken, without the first steps, which compile. The program prints the medians, the median of the
ratios and the largest difference of the losses, which shows that both do the same.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

SIZES = {
    "mini": {"hidden_size": 128, "intermediate_size": 128, "num_hidden_layers": 4,
             "num_attention_heads": 4},
    "wider": {"hidden_size": 192, "intermediate_size": 256, "num_hidden_layers": 6,
              "num_attention_heads": 6},
    "tiny": {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
             "num_attention_heads": 2},
}  # fmt: skip
"""Sizes of `timer-s1-mini`, of a wider network, and of a trial of the program."""
WARM = 2
"""Steps that are not counted."""


def main(given: Sequence[str] | None = None) -> None:
    """Print seconds of both versions, their ratio, and the difference of their losses."""
    arguments = parse_arguments(given)
    if arguments.answer:
        answer(json.loads(arguments.answer), sys.stdin, sys.stdout)
        return
    asked = json.dumps(question(arguments))
    with contextlib.ExitStack() as stack:
        sides = {
            "reference": stack.enter_context(running(arguments.reference, asked)),
            "this": stack.enter_context(running(Path(__file__).parents[1], asked)),
        }
        steps = [
            {name: ask(side) for name, side in sides.items()} for _ in range(WARM + arguments.steps)
        ]
    counted = steps[WARM:]
    for name in sides:
        seconds = statistics.median(step[name]["seconds"] for step in counted)
        print(f"{name:10}{seconds:8.2f} s a step{arguments.tokens / seconds:8.0f} patches/s")
    ratios = [step["reference"]["seconds"] / step["this"]["seconds"] for step in counted]
    losses = [(step["reference"]["loss"], step["this"]["loss"]) for step in steps]
    difference = max(abs(one - other) / other for one, other in losses)
    print(f"ratio {statistics.median(ratios):.2f}, losses differ by {difference:.1e}")


def question(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of the run, and whether it compiles."""
    stage = {
        "name": "steps",
        "steps": WARM + arguments.steps + 1,
        "tokens_per_step": arguments.tokens,
        "window_patches": arguments.window,
        "learning_rate": 1e-3,
        "serial_weighting": "inverse_sqrt",
    }
    sizes = SIZES[arguments.size] | {
        "num_mtp_tokens": arguments.serial_blocks,
        "num_experts": 4,
        "num_experts_per_token": 2,
        "dropout_rate": 0.0,
        "max_context_length": 4096,
        "interior_masks": True,
        "training_loss": "pinball",
    }
    config = {
        "architecture": sizes,
        "data": {"families": {"integrated": 1}, "synthetic_augmentation": False},
        "stages": [stage],
        "optimizer": {"name": arguments.optimizer},
        "gradient_accumulation": arguments.parts,
        "pool_steps": stage["steps"],
        "log_every": 1,
        "checkpoint_every": stage["steps"],
        "bfloat16": False,
    }
    return {"config": config, "compile": arguments.compile}


@contextlib.contextmanager
def running(tree: Path, asked: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process that trains as asked by the version in a folder, and waits at each step."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    paths = os.pathsep.join([str(tree.resolve()), *filter(None, sys.path)])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, __file__, "--answer", asked],
        env=os.environ | threads | {"PYTHONPATH": paths},
        text=True,
        **pipes,
    )
    with process:
        yield process
        process.communicate()


def ask(process: subprocess.Popen[str]) -> dict[str, float]:
    """Let a process make its next step, and return its CPU seconds and its loss."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101
    print("next", file=process.stdin, flush=True)
    found: dict[str, float] = json.loads(process.stdout.readline())
    return found


def answer(asked: dict[str, Any], requests: Iterable[str], answers: IO[str]) -> None:
    """Train as asked: a step for each request, and an answer with its CPU seconds and its loss."""
    from timer_forecaster.pretraining import PretrainingConfig, pretrain

    waiting = iter(requests)
    next(waiting)
    started = time.process_time()

    def on_record(record: dict[str, Any]) -> None:
        nonlocal started
        seconds = time.process_time() - started
        print(json.dumps({"seconds": seconds, "loss": record["loss"]}), file=answers, flush=True)
        if next(waiting, None) is None:
            raise _Enough
        started = time.process_time()

    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(_Enough):
        config = PretrainingConfig.from_mapping(asked["config"])
        options = {"device": "cpu", "compile_blocks": asked["compile"], "on_record": on_record}
        pretrain(config, folder, **options)


class _Enough(Exception):
    """Ends a run at a step, so that no validation follows."""


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training_speed", description=__doc__.partition("\n")[0]
    )
    add = parser.add_argument
    add("--reference", type=Path, help="folder with the sources of the other version")
    add("--size", choices=SIZES, default="mini")
    add("--serial-blocks", type=int, default=5, help="default: 5, the mean of a training")
    add("--tokens", type=int, default=2048, help="patches of a step; default: 2048")
    add("--parts", type=int, default=1, help="parts of a step; default: 1")
    add("--window", type=int, default=64, help="patches of a window; default: 64")
    add("--steps", type=int, default=5, help="steps that count; default: 5")
    add("--optimizer", choices=("muon", "adamw"), default="muon")
    add("--compile", action="store_true", help="compile blocks and loss")
    add("--answer", help=argparse.SUPPRESS)
    arguments = parser.parse_args(given)
    if not (arguments.reference or arguments.answer):
        parser.error("--reference is needed: a folder with another version")
    return arguments


if __name__ == "__main__":
    main()
