"""The speed of training of this version relative to another one.

    git worktree add FOLDER COMMIT
    python -m benchmarks.training_speed --reference FOLDER
    python -m benchmarks.training_speed --reference FOLDER --size small --compile

Both versions train the same network from the same seed on the same synthetic series, by their own
`pretrain`. They take turns, each in a process of its own with one thread. CPU seconds of the steps
are taken, without the first ones, which compile. The program prints the medians, their ratio and
the largest difference of the losses, which shows that both do the same.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SIZES = {
    "mini": {"hidden_size": 128, "intermediate_size": 128, "num_hidden_layers": 4,
             "num_attention_heads": 4},
    "small": {"hidden_size": 192, "intermediate_size": 256, "num_hidden_layers": 6,
              "num_attention_heads": 6},
    "tiny": {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
             "num_attention_heads": 2},
}  # fmt: skip
"""Sizes of the embedded checkpoints, and those of a trial of the program."""
WARM = 2
"""Steps that are not counted."""


def main(given: Sequence[str] | None = None) -> None:
    """Print seconds of both versions, their ratio, and the difference of their losses."""
    arguments = parse_arguments(given)
    if arguments.answer:
        answer(json.loads(arguments.answer))
        return
    sides = {"reference": arguments.reference, "this": Path(__file__).parents[1]}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for _ in range(arguments.rounds):
        for name, tree in sides.items():
            found[name].append(ask(tree, question(arguments)))
    seconds = {
        name: statistics.median(value for each in answers for value in each["seconds"])
        for name, answers in found.items()
    }
    losses = [found[name][0]["losses"] for name in sides]
    difference = max(abs(one - other) / other for one, other in zip(*losses, strict=True))
    for name, value in seconds.items():
        print(f"{name:10}{value:8.2f} s a step{arguments.tokens / value:8.0f} patches/s")
    print(f"ratio {seconds['reference'] / seconds['this']:.2f}, losses differ by {difference:.1e}")


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


def ask(tree: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of the version in a folder."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    paths = os.pathsep.join([str(tree.resolve()), *filter(None, sys.path)])
    done = subprocess.run(  # noqa: S603
        [sys.executable, __file__, "--answer", json.dumps(asked)],
        env=os.environ | threads | {"PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def answer(asked: dict[str, Any]) -> None:
    """Train as asked, and print the CPU seconds and losses of the steps that count."""
    from timer_forecaster.pretraining import PretrainingConfig, pretrain

    config = PretrainingConfig.from_mapping(asked["config"])
    ends, losses = [], []

    def on_record(record: dict[str, Any]) -> None:
        ends.append(time.process_time())
        losses.append(record["loss"])
        if len(losses) == config.steps - 1:
            raise _Enough

    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(_Enough):
        options = {"device": "cpu", "compile_blocks": asked["compile"], "on_record": on_record}
        pretrain(config, folder, **options)
    seconds = [second - first for first, second in itertools.pairwise(ends)]
    print(json.dumps({"seconds": seconds[WARM - 1 :], "losses": losses}))


class _Enough(Exception):
    """Ends a run before its last step, which validation would follow."""


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
    add("--steps", type=int, default=5, help="steps of a run that count; default: 5")
    add("--rounds", type=int, default=2, help="runs of each version; default: 2")
    add("--optimizer", choices=("muon", "adamw"), default="muon")
    add("--compile", action="store_true", help="compile blocks and loss")
    add("--answer", help=argparse.SUPPRESS)
    arguments = parser.parse_args(given)
    if not (arguments.reference or arguments.answer):
        parser.error("--reference is needed: a folder with another version")
    return arguments


if __name__ == "__main__":
    main()
