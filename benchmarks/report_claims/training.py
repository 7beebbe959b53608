"""Train the arms, score them, and measure the costs of training."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report_claims.arms import ARMS, REMOVED, STAGED, Arm, configure
from benchmarks.report_claims.comparisons import overall
from benchmarks.report_claims.scale import Scale
from benchmarks.report_claims.scores import score
from benchmarks.report_claims.windows import Windows
from timer_forecaster.pretraining import (
    build_network,
    load_pipeline,
    pretrain,
    remove_serial_blocks,
)


def run_arm(
    name: str,
    seed: int,
    scale: Scale,
    corpus: Path | None,
    datasets: Sequence[Windows],
    out: Path,
) -> None:
    """Train and score an arm, unless its scores are in the folder."""
    folder = out / "scores"
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}-{seed}.json"
    if file.exists():
        return
    weights = train(name, seed, scale, corpus, out)
    pipe = load_pipeline(weights, "cpu")
    short = scale.context(scale.window)
    if name == "stp":
        removed = load_pipeline(remove_serial_blocks(weights, weights.parent / "removed"), "cpu")
        _write_json(folder / f"{REMOVED}-{seed}.json", {"short": score(removed, datasets, short)})
    result = {"short": score(pipe, datasets, short)}
    if name in STAGED:
        result["long"] = score(pipe, datasets, scale.context(scale.long_window))
    _write_json(file, result)
    print(f"{name} seed {seed}: {overall(result['short']['loss']):.4f}", flush=True)


def train(name: str, seed: int, scale: Scale, corpus: Path | None, out: Path) -> Path:
    """Train an arm, or go on with it; return the folder of its last weights, in float32."""
    arm = ARMS[name]
    config = configure(arm, seed, scale, corpus)
    data = "augmented" if arm.augmented else "plain"
    main = config.architecture.num_hidden_layers
    trunk = out / "runs" / f"trunk-{arm.objective}-{main}-{data}-{seed}"
    folder = out / "runs" / f"{name}-{seed}"
    if not folder.exists():
        pretrain(dataclasses.replace(config, stages=config.stages[:1]), trunk, device="cpu")
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(trunk, partial)
        partial.rename(folder)
    pretrain(config, folder, device="cpu")
    return folder / "stages" / config.stages[-1].name


def training_costs(scale: Scale, out: Path) -> dict[str, dict[str, float]]:
    """Return the costs of each objective; measure them unless they are in the folder."""
    file = out / "costs.json"
    if not file.exists():
        _write_json(file, {name: training_cost(name, scale) for name in ("stp", "ntp", "mtp")})
    costs: dict[str, dict[str, float]] = json.loads(file.read_text(encoding="utf-8"))
    return costs


def training_cost(objective: str, scale: Scale) -> dict[str, float]:
    """Return the number of parameters of an objective, and the CPU seconds of a training step.

    The seconds are measured in one short run. All of its data are drawn in the first step, so that
    the later steps do not include the drawing.
    """
    config = configure(Arm("", objective), 0, scale, None)
    stage = dataclasses.replace(config.stages[0], steps=9)
    config = dataclasses.replace(config, stages=(stage,), log_every=2, checkpoint_every=10)
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        pretrain(
            config,
            folder,
            device="cpu",
            on_record=lambda record: seconds.append(time.process_time()),
        )
    parameters = sum(p.numel() for p in build_network(scale.architecture, objective).parameters())
    return {"parameters": parameters, "seconds_per_step": (seconds[3] - seconds[0]) / 6}


def _write_json(file: Path, values: Any) -> None:
    """Write a file that exists as a whole or not at all."""
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    partial.replace(file)
